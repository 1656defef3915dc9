"""Every group of routes for programs: the application takes them in from here."""

from tutela.api import (
    appeals,
    case_opening,
    case_work,
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
    statistics,
    webhooks,
    wellbeing,
)

ROUTERS = (
    screening.router,
    lists.router,
    cases.router,
    case_work.router,
    case_opening.router,
    people.router,
    keys.router,
    jobs.router,
    ledger.router,
    numbers.router,
    settings.router,
    wellbeing.router,
    webhooks.router,
    appeals.router,
    statistics.router,
    health.router,
)
