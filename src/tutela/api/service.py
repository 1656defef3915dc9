"""What the routes work with: the open house, and how much of it is in use."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Capacity:
    """How many screenings may be under way or waiting at once in this process.

    Attributes:
        limit: How many may be.
        taken: How many are.
    """

    limit: int
    taken: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for one screening.

        Raises:
            OverCapacityError: All places are taken.
        """
        with self._lock:
            if self.taken >= self.limit:
                raise OverCapacityError(
                    f"{self.limit} screenings are under way here already: try again in a second"
                )
            self.taken += 1
        try:
            yield
        finally:
            with self._lock:
                self.taken -= 1


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
            Capacity(settings.max_waiting),
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
