"""Every group of pages: the application takes them in from here."""

from tutela.console import annotating, case, deciding, load, look, me, media, queue, search

ROUTERS = (
    look.router,
    queue.router,
    case.router,
    media.router,
    deciding.router,
    annotating.router,
    search.router,
    me.router,
    load.router,
)
