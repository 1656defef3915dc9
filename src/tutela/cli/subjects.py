"""How commands name what they are about: a piece of evidence, or a case for all that it has."""

from datetime import UTC, date, datetime, time
from typing import Annotated

import typer

from tutela.errors import InvalidInputError

SubjectName = Annotated[
    str,
    typer.Argument(
        metavar="ITEM|CASE", help="The evidence's id, or a case's number for all its evidence."
    ),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why. The ledger keeps it.")]


def read_moment(text: str | None, now: datetime) -> datetime:
    """A day, or a moment, as people write it; in UTC unless it says otherwise.

    Raises:
        InvalidInputError: It is neither.
    """
    if text is None:
        return now
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInputError(
            f'"{text}" is not a date: write 2026-11-25, or 2026-11-25T14:30+01:00'
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_day(text: str | None) -> date | None:
    """A day as people write it.

    Raises:
        InvalidInputError: It is none.
    """
    if text is None:
        return None
    moment = read_moment(text, datetime.now(UTC))
    if moment.timetz() != time(tzinfo=UTC):
        raise InvalidInputError(f'"{text}" is not a day: write it as 2026-11-25')
    return moment.date()
