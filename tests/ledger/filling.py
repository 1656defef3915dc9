"""Ledgers to be verified, for tests."""

from collections.abc import Callable

from tests.actors import actor_called
from tutela.ledger.appending import append
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.model import Act
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings

ACTOR = actor_called("cli:test")


def fill(database: Database, clock: Clock, count: int, *, first: int = 0) -> None:
    """Append entries of many kinds: with and without case, item, thing and words."""
    with database.writing() as connection:
        for number in range(first, first + count):
            append(
                connection,
                ACTOR,
                list(Act)[number % 3],
                clock,
                case=f"CASE-{number:04}-ABCD" if number % 2 else None,
                item=f"item{number:022}" if number % 5 == 0 else None,
                thing=f"list:{number}" if number % 3 else None,
                reason=f"because of {number}" if number % 4 == 0 else "",
            )


def checkpointed(
    database: Database, settings: Settings, clock: Clock, sizes: list[int]
) -> Checkpoints:
    """Fill an empty ledger, with a checkpoint at each of these sizes."""
    checkpoints = Checkpoints(database, settings, clock)
    before = 0
    for size in sizes:
        fill(database, clock, size - before, first=before)
        checkpoints.make()
        before = size
    return checkpoints


Change = Callable[[Database], None]
