"""``/settings``: what is configured, what it means, and where it was set."""

from functools import partial
from itertools import groupby
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from tutela.accounts.permissions import Permission
from tutela.console.frame import page_router, show
from tutela.console.house import Here
from tutela.console.translating import translated_meaning
from tutela.console.visiting import Visitor, visitor
from tutela.storage.settings import settings_file
from tutela.storage.stated_settings import state_settings

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.SETTINGS_READ, proved=True))]


@router.get("/settings")
def show_settings(request: Request, house: Here, reader: Reader) -> HTMLResponse:
    """Every setting. They are changed in the file, never here."""
    stated = state_settings(house.settings)
    return show(
        request,
        reader,
        "settings.html",
        sections=[
            (section, list(settings))
            for section, settings in groupby(stated, key=lambda each: each.section)
        ],
        file=settings_file(),
        meaning=partial(translated_meaning, language=reader.language),
    )
