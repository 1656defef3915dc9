"""What could not be looked at is counted, and of few of them a little is kept."""

from datetime import timedelta

import pytest

from tutela.fingerprints.model import Unreadable
from tutela.screening.counts import Counts
from tutela.screening.model import Failure, Verdict
from tutela.screening.samples import MOST_SAMPLES, Sample
from tutela.screening.unreadable import not_looked_at, totals_unreadable
from tutela.storage.database import Database
from tutela.storage.settings import OnUnreadable

ENDS_EARLY = Failure(Unreadable.ENDS_EARLY, "its data ends early", "", "GIF")
ENCRYPTED = Failure(Unreadable.ENCRYPTED, "a.txt: it is encrypted", "a.txt", "ZIP")


def count(
    counts: Counts, failure: Failure, answer: OnUnreadable, times: int = 1, suffix: str = ".gif"
) -> None:
    for _ in range(times):
        counts.add(Verdict.UNREADABLE)
        counts.add_unreadable(failure, answer, suffix, 3_000_000)


def test_it_is_counted_by_reason_format_answer_and_day(database: Database, clock) -> None:
    counts = Counts(clock)
    count(counts, ENCRYPTED, OnUnreadable.PASS)
    clock.turn(days=1)
    count(counts, ENDS_EARLY, OnUnreadable.REFUSE, 2)
    count(counts, ENCRYPTED, OnUnreadable.QUEUE)
    counts.save(database)
    count(counts, ENDS_EARLY, OnUnreadable.REFUSE)
    counts.save(database)
    with database.reading() as connection:
        found = not_looked_at(connection, 3, clock)
        today = not_looked_at(connection, 1, clock)
        totals = totals_unreadable(connection)
    assert [(each.reason, each.files) for each in found.reasons] == [
        (Unreadable.ENDS_EARLY, 3),
        (Unreadable.ENCRYPTED, 2),
    ]
    assert found.reasons[1].answers == {OnUnreadable.PASS: 1, OnUnreadable.QUEUE: 1}
    assert found.reasons[0].decoders == {"GIF": 3}
    assert [files for _, files in found.days] == [4, 1, 0]
    assert (today.files, found.files) == (4, 5)
    assert totals["ends_early", "GIF", "refuse"] == 3


def test_of_a_sample_nothing_is_kept_that_is_of_it_alone(database: Database, clock) -> None:
    counts = Counts(clock)
    count(counts, ENCRYPTED, OnUnreadable.PASS, suffix=".a name of somebody")
    counts.save(database)
    with database.reading() as connection:
        (sample,) = not_looked_at(connection, 1, clock).samples
    hour = clock().replace(minute=0, second=0, microsecond=0)
    assert sample == Sample(hour, Unreadable.ENCRYPTED, "ZIP", OnUnreadable.PASS, "", 10_240_000)


@pytest.mark.parametrize(
    ("size", "below"), [(0, 10_240), (10_239, 10_240), (10_240, 102_400), (None, None)]
)
def test_a_size_is_told_by_its_class(clock, size: int | None, below: int | None) -> None:
    assert Sample.of(clock(), ENDS_EARLY, OnUnreadable.REFUSE, ".GIF", size).below == below
    assert Sample.of(clock(), ENDS_EARLY, OnUnreadable.REFUSE, ".GIF", size).named == ".gif"


def test_only_the_latest_samples_are_kept(database: Database, clock) -> None:
    counts = Counts(clock)
    for _ in range(3):
        count(counts, ENCRYPTED, OnUnreadable.PASS, MOST_SAMPLES - 1)
        counts.save(database)
        clock.turn(seconds=timedelta(hours=1).total_seconds())
    with database.reading() as connection:
        samples = not_looked_at(connection, 1, clock).samples
    assert len(samples) == MOST_SAMPLES
    assert len({each.hour for each in samples}) == 2
