"""What the routes work with: the open house, and how much of it is in use."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tutela.accounts.keys import check_key, require
from tutela.accounts.model import Actor, ApiKey, Scope
from tutela.errors import NotSignedInError, OverCapacityError
from tutela.screening.opening import ScreeningRoom
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings

_Result = TypeVar("_Result")


class Capacity:
    """How many screenings may be under way or waiting at once in this process, and their bytes.

    Args:
        places: How many screenings.
        held: How many bytes of uploads, all together.
    """

    def __init__(self, places: int, held: int) -> None:
        self._places = places
        self._bytes = held
        self._taken = 0
        self._held = 0
        self._lock = threading.Lock()

    @property
    def in_use(self) -> bool:
        """Whether any screening is under way."""
        return self._taken > 0

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """Hold a place for one screening.

        Raises:
            OverCapacityError: All places are taken.
        """
        with self._lock:
            if self._taken >= self._places:
                raise OverCapacityError(
                    f"{self._places} screenings are under way here already: try again in a second"
                )
            self._taken += 1
        place = Place(self)
        try:
            yield place
        finally:
            with self._lock:
                self._taken -= 1
                self._held -= place.held

    def hold(self, count: int) -> None:
        """Count bytes in; the place that they belong to counts them out.

        Raises:
            OverCapacityError: There would be too many.
        """
        with self._lock:
            if self._held + count > self._bytes:
                raise OverCapacityError(
                    f"{self._bytes >> 20} MiB of uploads are held here already: "
                    "try again in a second"
                )
            self._held += count


class Place:
    """One screening's place.

    Attributes:
        held: Bytes that it holds.
    """

    def __init__(self, capacity: Capacity) -> None:
        self.held = 0
        self._capacity = capacity

    def hold(self, count: int) -> None:
        """Hold more bytes, until the place is given back.

        Raises:
            OverCapacityError: All places together would hold too many.
        """
        self._capacity.hold(count)
        self.held += count


@dataclass(frozen=True, slots=True)
class Service:
    """The open house, as the routes see it.

    Attributes:
        settings: The configuration.
        database: The database.
        screening: The index, the cells and the screener.
        clock: The time.
        capacity: The places for screenings.
        threads: How many screenings are worked on at once.
    """

    settings: Settings
    database: Database
    screening: ScreeningRoom
    clock: Clock
    capacity: Capacity
    threads: CapacityLimiter

    @classmethod
    def over(
        cls, settings: Settings, database: Database, screening: ScreeningRoom, clock: Clock
    ) -> "Service":
        """A service over the open parts of the house."""
        return cls(
            settings,
            database,
            screening,
            clock,
            Capacity(settings.max_waiting, settings.max_held_mib << 20),
            CapacityLimiter(settings.cells + len(os.sched_getaffinity(0))),
        )

    async def work(self, task: Callable[[], _Result]) -> _Result:
        """Do screening work in a thread, so that the service goes on answering meanwhile."""
        return await to_thread.run_sync(task, limiter=self.threads)


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service


Here = Annotated[Service, Depends(service_of)]
"""A route's parameter that receives the service."""

bearer = HTTPBearer(
    auto_error=False,
    description='An API key, made with "tutela key add NAME --scope SCOPE".',
)


def key_of(
    service: Here,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> ApiKey:
    """The API key that a request came with.

    Raises:
        NotSignedInError: There is none, or it is unknown or revoked.
    """
    if credentials is None:
        raise NotSignedInError(
            'this needs an API key: send the header "Authorization: Bearer KEY", '
            'with a key from "tutela key add"'
        )
    with service.database.reading() as connection:
        return check_key(connection, credentials.credentials)


class Permitted:
    """A route's dependency: the request's API key, if it has the scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, key: Annotated[ApiKey, Security(key_of)]) -> ApiKey:
        """Let the key through, or raise ``NotPermittedError``."""
        require(key, self.scope)
        return key


def actor_of(key: ApiKey) -> Actor:
    """Who acts when this key is used."""
    return Actor(f"key:{key.name}")
