"""The API documentation in a browser, without anything from another server."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from tutela.console import headers
from tutela.console.pages import page


def router(description: str = "/openapi.json") -> APIRouter:
    """The route of the API documentation, ``/docs``.

    The application has to be made with ``docs_url=None``: FastAPI's own page loads its script
    from another server.

    Args:
        description: Where the OpenAPI description is.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.get("/docs", response_class=HTMLResponse)
    def documentation() -> HTMLResponse:
        """Show the API's operations, and let them be tried out."""
        return page("documentation.html", headers.DOCUMENTATION, description=description)

    return routes
