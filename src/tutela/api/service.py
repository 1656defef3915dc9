"""What the routes work with: the open house, and how much of it is in use."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tutela.accounts.keys import require
from tutela.accounts.known_keys import KnownKeys
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.capacity import Capacity, Memory, Turns
from tutela.api.shared_check import SharedCheck
from tutela.errors import NotSignedInError
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.model import Actor
from tutela.screening.fetching import Fetcher
from tutela.screening.model import Known
from tutela.screening.opening import ScreeningRoom
from tutela.screening.screening import Findings
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.repeating import Repeating
from tutela.storage.settings import Settings

_Result = TypeVar("_Result")


# A key that is not known in memory is looked for in the database: a new one for a moment, a wrong
# one each time. So many may be looked for at once.
_UNKNOWN_KEYS = 16
# A match waits for the database's writer, the vault's key and its store, and needs no core
# meanwhile. Fewer than the database has connections: the rest of the house needs some as well.
_MATCHES_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Service:
    """The open house, as the routes see it.

    Attributes:
        settings: The configuration.
        database: The database.
        screening: The index, the cells and the screener.
        clock: The time.
        keys: The API keys in use.
        following_lists: Takes up changes of the lists in the background.
        following_keys: Takes up new and revoked keys in the background.
        checkpoints: The ledger's.
        checkpointing: Signs the ledger's state in the background.
        vault_check: Whether the vault works.
        capacity: The places for screenings of files.
        fingerprint_capacity: The places for screenings of fingerprints, which wait for no cell.
        fingerprint_turns: The queue of those that wait for the event loop.
        unknown_keys: The places for checks of keys that are not known here.
        fetches: The places for what is fetched from an address.
        fetcher: Fetches it.
        matches: The places for what is opening a case, or waits for that.
        cell_threads: Threads that wait for cells.
        case_threads: Threads that open cases.
        threads: Threads for what is long or asks the database.
    """

    settings: Settings
    database: Database
    screening: ScreeningRoom
    clock: Clock
    keys: KnownKeys
    following_lists: Repeating
    following_keys: Repeating
    checkpoints: Checkpoints
    checkpointing: Repeating
    vault_check: SharedCheck
    capacity: Capacity
    fingerprint_capacity: Capacity
    fingerprint_turns: Turns
    unknown_keys: Capacity
    fetches: Capacity
    fetcher: Fetcher
    matches: Capacity
    cell_threads: CapacityLimiter
    case_threads: CapacityLimiter
    threads: CapacityLimiter

    @classmethod
    def over(
        cls,
        settings: Settings,
        database: Database,
        screening: ScreeningRoom,
        clock: Clock,
        *,
        keys: KnownKeys,
        following_lists: Repeating,
        following_keys: Repeating,
        checkpoints: Checkpoints,
        checkpointing: Repeating,
        fetcher: Fetcher,
    ) -> "Service":
        """A service over the open parts of the house."""
        memory = Memory(settings.max_held_mib << 20)
        cores = len(os.sched_getaffinity(0))
        return cls(
            settings,
            database,
            screening,
            clock,
            keys,
            following_lists,
            following_keys,
            checkpoints,
            checkpointing,
            SharedCheck(screening.vault.check),
            capacity=Capacity(settings.max_waiting, memory),
            fingerprint_capacity=Capacity(settings.max_waiting, memory),
            fingerprint_turns=Turns(settings.max_waiting),
            unknown_keys=Capacity(_UNKNOWN_KEYS, memory, "checks of unknown API keys"),
            fetches=Capacity(settings.links.at_once, memory, "fetches"),
            fetcher=fetcher,
            # However long they wait, half of the places and of the memory are left to what is
            # clear.
            matches=Capacity(
                max(1, settings.max_waiting // 2), Memory(memory.limit // 2), "matches"
            ),
            cell_threads=CapacityLimiter(settings.cells + cores),
            case_threads=CapacityLimiter(_MATCHES_AT_ONCE),
            threads=CapacityLimiter(2 * cores),
        )

    async def open_up(self, task: Callable[[], _Result]) -> _Result:
        """Do in a thread what waits for a cell, so that the service goes on answering meanwhile."""
        return await to_thread.run_sync(task, limiter=self.cell_threads)

    async def work(self, task: Callable[[], _Result]) -> _Result:
        """Do in a thread what is long or asks the database; no cell is waited for there."""
        return await to_thread.run_sync(task, limiter=self.threads)

    async def look_up(self, files: Sequence[Known]) -> Findings:
        """Find what the lists have of these files, in a thread if that takes long."""
        screener = self.screening.screener
        if screener.is_quick(files):
            return screener.look_up(files)
        return await self.work(partial(screener.look_up, files))

    async def judge(self, task: Callable[[], _Result], held: int = 0) -> _Result:
        """Judge in a thread what has been found, and open the cases for it.

        Args:
            task: Does it.
            held: How many bytes of the request are held meanwhile.

        Raises:
            OverCapacityError: Too many wait for it, or hold too much.
        """
        with self.matches.place() as place:
            # One that holds more than all may have is not turned away for ever, but has it alone.
            place.hold(min(held, self.matches.memory.limit))
            return await to_thread.run_sync(task, limiter=self.case_threads)

    async def check_key(self, key: str) -> ApiKey:
        """The key that a caller sent.

        Raises:
            NotSignedInError: It is unknown or revoked.
            OverCapacityError: It is not known here, and too many such keys are being checked.
        """
        known = self.keys.find(key)
        if known is not None:
            return known
        with self.unknown_keys.place():
            return await to_thread.run_sync(self.keys.check, key)


async def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service


Here = Annotated[Service, Depends(service_of)]
"""A route's parameter that receives the service."""

bearer = HTTPBearer(
    auto_error=False,
    description='An API key, made with "tutela key add NAME --scope SCOPE".',
)


async def key_of(
    service: Here,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> ApiKey:
    """The API key that a request came with.

    Raises:
        NotSignedInError: There is none, or it is unknown or revoked.
        OverCapacityError: Too many unknown keys are being checked.
    """
    if credentials is None:
        raise no_key()
    return await service.check_key(credentials.credentials)


def no_key() -> NotSignedInError:
    """What a caller without a key is told."""
    return NotSignedInError(
        'this needs an API key: send the header "Authorization: Bearer KEY", '
        'with a key from "tutela key add"'
    )


class Permitted:
    """A route's dependency: the request's API key, if it has the scope."""

    def __init__(self, scope: Permission) -> None:
        self.scope = scope

    async def __call__(self, key: Annotated[ApiKey, Security(key_of)]) -> ApiKey:
        """Let the key through, or raise ``NotPermittedError``."""
        require(key, self.scope)
        return key


def actor_of(key: ApiKey) -> Actor:
    """Who acts when this key is used."""
    return Actor(f"key:{key.name}", f"key:{key.id}", "program", "api")
