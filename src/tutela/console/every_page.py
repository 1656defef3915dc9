"""Every group of pages: the application takes them in from here."""

from tutela.console import look, queue

ROUTERS = (look.router, queue.router)
