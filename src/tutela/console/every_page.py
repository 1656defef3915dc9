"""Every group of pages: the application takes them in from here."""

from tutela.console import annotating, case, deciding, look, queue, search

ROUTERS = (
    look.router,
    queue.router,
    case.router,
    deciding.router,
    annotating.router,
    search.router,
)
