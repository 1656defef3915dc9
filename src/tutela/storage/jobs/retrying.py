"""Deciding what becomes of a job that failed. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tutela.errors import TutelaError
from tutela.storage.jobs.model import Kind, Later, Never


@dataclass(frozen=True, slots=True)
class Again:
    """It is tried again.

    Attributes:
        at: From when on.
        counted: Whether the attempt counts.
    """

    at: datetime
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Dead:
    """It is kept for a person to look at."""


def decide(
    error: BaseException, kind: Kind, attempt: int, now: datetime, chance: float
) -> Again | Dead:
    """What becomes of a job after this failure.

    Args:
        error: What its handler raised.
        kind: Its kind.
        attempt: Which attempt failed, from 1.
        now: The time.
        chance: A random number, at least 0 and less than 1.
    """
    match error:
        case Later():
            return Again(error.at, counted=False)
        case Never():
            return Dead()
    if kind.attempts is not None and attempt >= kind.attempts:
        return Dead()
    return Again(now + timedelta(seconds=seconds_to_wait(kind, attempt, chance)))


def seconds_to_wait(kind: Kind, attempt: int, chance: float) -> float:
    """How long to wait after a failed attempt: exponential back-off, capped, with full jitter.

    Full jitter, any time from none to the most, spreads those that failed together the widest:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    # A thousandth attempt is real where there is no last one; 2.0 ** 1024 is not.
    most: float = kind.first_wait * 2.0 ** min(attempt - 1, 64)
    return min(most, kind.longest_wait) * chance


def words_for(error: BaseException) -> str:
    """What is kept of an error.

    The words of errors that nobody foresaw may quote personal data, so only their kind is kept.
    """
    match error:
        case Later() | Never():
            return error.reason
        case TutelaError():
            return f"{type(error).__name__}: {error.message}"
    return type(error).__name__
