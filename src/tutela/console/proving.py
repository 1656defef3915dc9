"""``/prove``: show that it is still you, before evidence is seen or settings change."""

from http import HTTPStatus

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from tutela.accounts.identities import is_bound
from tutela.accounts.passwords import kept_password
from tutela.accounts.second_factors import second_factors_of
from tutela.accounts.signing_in import prove_again
from tutela.console.cookies import give_session
from tutela.console.doorstep import whence
from tutela.console.frame import page_router, show
from tutela.console.house import Here, House
from tutela.console.origin import own_path
from tutela.console.proofs import by_code, by_passkey, by_password
from tutela.console.signing_in import Answer, Text, status_of, what_was_wrong
from tutela.console.visiting import Anyone, Visitor
from tutela.errors import LockedOutError, NotProvedError

router = page_router()


@router.get("/prove")
def show_prove(request: Request, house: Here, person: Anyone) -> HTMLResponse:
    """Ask for a passkey or a code; for the password of those who have neither."""
    return _page(request, house, person)


@router.post("/prove")
def prove(
    request: Request,
    house: Here,
    person: Anyone,
    code: Text = "",
    password: Text = "",
    answer: Answer = "",
) -> Response:
    """Take what proves it, and lead back."""
    way = "passkey" if answer else "own_password" if password else "code"
    try:
        if answer:
            check = by_passkey(request, house, answer, person.person)
        elif password and not _has_second_step(house, person):
            check = by_password(house, person.person, password)
        else:
            check = by_code(house, person.person, code)
        token = prove_again(
            house.database, person.session, check, address=whence(request), clock=house.clock
        )
    except (LockedOutError, NotProvedError) as error:
        return _page(request, house, person, f"wrong_{way}", error)
    back = RedirectResponse(own_path(request.query_params.get("next")), HTTPStatus.SEE_OTHER)
    give_session(back, token, house.settings)
    return back


def _has_second_step(house: House, person: Visitor) -> bool:
    with house.database.reading() as connection:
        return second_factors_of(connection, person.person.id).any


def _page(
    request: Request,
    house: House,
    person: Visitor,
    wrong: str = "",
    error: Exception | None = None,
) -> HTMLResponse:
    with house.database.reading() as connection:
        factors = second_factors_of(connection, person.person.id)
        has_password = kept_password(connection, person.person.id) is not None
        elsewhere = is_bound(connection, person.person.id)
    sign_on = house.settings.single_sign_on
    return show(
        request,
        person,
        "sign_in/prove.html",
        status=status_of(error),
        factors=factors,
        has_password=has_password and not factors.any,
        elsewhere=sign_on.name if sign_on.issuer and elsewhere else None,
        minutes_proved=house.settings.console.proof_minutes,
        next=own_path(request.query_params.get("next")),
        **what_was_wrong(wrong, error),
    )
