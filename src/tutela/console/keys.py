"""``/keys``: the API keys. A secret is shown once, when its key is made."""

from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from tutela.accounts.keys import all_keys, for_programs, give_key, key_numbered, revoke_key
from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import FOR_PROGRAMS, Permission
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotPermittedError,
    TutelaError,
)

router = page_router()

Reader = Annotated[Visitor, Depends(visitor(Permission.KEYS_READ))]
Writer = Annotated[Visitor, Depends(visitor(Permission.KEYS_WRITE, proved=True))]
Words = Annotated[str, Form(max_length=1000)]


@router.get("/keys")
def show_keys(request: Request, house: Here, reader: Reader) -> HTMLResponse:
    """The keys in use, and those that were revoked."""
    return _page(request, house, reader)


@router.get("/keys/new")
def show_new(request: Request, writer: Writer) -> HTMLResponse:
    """A form to make a key."""
    return _new_page(request, writer)


@router.post("/keys")
def make(
    request: Request,
    house: Here,
    writer: Writer,
    name: Words = "",
    scopes: Annotated[list[Permission], Form()] = [],  # noqa: B006 - FastAPI copies it
    mine: Annotated[bool, Form()] = False,
) -> HTMLResponse:
    """Make a key; show its secret, once."""
    try:
        with house.database.writing() as connection:
            secret = give_key(
                connection,
                name,
                scopes,
                owner=writer.person.id if mine else None,
                caller=writer.caller,
                clock=house.clock,
            )
    except (AlreadyExistsError, InvalidInputError, NotPermittedError) as error:
        return _new_page(request, writer, error, name=name, scopes=scopes, mine=mine)
    return _page(request, house, writer, made=name, secret=secret)


@router.post("/keys/{number}/revoke")
def revoke(house: Here, writer: Writer, number: Number) -> Response:
    """Make a key stop working for good."""
    with house.database.writing() as connection:
        name = key_numbered(connection, number).name
        revoke_key(connection, name, writer.caller.actor, house.clock)
    return go(house, "/keys", "said_revoked", name)


def _page(
    request: Request, house: House, reader: Visitor, *, made: str = "", secret: str = ""
) -> HTMLResponse:
    with house.database.reading() as connection:
        keys = all_keys(connection)
        names = names_of_people(connection)
    return show(
        request,
        reader,
        "people/keys.html",
        in_use=[key for key in keys if key.revoked_at is None],
        revoked=[key for key in keys if key.revoked_at is not None],
        names=names,
        made=made,
        secret=secret,
        proved=reader.session.is_proved(house.settings, house.clock),
    )


def _new_page(
    request: Request,
    writer: Visitor,
    wrong: TutelaError | None = None,
    *,
    name: str = "",
    scopes: list[Permission] | None = None,
    mine: bool = False,
) -> HTMLResponse:
    return show(
        request,
        writer,
        "people/new_key.html",
        status=422 if wrong else 200,
        wrong=wrong,
        name=name,
        chosen=frozenset(scopes or ()),
        mine=mine,
        for_programs=[each for each in Permission if each in for_programs(writer.caller)],
        for_people=[
            each
            for each in Permission
            if each not in FOR_PROGRAMS and each in writer.caller.permissions
        ],
    )
