"""What the pages work with: the open house."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from tutela.cases.by_hand import SentForm
from tutela.console.model import Health
from tutela.evidence.vault import Vault
from tutela.ledger.checkpointing import Checkpoints
from tutela.matching.index import Index
from tutela.sandbox.pool import CellPool
from tutela.sandbox.rendering_pool import RenderingPool
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """The open house, as the pages see it.

    Attributes:
        settings: The configuration.
        database: The database.
        clock: The time.
        vault: Where evidence is sealed.
        cells: Where files are opened up.
        showing: Where files are made fit to be looked at.
        index: The live list entries.
        checkpoints: The ledger's.
        health: Looks at how the house is.
        receive: Takes in what a form sends with files, under the limits of the API.
    """

    settings: Settings
    database: Database
    clock: Clock
    vault: Vault
    cells: CellPool
    showing: RenderingPool
    index: Index
    checkpoints: Checkpoints
    health: Callable[[], Health]
    receive: Callable[[Request], AbstractAsyncContextManager[SentForm]]


async def house_of(request: Request) -> House:
    """The house behind a request."""
    house: House = request.app.state.house
    return house


Here = Annotated[House, Depends(house_of)]
"""A route's parameter that receives the house."""

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""A route's parameter that is a row's number: never more than a database can hold."""
