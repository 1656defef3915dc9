"""Putting the faces together: the web application that ``tutela serve`` runs."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from functools import partial

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

import tutela
from tutela.accounts.known_keys import KnownKeys
from tutela.api import every_route
from tutela.api.case_opening import sent_by_form
from tutela.api.fingerprint_lane import FingerprintLane
from tutela.api.log import log, log_unforeseen, silence_error_texts
from tutela.api.metrics import Measured
from tutela.api.problems import add_error_answers
from tutela.api.readiness import check_readiness
from tutela.api.service import Service
from tutela.console import documentation, every_page, home
from tutela.console.failing import in_pages
from tutela.console.house import House
from tutela.console.model import Check, Health
from tutela.console.pages import mount_static
from tutela.errors import StorageError, TutelaError
from tutela.evidence.key_registry import prepare_keys
from tutela.ledger.checkpointing import Checkpoints
from tutela.sandbox.rendering_pool import RenderingPool
from tutela.screening.fetching import Fetcher
from tutela.screening.opening import ScreeningRoom, keeping_of, limits_of, open_screening
from tutela.storage.clock import Clock, system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.agreed_time import agreed_clock
from tutela.storage.jobs.model import Never
from tutela.storage.jobs.retrying import words_for
from tutela.storage.jobs.worker import Worker
from tutela.storage.migration import upgrade
from tutela.storage.repeating import Repeating
from tutela.storage.settings import Settings, load_settings
from tutela.streams.keeping import Keeper
from tutela.streams.model import Standing, State, StreamId
from tutela.work import make_worker

# A change of a list or a key is to be known everywhere within a second, the time to take it up
# included.
_FOLLOW_SECONDS = 0.2
_SAVE_SECONDS = 1.0
_MERGE_SECONDS = 1.0
_CHECKPOINT_SECONDS = 2.0
# For so long a thread in the background may hold up the answers before it gives way. With Python's
# own five milliseconds the slowest answers took twice as long while a list was being taken up.
_SWITCH_SECONDS = 0.0005
_MOST_SHOWN_AT_ONCE = 4


def create() -> FastAPI:
    """The application over the configured house, for a server process to run."""
    _end_with_parent()
    sys.setswitchinterval(_SWITCH_SECONDS)
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
            keys = KnownKeys(database)
            keys.refresh()
            with open_screening(settings, database, clock, whole=False) as room:
                room.screener.begin()
                _prepare_vault(room, database)
                if not room.index.is_whole:
                    log.error("the index is damaged: answering by what is sound of it, meanwhile")
                checkpoints = Checkpoints(database, settings, clock)
                with (
                    _checkpointing(checkpoints) as checkpointing,
                    Repeating(
                        "lists", room.screener.refresh, _FOLLOW_SECONDS, _tell
                    ) as following_lists,
                    Repeating("keys", keys.refresh, _FOLLOW_SECONDS, _tell) as following_keys,
                    Repeating("counts", partial(room.counts.save, database), _SAVE_SECONDS, _tell),
                    Repeating(
                        "merging",
                        partial(room.index.compact, settings.merge_memory_mib << 20),
                        _MERGE_SECONDS,
                        _tell,
                    ),
                    _working(settings, database, clock) as worker,
                    _watching(settings, database, room, clock, worker),
                    RenderingPool(
                        min(settings.cells, _MOST_SHOWN_AT_ONCE),
                        limits_of(settings),
                        keeping_of(settings),
                    ) as showing,
                    Fetcher(settings.links) as fetcher,
                ):
                    application.state.service = Service.over(
                        settings,
                        database,
                        room,
                        clock,
                        keys=keys,
                        following_lists=following_lists,
                        following_keys=following_keys,
                        checkpoints=checkpoints,
                        checkpointing=checkpointing,
                        fetcher=fetcher,
                    )
                    application.state.house = House(
                        settings,
                        database,
                        clock,
                        room.vault,
                        room.cells,
                        showing,
                        room.index,
                        checkpoints,
                        lambda: _health(application.state.service),
                        partial(sent_by_form, application.state.service),
                    )
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
        # Never on by way of an environment variable: it would write down what errors say.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    add_error_answers(application)
    for error in (TutelaError, RequestValidationError, HTTPException, Exception):
        application.add_exception_handler(error, in_pages(application.exception_handlers[error]))
    application.add_middleware(FingerprintLane)
    application.add_middleware(Measured)
    for router in every_route.ROUTERS:
        application.include_router(router)
    application.include_router(
        home.router(lambda served: _health(served.state.service), public=settings.statistics.public)
    )
    application.include_router(documentation.router())
    for router in every_page.ROUTERS:
        application.include_router(router)
    mount_static(application)
    return application


def _prepare_vault(room: ScreeningRoom, database: Database) -> None:
    try:
        prepare_keys(room.vault.keyring, database, tell=log.warning)
    except StorageError as error:
        # What is clear can be answered all the same, and readiness tells of the rest.
        log.error("the vault cannot be used", reason=error.message)


@contextmanager
def _checkpointing(checkpoints: Checkpoints) -> Iterator[Repeating]:
    """Sign the ledger's state from time to time, and at the end what was entered last."""
    with Repeating("checkpoints", checkpoints.keep_up, _CHECKPOINT_SECONDS, _tell) as keeping_up:
        # At once, so that a database that was rolled back is known from the start.
        keeping_up.hurry(0)
        yield keeping_up
    if not checkpoints.worked:
        # It has been told of, and one that hangs would hold up the end.
        return
    try:
        checkpoints.make()
    except StorageError as error:
        log.error("the last entries are not signed", reason=error.message)


def _working(
    settings: Settings, database: Database, clock: Clock
) -> AbstractContextManager[Worker | None]:
    if settings.job_threads == 0:
        return nullcontext()
    return make_worker(settings, database, clock, _tell_of_work)


def _watching(
    settings: Settings,
    database: Database,
    room: ScreeningRoom,
    clock: Clock,
    worker: Worker | None,
) -> AbstractContextManager[object]:
    """Watch live streams, where there may be any."""
    if not settings.streams.sources or settings.streams.at_once == 0:
        return nullcontext()
    return Keeper(
        settings,
        database,
        room.screener,
        agreed_clock(database, clock),
        tell=_tell_of_stream,
        failed=_tell,
        hurry=worker.hurry if worker is not None else lambda: None,
    )


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


def _tell(what: str, failure: Exception) -> None:
    if isinstance(failure, StorageError):
        log.error("storage failed", check=what, reason=failure.message)
    else:
        log_unforeseen(failure, what)


def _tell_of_stream(stream: StreamId, standing: Standing) -> None:
    told = log.warning if standing.state in (State.LAGGING, State.LOST) else log.info
    told(
        f"a stream is {standing.state}",
        stream=stream,
        reason=standing.reason,
        detail=standing.detail,
        frames=standing.frames,
        dropped=standing.dropped,
        skipped=round(standing.skipped, 3),
    )


def _tell_of_work(what: str, failure: Exception) -> None:
    if isinstance(failure, TutelaError | Never) and not isinstance(failure, StorageError):
        log.error("a job failed", check=what, reason=words_for(failure))
    else:
        _tell(what, failure)


_DESCRIPTION = """
Send a file or its fingerprints to `/v1/screen`, and act on the verdict.

Every call carries an API key: `Authorization: Bearer KEY`. Make one with
`tutela key add NAME --scope screen`. Errors are problem documents (RFC 9457) whose `detail` says
what to do.
"""
