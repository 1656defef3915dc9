"""How a page is made from a template, and where its style sheets and pictures come from."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from tutela.console import headers
from tutela.console.places import place_text, place_words

STATIC = "/static"

_environment = Environment(
    loader=PackageLoader("tutela.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    # Templates do not change while the service runs, so nobody looks for it each time.
    auto_reload=False,
)
# Groups of three with a narrow no-break space: the one way that every language understands.
_environment.filters["place"] = place_words
_environment.filters["place_text"] = place_text
_environment.filters["grouped"] = lambda number: f"{number:,}".replace(",", "\u202f")


def page(
    template: str, with_headers: Mapping[str, str], status: int = 200, **values: object
) -> HTMLResponse:
    """A page as an answer.

    Args:
        template: A file's name in ``templates/``.
        with_headers: One of the sets in ``headers``.
        status: The HTTP status.
        values: What the template reads. A name that it reads and that is not given is an error.
    """
    text = _environment.get_template(template).render(static=STATIC, **values)
    return HTMLResponse(text, status, headers=dict(with_headers))


def mount_static(application: FastAPI) -> None:
    """Serve the pages' style sheets, scripts and pictures under ``/static``."""
    folder = Path(str(files("tutela.console") / "static"))
    application.mount(STATIC, _Files(directory=folder), name="static")


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(headers.FILE)
        return response
