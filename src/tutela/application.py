"""Putting the faces together: the web application that ``tutela serve`` runs."""

import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from fastapi import FastAPI

import tutela
from tutela.api import cases, health, lists, screening
from tutela.api.log import log_unforeseen, silence_error_texts
from tutela.api.metrics import measure_requests
from tutela.api.problems import add_error_answers
from tutela.api.readiness import check_readiness
from tutela.api.service import Service
from tutela.console import documentation, home
from tutela.console.model import Check, Health
from tutela.console.pages import mount_static
from tutela.errors import StorageError
from tutela.screening.counts import Counts
from tutela.screening.opening import open_screening
from tutela.storage.clock import Clock, system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings

_SAVE_EVERY_SECONDS = 1.0


def create() -> FastAPI:
    """The application over the configured house, for a server process to run."""
    _end_with_parent()
    return build(load_settings(), system_clock)


def build(settings: Settings, clock: Clock) -> FastAPI:
    """The application over a house with these settings.

    The house is opened when the server starts the application and closed when it stops it.
    """
    silence_error_texts()

    @asynccontextmanager
    async def open_house(application: FastAPI) -> AsyncIterator[None]:
        database = Database.open(settings)
        try:
            upgrade(database, settings.data, tell=lambda _: None)
            with (
                open_screening(settings, database, clock) as room,
                _saving(room.counts, database),
            ):
                room.screener.refresh()
                application.state.service = Service.over(settings, database, room, clock)
                yield
        finally:
            database.close()

    application = FastAPI(
        title="Tutela",
        version=tutela.__version__,
        summary="Detect known abuse material the moment it is uploaded.",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=open_house,
        docs_url=None,
        redoc_url=None,
    )
    add_error_answers(application)
    measure_requests(application)
    for face in (screening, lists, cases, health):
        application.include_router(face.router)
    application.include_router(home.router(lambda: _health(application.state.service)))
    application.include_router(documentation.router())
    mount_static(application)
    return application


def _health(service: Service) -> Health:
    checks = tuple(Check(check.name, check.ok, check.detail) for check in check_readiness(service))
    return Health(
        ok=all(check.ok for check in checks),
        checks=checks,
        version=tutela.__version__,
        lists=service.screening.screener.live_lists,
        entries=len(service.screening.index),
    )


def _end_with_parent() -> None:
    """End this process if it is one of several and the one that started them is killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


@contextmanager
def _saving(counts: Counts, database: Database) -> Iterator[None]:
    """Save the counts every second in the background."""
    ended = threading.Event()

    def save() -> None:
        while not ended.wait(_SAVE_EVERY_SECONDS):
            try:
                counts.save(database)
            except StorageError:
                # The counts are kept, and saved with the next ones once the database is back.
                continue
            except Exception as error:  # one failure must not end the saving
                log_unforeseen(error, "counts")

    thread = threading.Thread(target=save, name="counts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


_DESCRIPTION = """
Send a file or its fingerprints to `/v1/screen`, and act on the verdict.

Every call carries an API key: `Authorization: Bearer KEY`. Make one with
`tutela key add NAME --scope screen`. Errors are problem documents (RFC 9457) whose `detail` says
what to do.
"""
