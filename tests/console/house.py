"""A small house with the pages in it, for the tests of the console."""

from collections.abc import Callable

from fastapi import FastAPI

from tutela.console import documentation, home
from tutela.console.model import Check, Health
from tutela.console.pages import mount_static

WELL = Health(
    ok=True,
    checks=(
        Check("database", True, "SQLite"),
        Check("index", True, "revision 12"),
        Check("cells", True, "2 ready"),
    ),
    version="0.1.0",
    lists=3,
    entries=1234567,
)
UNWELL = Health(
    ok=False,
    checks=(Check("database", False, "<b>not reachable</b>"), Check("weather", True)),
    version="0.1.0",
)


def house(health: Callable[[], Health] = lambda: WELL) -> FastAPI:
    application = FastAPI(title="Tutela", docs_url=None, redoc_url=None)
    application.include_router(home.router(lambda _: health()))
    application.include_router(documentation.router())
    mount_static(application)

    @application.get("/v1/weather", summary="Say what the weather is like")
    def weather() -> dict[str, str]:
        return {"weather": "fine"}

    @application.post("/v1/greeting", summary="Greet somebody")
    def greeting(name: str) -> dict[str, str]:
        return {"greeting": f"Good day, {name}"}

    return application
