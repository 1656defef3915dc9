"""A scan seals what matched, as it was when it matched, or says that it could not."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.actors import actor_called
from tests.evidence.sealing import blob_files, opened
from tutela.cases.listing import listed
from tutela.cases.reading import Case, find_case
from tutela.evidence.key_registry import prepare_keys
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.lists import create_list
from tutela.hashlists.model import ListRow, Provenance
from tutela.screening.checkpoint import Checkpoint
from tutela.screening.finding import find_files
from tutela.screening.model import Screened
from tutela.screening.opening import ScreeningRoom, open_screening
from tutela.screening.scanning import scan
from tutela.screening.screening import Submission
from tutela.storage.database import Database
from tutela.storage.settings import Settings

CONTENT = b"some words that are on a list" * 1000


class Meddler:
    """Does something between a file's fingerprints and its sealing, and is a screener otherwise."""

    def __init__(self, room: ScreeningRoom, meddle: Callable[[], object]) -> None:
        self._room = room
        self._meddle = meddle

    def refresh(self) -> None:
        self._meddle()
        self._room.screener.refresh()

    def screen_many(self, submissions: Sequence[Submission]) -> list[Screened]:
        return self._room.screener.screen_many(submissions)

    def count_not_read(self, reason: str, suffix: str) -> Screened:
        return self._room.screener.count_not_read(reason, suffix)


@pytest.fixture
def room(settings: Settings, database: Database, clock) -> Iterator[ScreeningRoom]:
    row = ListRow(1, Fingerprint(Kind.SHA256, hashlib.sha256(CONTENT).digest()))
    actor = actor_called("test")
    with database.writing() as connection:
        partner = create_list(connection, "partner", "", actor, clock)
        add_with_provenance(
            connection, partner, Provenance("a test"), [row], actor=actor, clock=clock
        )
    with open_screening(settings, database, clock) as opened_room:
        prepare_keys(opened_room.vault.keyring, database, lambda _: None)
        opened_room.screener.refresh()
        yield opened_room


def case_after(
    room: ScreeningRoom, settings: Settings, path: Path, meddle: Callable[[], object]
) -> Case:
    path.write_bytes(CONTENT)
    checkpoint = Checkpoint.begin(
        settings.data / "scans", [str(path)], find_files([str(path)]), started_in=str(Path.cwd())
    )
    (scanned,) = scan(checkpoint, room.cells, 2, Meddler(room, meddle), lambda: None)
    with room.vault.database.reading() as connection:
        (listed_case,) = listed(connection)
        assert scanned.screened.case == listed_case.case
        return find_case(connection, listed_case.case)


def test_a_file_that_matches_is_sealed(room, settings: Settings, tmp_path: Path) -> None:
    case = case_after(room, settings, tmp_path / "a.txt", lambda: None)
    (evidence,) = case.evidence
    assert opened(room.vault, evidence.id) == CONTENT


def replace(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("meddle", "reason"),
    [
        (lambda path: path.write_bytes(CONTENT + b"."), "it changed after it had matched"),
        (lambda path: path.write_bytes(b""), "it changed after it had matched"),
        (lambda path: path.unlink(), "it is no longer there, or is a link to nothing"),
        (replace, "it is no longer a regular file"),
    ],
)
def test_a_file_that_changes_meanwhile_has_a_case_that_says_so(
    room, settings: Settings, tmp_path: Path, meddle, reason: str
) -> None:
    path = tmp_path / "a.txt"
    case = case_after(room, settings, path, lambda: meddle(path))
    (evidence,) = case.evidence
    assert (evidence.state, evidence.reason) == ("missed", reason)
    assert blob_files(settings) == []
