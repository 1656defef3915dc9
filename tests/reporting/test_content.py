"""What a report says rests sealed, opens only where it belongs, and is gone at its end."""

import pytest
from sqlalchemy import select, update

from tests.reporting.world import World
from tutela.errors import StorageError
from tutela.reporting.content import content_of, files_of, keep_content, keep_files
from tutela.reporting.model import ReportFile
from tutela.reporting.states import Move
from tutela.reporting.tables import report_files, reports

WORDS = b'{"words": "an excerpt of a chat"}'


def test_content_and_details_open_as_they_were_written(world: World) -> None:
    case = world.case(b"one", b"two")
    files = [
        ReportFile(each.item, each.evidence, b'{"name": "%d"}' % number)
        for number, each in enumerate(world.files(case))
    ]
    report = world.draft(case, WORDS, files)
    with world.database.writing() as connection:
        assert content_of(connection, world.secrets, report) == WORDS
        assert files_of(connection, world.secrets, report) == files
        keep_content(connection, world.secrets, report, b"{}")
        keep_files(connection, world.secrets, report, files[::-1])
    with world.database.reading() as connection:
        assert content_of(connection, world.secrets, report) == b"{}"
        assert files_of(connection, world.secrets, report) == files[::-1]


def test_the_database_has_no_word_of_it_in_the_clear(world: World) -> None:
    case = world.case(b"one")
    details = b'{"original_file_name": "a-sunset.png"}'
    files = [ReportFile(each.item, each.evidence, details) for each in world.files(case)]
    report = world.draft(case, WORDS, files)
    with world.database.reading() as connection:
        content = connection.execute(select(reports.c.content)).scalar_one()
        sealed = connection.execute(select(report_files.c.details)).scalar_one()
    assert b"excerpt" not in content
    assert b"sunset" not in sealed
    world.move(report, Move.SIGN, Move.QUEUE, Move.SEND)
    with world.database.reading() as connection:
        assert connection.execute(select(reports.c.content)).scalar_one() is None
        assert connection.execute(select(report_files.c.details)).scalar_one() is None


def test_what_belongs_to_one_report_does_not_open_in_another(world: World) -> None:
    first, second = (world.draft(world.case(), WORDS) for _ in range(2))
    with world.database.writing() as connection:
        sealed = connection.execute(
            select(reports.c.content).where(reports.c.id == first)
        ).scalar_one()
        connection.execute(update(reports).where(reports.c.id == second).values(content=sealed))
        with pytest.raises(StorageError, match="altered"):
            content_of(connection, world.secrets, second)
