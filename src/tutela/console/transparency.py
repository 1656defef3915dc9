"""``/transparency``: what the public is shown, if the house shows it."""

from typing import Annotated

from fastapi import Header, Query
from fastapi.responses import HTMLResponse

from tutela.cases.counting import Counted, Technology
from tutela.console import headers
from tutela.console.frame import page_router
from tutela.console.house import Here
from tutela.console.language import choose, languages
from tutela.console.pages import page
from tutela.errors import NotFoundError
from tutela.statistics.forms import hours
from tutela.statistics.model import FEWEST
from tutela.statistics.publishing import published_months

# Anybody may read it.
router = page_router()


@router.get("/transparency")
def show_statistics(
    house: Here,
    lang: Annotated[str | None, Query()] = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> HTMLResponse:
    """The months that have ended, the newest first."""
    if not house.settings.statistics.public:
        raise NotFoundError("this house does not publish its statistics")
    language = choose(lang, accept_language)
    answer = page(
        "transparency.html",
        headers.PAGE,
        language=language,
        languages=languages().values(),
        say=language.texts,
        months=published_months(house.database, house.clock),
        technologies=list(Technology),
        counted=list(Counted),
        fewest=FEWEST,
        hours=hours,
        organisation=house.settings.organisation,
    )
    answer.headers["Content-Language"] = language.tag
    answer.headers["Vary"] = "Accept-Language"
    return answer
