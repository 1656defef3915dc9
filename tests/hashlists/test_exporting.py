"""Exports: whole, private, and importable again."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.conftest import TurnedClock
from tests.hashlists.filling import ACTOR, add, import_list, md5, new_list, summary_of, withdraw
from tutela.errors import AlreadyExistsError, StorageError
from tutela.fingerprints.model import Fingerprint, Kind, Pdq, VideoFrame
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.entries import current_revision
from tutela.hashlists.exporting import ExportFormat, export_list, new_file, withdrawn_entries
from tutela.hashlists.formats.hashes import of_frames
from tutela.hashlists.model import HashList, ListRow, Provenance
from tutela.storage.database import Database


def exported(database: Database, hash_list: HashList, form: ExportFormat) -> str:
    file = io.StringIO(newline="")
    with database.reading() as connection:
        export_list(connection, hash_list, form, file)
    return file.getvalue()


def test_an_export_says_where_each_entry_came_from(database: Database, clock: TurnedClock) -> None:
    known = new_list(database, clock)
    rows = [
        ListRow(1, Fingerprint(Kind.PDQ, bytes(32)), 77, "B1"),
        ListRow(2, md5(1)),
    ]
    with database.writing() as connection:
        add_with_provenance(
            connection,
            known,
            Provenance("Hotline, north", "A1", "by contract"),
            rows,
            actor=ACTOR,
            clock=clock,
        )
    found = list(csv.DictReader(io.StringIO(exported(database, known, ExportFormat.CSV))))
    expected = [
        {"kind": "md5", "hash": md5(1).text, "quality": "", "label": "A1"},
        {"kind": "pdq", "hash": "00" * 32, "quality": "77", "label": "B1"},
    ]
    origin = {
        "source": "Hotline, north",
        "reason": "by contract",
        "added_at": clock().isoformat(),
        "added_by": ACTOR.name,
    }
    assert found == [each | origin for each in expected]
    lines = exported(database, known, ExportFormat.JSON).splitlines()
    assert [json.loads(line)["quality"] for line in lines] == [None, 77]


def test_withdrawn_entries_are_not_exported_but_listed_with_the_reason(
    database: Database, clock: TurnedClock
) -> None:
    known = new_list(database, clock)
    add(database, known, clock, md5(1), md5(2))
    withdraw(database, known, clock, md5(1))
    assert md5(1).text not in exported(database, known, ExportFormat.CSV)
    with database.reading() as connection:
        [entry] = withdrawn_entries(connection, known)
    assert (entry.fingerprint, entry.reason) == (md5(1), "a mistake")
    assert (entry.withdrawn_at, entry.withdrawn_by) == (clock(), ACTOR.name)


labels = st.text(
    st.characters(codec="utf-8").filter(lambda each: each.isprintable()), max_size=20
).map(str.strip)
videos = st.lists(
    st.builds(
        VideoFrame,
        st.builds(Pdq, st.binary(min_size=32, max_size=32), st.integers(0, 100)),
        st.integers(0, 10**9).map(lambda milliseconds: milliseconds / 1000),
    ),
    min_size=1,
    max_size=4,
).map(of_frames)
rows = st.lists(
    st.builds(lambda video, label: ListRow(1, video[0], None, label, video[1]), videos, labels)
    | st.sampled_from([kind for kind in Kind if kind is not Kind.VPDQ]).flatmap(
        lambda kind: st.builds(
            ListRow,
            number=st.just(1),
            fingerprint=st.binary(min_size=kind.width, max_size=kind.width).map(
                lambda value: Fingerprint(kind, value)
            ),
            quality=st.integers(0, 100) | st.none() if kind is Kind.PDQ else st.none(),
            label=labels,
        )
    ),
    max_size=10,
    unique_by=lambda row: row.fingerprint,
)


@examples(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=rows, form=st.sampled_from(ExportFormat))
def test_an_export_imported_again_is_the_same_list(
    database: Database,
    clock: TurnedClock,
    tmp_path: Path,
    content: list[ListRow],
    form: ExportFormat,
) -> None:
    with database.reading() as connection:
        number = current_revision(connection)
    first, second = (new_list(database, clock, f"{number} {name}") for name in ("a", "b"))
    with database.writing() as connection:
        add_with_provenance(
            connection, first, Provenance("tests"), content, actor=ACTOR, clock=clock
        )
    text = exported(database, first, form)
    if text:
        path = tmp_path / "export"
        path.write_text(text, encoding="utf-8", newline="")
        result = import_list(database, second, clock, path)
        assert (result.added, result.rejected) == (len(content), 0)
    assert exported(database, second, form) == text
    assert summary_of(database, first).live == summary_of(database, second).live


def test_an_exported_file_is_for_its_owner_alone_and_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    with new_file(path, replace=False) as file:
        file.write("first")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(AlreadyExistsError, match="--force"), new_file(path, replace=False):
        pass
    with new_file(path, replace=True) as file:
        file.write("second")
    assert path.read_text() == "second"


def test_an_export_that_fails_leaves_the_older_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("older")
    with pytest.raises(KeyboardInterrupt), new_file(path, replace=True) as file:
        file.write("half")
        raise KeyboardInterrupt
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_an_export_into_nowhere_is_told_in_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="cannot be written"),
        new_file(tmp_path / "no such folder" / "export.csv", replace=False),
    ):
        pass
