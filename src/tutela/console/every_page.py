"""Every group of pages: the application takes them in from here."""

from tutela.console import case, deciding, look, queue, search

ROUTERS = (look.router, queue.router, case.router, deciding.router, search.router)
