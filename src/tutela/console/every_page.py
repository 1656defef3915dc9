"""Every group of pages: the application takes them in from here."""

from tutela.console import (
    annotating,
    case,
    deciding,
    load,
    look,
    me,
    media,
    my_sign_in,
    proving,
    queue,
    search,
    setting_up,
    signing_in,
    signing_in_elsewhere,
    welcoming,
)

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
    signing_in.router,
    signing_in_elsewhere.router,
    setting_up.router,
    proving.router,
    welcoming.router,
    my_sign_in.router,
)
