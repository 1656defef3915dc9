"""A few of the files that could not be looked at, so that an operator sees what they are like.

Nothing is kept of one that would tell it from thousands of others: no name, no hash, no sender, no
exact size or moment.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Connection, delete, insert, select

from tutela.fingerprints.model import Unreadable
from tutela.sandbox.formats import PICTURE_SUFFIXES
from tutela.screening.model import Failure
from tutela.screening.tables import unreadable_samples
from tutela.storage.settings import OnUnreadable

MOST_SAMPLES = 50
"""So many are kept; each new one drives the oldest out."""

_SUFFIXES = PICTURE_SUFFIXES | {
    *(".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".flv", ".wmv", ".mpg", ".mpeg", ".ts"),
    *(".3gp", ".ogv", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"),
    *(".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".pdf", ".svg", ".html"),
    *(".doc", ".xls", ".ppt", ".msg", ".rtf", ".eml", ".mht", ".emf", ".wmf", ".cab", ".iso"),
}
_SMALLEST_CLASS = 10 << 10


@dataclass(frozen=True, slots=True)
class Sample:
    """A file that could not be looked at, in a few words.

    Attributes:
        hour: When, to the hour.
        reason: Why.
        decoder: The format that could not be looked at; ``""`` if it is not known.
        answer: What became of it.
        named: What its name ended in, if that is usual; else ``""``.
        below: It had fewer bytes than this, which is 10 KiB, or ten times as much, and so on;
            ``None`` if that is not known.
    """

    hour: datetime
    reason: Unreadable
    decoder: str
    answer: OnUnreadable
    named: str
    below: int | None

    @classmethod
    def of(
        cls,
        moment: datetime,
        failure: Failure,
        answer: OnUnreadable,
        suffix: str,
        size: int | None,
    ) -> Self:
        """What is kept of a file."""
        suffix = suffix.lower()
        below = None if size is None else _SMALLEST_CLASS
        while below is not None and size is not None and below <= size:
            below *= 10
        return cls(
            moment.replace(minute=0, second=0, microsecond=0),
            failure.cause,
            failure.decoder or "",
            answer,
            suffix if suffix in _SUFFIXES else "",
            below,
        )


class Samples(deque[Sample]):
    """The latest samples that are not saved yet."""

    def __init__(self) -> None:
        super().__init__(maxlen=MOST_SAMPLES)


def add_samples(connection: Connection, samples: Iterable[Sample]) -> None:
    """Keep these, and erase those that are too many."""
    connection.execute(insert(unreadable_samples), [asdict(each) for each in samples])
    latest = select(unreadable_samples.c.id).order_by(unreadable_samples.c.id.desc())
    oldest = connection.execute(latest.offset(MOST_SAMPLES - 1).limit(1)).scalar_one_or_none()
    if oldest is not None:
        connection.execute(delete(unreadable_samples).where(unreadable_samples.c.id < oldest))


def latest_samples(connection: Connection) -> list[Sample]:
    """Those that are kept, the latest first."""
    rows = connection.execute(
        select(unreadable_samples).order_by(unreadable_samples.c.id.desc()).limit(MOST_SAMPLES)
    )
    return [
        Sample(
            row.hour,
            Unreadable(row.reason),
            row.decoder,
            OnUnreadable(row.answer),
            row.named,
            row.below,
        )
        for row in rows
    ]
