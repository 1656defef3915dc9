"""Putting the server together."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tutela.testing.authority.answers import Answer
from tutela.testing.authority.calls import Counter, Rules, calls, elsewhere
from tutela.testing.authority.control import controls
from tutela.testing.authority.model import Code
from tutela.testing.authority.page import HEADERS, page
from tutela.testing.authority.registry import Registry
from tutela.testing.authority.spoiling import plain

# What this machine calls itself: a page of another site that has its own name lead here by a
# trick of the name service is not answered.
_NAMES = ("127.0.0.1", "localhost", "[::1]")


def build(registry: Registry, rules: Rules) -> FastAPI:
    """The authority as a web application.

    Args:
        registry: What it remembers.
        rules: What it lets in.
    """
    application = FastAPI(title="Sandbox authority", docs_url=None, redoc_url=None)
    application.add_middleware(TrustedHostMiddleware, allowed_hosts=list(_NAMES))
    counter = Counter(registry, rules)
    application.include_router(calls(counter))
    application.include_router(elsewhere(counter))
    application.include_router(controls(registry))

    @application.get("/", response_class=HTMLResponse)
    async def what_arrived() -> HTMLResponse:
        return HTMLResponse(page(registry), headers=HEADERS)

    @application.exception_handler(HTTPException)
    async def tell(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith("/ispws"):
            words = "There is no such call" if error.status_code == 404 else error.detail
            return plain(Answer(Code.NOT_FOUND, words), error.status_code)
        return Response(f"{error.detail}\n", error.status_code, media_type="text/plain")

    return application
