"""The page of what could not be looked at, as a browser shows it."""

from collections.abc import Iterator

import pytest

from tests.console.walking import Walker, walking
from tests.house import running_house
from tutela.accounts.permissions import Role
from tutela.fingerprints.model import Unreadable
from tutela.screening.counts import Counts
from tutela.screening.model import Failure, Verdict
from tutela.storage.clock import system_clock
from tutela.storage.settings import OnEachUnreadable, load_settings

FAILURES = [
    (Unreadable.ENCRYPTED, "ZIP", ".zip", 3_000_000, 7),
    (Unreadable.NOT_SUPPORTED, "7z", ".7z", 900_000_000, 4),
    (Unreadable.ENDS_EARLY, "JPEG", ".jpg", 30_000, 3),
    (Unreadable.TOO_MANY_PIXELS, "PNG", ".png", 70_000_000, 2),
    (Unreadable.NOT_READ, None, ".dat", None, 1),
]


@pytest.fixture
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1, job_threads=0)
    with running_house(settings, system_clock) as house, walking(house) as walker:
        yield walker


def test_operators_see_what_could_not_be_looked_at(walker: Walker) -> None:
    walker.enter_as(Role.ADMINISTRATOR)
    walker.walk("/unreadable", "unreadable-none")
    counts = Counts(system_clock)
    for cause, decoder, suffix, size, files in FAILURES:
        answer = OnEachUnreadable().of(cause)
        for _ in range(files):
            counts.add(Verdict.UNREADABLE)
            counts.add_unreadable(Failure(cause, "", "", decoder), answer, suffix, size)
    counts.save(walker.house.service.database)
    walker.go("/unreadable")
    assert "Formats" in walker.find("thead").text
    walker.walk("/unreadable", "unreadable")
