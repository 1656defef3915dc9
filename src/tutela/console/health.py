"""``/health``: how the house is, part by part, and what to do where something is amiss."""

import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import sqlalchemy
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

import tutela
from tutela.accounts.permissions import Permission
from tutela.console.frame import page_router, show
from tutela.console.house import Here, House
from tutela.console.visiting import Visitor, visitor
from tutela.errors import TutelaError
from tutela.kernel.library import variant
from tutela.reporting.delivery.backlog import backlog
from tutela.sandbox.probing import probe
from tutela.screening.opening import limits_of
from tutela.storage.clock import system_clock
from tutela.storage.jobs.agreed_time import agreed_clock
from tutela.storage.jobs.model import State
from tutela.storage.jobs.tending import count_by_kind
from tutela.webhooks.endpoints import all_endpoints
from tutela.work import all_kinds

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.SETTINGS_READ))]

_LITTLE_SPACE = 1 << 30
_WRONG_CLOCK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the house.

    Attributes:
        name: The key of its name is ``health_`` and this; that of what to do, ``health_do_``.
        ok: Whether it is well.
        detail: A few words for operators.
    """

    name: str
    ok: bool
    detail: str


@router.get("/health")
def show_health(request: Request, house: Here, reader: Reader) -> HTMLResponse:
    """Every part, and the versions."""
    parts = [Part(each.name, each.ok, each.detail) for each in house.health().checks]
    parts += [
        _part("sandbox", _sandbox, house),
        _part("archives", _archives, house),
        _part("disk", _disk, house),
        _part("clock", _clock, house),
        _part("jobs", _jobs, house),
        _part("webhooks", _webhooks, house),
        _part("reports", _reports, house),
    ]
    return show(request, reader, "health.html", parts=parts, facts=_facts(house))


def _part(name: str, look: Callable[[House], tuple[bool, str]], house: House) -> Part:
    try:
        return Part(name, *look(house))
    except (TutelaError, OSError) as error:
        return Part(name, ok=False, detail=type(error).__name__)


def _sandbox(house: House) -> tuple[bool, str]:
    seal = probe(limits_of(house.settings))
    return seal.is_whole, seal.words


def _archives(house: House) -> tuple[bool, str]:
    library = probe(limits_of(house.settings)).libarchive
    return bool(library), library


def _disk(house: House) -> tuple[bool, str]:
    usage = shutil.disk_usage(house.settings.data)
    free = f"{usage.free / (1 << 30):,.1f} GiB of {usage.total / (1 << 30):,.1f} GiB free"
    return usage.free >= _LITTLE_SPACE, free


def _clock(house: House) -> tuple[bool, str]:
    here = system_clock()
    apart = abs(agreed_clock(house.database, system_clock)() - here)
    with_whom = "this machine's" if house.database.is_sqlite else "the database's"
    return apart < _WRONG_CLOCK, f"{apart.total_seconds():.1f} s from {with_whom}"


def _jobs(house: House) -> tuple[bool, str]:
    kinds = all_kinds(house.settings, house.database, house.clock)
    with house.database.reading() as connection:
        counts = count_by_kind(connection, kinds)
    dead = sum(count[State.DEAD] for count in counts.values())
    waiting = sum(count[State.READY] for count in counts.values())
    return dead == 0, f"{waiting:,} waiting, {dead:,} failed for good"


def _webhooks(house: House) -> tuple[bool, str]:
    with house.database.reading() as connection:
        endpoints = [each for each in all_endpoints(connection, house.clock) if each.is_on]
    failing = [each for each in endpoints if each.failing_since is not None]
    words = [f"{each.id} since {each.failing_since:%Y-%m-%d %H:%M} UTC" for each in failing]
    return not failing, f"{len(endpoints)} on, {len(failing)} failing" + "".join(
        f"; webhook {each}" for each in words
    )


def _reports(house: House) -> tuple[bool, str]:
    with house.database.reading() as connection:
        found = backlog(connection, house.clock())
    return found.is_well, found.words


def _facts(house: House) -> list[tuple[str, str]]:
    """Keys of names, and what is to be said."""
    with house.database.reading() as connection:
        server = connection.dialect.server_version_info or ()
    database = "SQLite" if house.database.is_sqlite else "PostgreSQL"
    return [
        ("fact_version", tutela.__version__),
        ("fact_python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("fact_system", f"{platform.system()} {platform.release()}"),
        ("fact_database", f"{database} {'.'.join(map(str, server))}"),
        ("fact_library", f"SQLAlchemy {sqlalchemy.__version__}"),
        ("fact_kernel", str(variant())),
        ("fact_cells", str(house.settings.cells)),
        ("fact_entries", f"{len(house.index):,}"),
        ("fact_data", str(house.settings.data.absolute())),
    ]
