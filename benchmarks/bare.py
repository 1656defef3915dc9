"""A page that does nothing: what the web framework takes by itself, to hold ours against."""

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

_PAGE = "<!doctype html><title>Nothing</title>" + "<p>Nothing at all.</p>" * 1000


def create() -> FastAPI:
    """The application."""
    application = FastAPI(docs_url=None, redoc_url=None)

    @application.get("/", response_class=HTMLResponse)
    def nothing() -> str:
        return _PAGE

    return application
