"""What becomes of a failed job is decided by its kind, its attempt and its error alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.storage.jobs.working import kind_called
from tutela.errors import StorageError
from tutela.storage.jobs.model import Later, Never
from tutela.storage.jobs.retrying import Again, Dead, decide, seconds_to_wait, words_for

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
CHANCES = st.floats(0, 1, exclude_max=True)


def test_the_wait_doubles_up_to_its_longest() -> None:
    kind = kind_called("mail", first_wait=10, longest_wait=100)
    waits = [seconds_to_wait(kind, attempt, 0.5) for attempt in (1, 2, 3, 4, 5, 6, 100_000)]
    assert waits == [5, 10, 20, 40, 50, 50, 50]


@given(st.integers(1, 10**9), CHANCES, st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_wait_is_anything_from_none_to_the_longest(
    attempt: int, chance: float, first: float, longest: float
) -> None:
    kind = kind_called("mail", first_wait=first, longest_wait=longest)
    assert 0 <= seconds_to_wait(kind, attempt, chance) <= longest


@given(st.integers(1, 50), st.integers(1, 50), CHANCES)
def test_a_job_is_dead_after_its_last_attempt_and_not_before(
    attempts: int, attempt: int, chance: float
) -> None:
    decision = decide(ValueError(), kind_called("mail", attempts=attempts), attempt, NOW, chance)
    if attempt >= attempts:
        assert decision == Dead()
    else:
        assert isinstance(decision, Again)
        assert NOW <= decision.at <= NOW + timedelta(hours=1)


@given(st.integers(1, 10**9), CHANCES)
def test_a_kind_without_a_last_attempt_is_tried_for_ever(attempt: int, chance: float) -> None:
    kind = kind_called("mail", attempts=None, longest_wait=3600)
    assert isinstance(decide(ValueError(), kind, attempt, NOW, chance), Again)


def test_a_handler_chooses_when_it_is_tried_again_or_that_it_is_not() -> None:
    kind = kind_called("mail", attempts=3)
    monday = NOW + timedelta(days=4)
    assert decide(Later(monday, "closed"), kind, 3, NOW, 0.5) == Again(monday, counted=False)
    assert decide(Never("no such case"), kind, 1, NOW, 0.5) == Dead()


def test_only_words_that_were_chosen_are_kept_of_an_error() -> None:
    assert words_for(ValueError("her name and address")) == "ValueError"
    assert words_for(StorageError("the disk is full")) == "StorageError: the disk is full"
    assert words_for(Never("no such case")) == "no such case"
    assert words_for(Later(NOW, "closed on Sundays")) == "closed on Sundays"
