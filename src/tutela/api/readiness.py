"""Whether everything that a request needs is there."""

import os
from dataclasses import dataclass

from tutela.api.service import Service
from tutela.errors import TutelaError
from tutela.hashlists.entries import current_revision


@dataclass(frozen=True, slots=True)
class Readiness:
    """One thing that must work.

    Attributes:
        name: What it is.
        ok: Whether it works.
        detail: A few words for people: how it is, or what is wrong and what to do.
    """

    name: str
    ok: bool
    detail: str


def check_readiness(service: Service) -> tuple[Readiness, ...]:
    """Ask the database, the index and the cells, one after the other."""
    return (_database(service), _index(service), _cells(service))


def _database(service: Service) -> Readiness:
    kind = "SQLite" if service.database.is_sqlite else "PostgreSQL"
    try:
        with service.database.reading() as connection:
            current_revision(connection)
    except TutelaError as error:
        return Readiness("database", ok=False, detail=error.message)
    return Readiness("database", ok=True, detail=f"{kind} answers")


def _index(service: Service) -> Readiness:
    try:
        lists = len(service.screening.screener.refresh())
    except TutelaError as error:
        return Readiness("index", ok=False, detail=error.message)
    entries = len(service.screening.index)
    return Readiness("index", ok=True, detail=f"{entries:,} entries of {lists} lists are live")


def _cells(service: Service) -> Readiness:
    nothing = os.memfd_create("nothing")
    try:
        service.screening.cells.fingerprint(nothing)
    except TutelaError as error:
        return Readiness("cells", ok=False, detail=error.message)
    finally:
        os.close(nothing)
    return Readiness("cells", ok=True, detail=f"{service.settings.cells} decoding cells")
