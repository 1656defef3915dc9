"""Every group of routes for programs: the application takes them in from here."""

from tutela.api import (
    cases,
    health,
    jobs,
    keys,
    ledger,
    lists,
    numbers,
    people,
    screening,
    settings,
)

ROUTERS = (
    screening.router,
    lists.router,
    cases.router,
    people.router,
    keys.router,
    jobs.router,
    ledger.router,
    numbers.router,
    settings.router,
    health.router,
)
