"""``/lists``: what is known, and where it comes from. Entries are never shown in a browser."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from tutela.accounts.permissions import Permission
from tutela.console.frame import go, page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.visiting import Visitor, visitor
from tutela.errors import AlreadyExistsError, InvalidInputError, TutelaError
from tutela.fingerprints.model import Kind
from tutela.fingerprints.urls import LONGEST_URL
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.entries import withdraw_entry
from tutela.hashlists.formats.hashes import read_listed
from tutela.hashlists.lists import (
    all_lists,
    create_list,
    find_list,
    list_numbered,
    list_size,
    remove_list,
)
from tutela.hashlists.model import HashList, ListRow, ListSize, Provenance
from tutela.hashlists.uploads import IMPORT, Wish, import_later, keep_upload, rejects_file
from tutela.screening.policy import Rules, rules_for
from tutela.storage.jobs.model import State
from tutela.storage.jobs.tending import kept_jobs

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.LISTS_READ))]
Writer = Annotated[Visitor, Depends(visitor(Permission.LISTS_WRITE))]
# What is found, and what is not found any more, is changed by whoever has just shown who they are.
Proved = Annotated[Visitor, Depends(visitor(Permission.LISTS_WRITE, proved=True))]
Text = Annotated[str, Form(max_length=1000)]

_PIECE = 1 << 20


@router.get("/lists")
def show_lists(request: Request, house: Here, reader: Reader) -> HTMLResponse:
    """Every list, its size and where it comes from."""
    return _lists_page(request, house, reader)


@router.post("/lists", response_model=None)
def create(
    request: Request, house: Here, writer: Writer, name: Text, description: Text = ""
) -> Response:
    """Make an empty list."""
    try:
        with house.database.writing() as connection:
            made = create_list(
                connection, name.strip(), description, writer.caller.actor, house.clock
            )
    except (AlreadyExistsError, InvalidInputError) as error:
        return _lists_page(request, house, writer, refused=error, name=name)
    return go(house, _address(made), "said_list_created", made.name)


@router.get("/lists/{number}")
def show_list(request: Request, house: Here, reader: Reader, number: Number) -> HTMLResponse:
    """One list: its size, its imports, and what its matches mean."""
    return _list_page(request, house, reader, number)


@router.get("/lists/{number}/imports")
def show_imports(request: Request, house: Here, reader: Reader, number: Number) -> HTMLResponse:
    """How far imports are: a part of the page, which asks for it now and then."""
    return show(
        request, reader, "parts/imports.html", status=HTTPStatus.OK, **_values(house, number)
    )


@router.post("/lists/{number}/imports", response_model=None)
def import_upload(
    request: Request,
    house: Here,
    writer: Proved,
    number: Number,
    *,
    file: Annotated[UploadFile, File()],
    source: Text = "",
    label: Text = "",
    reason: Text = "",
    kind: Annotated[str, Form(pattern="^[a-z0-9_]*$")] = "",
) -> Response:
    """Put a file's hashes on the list, in the background."""
    hash_list = _find(house, number).hash_list
    wish = Wish(
        hash_list.name,
        file.filename or "",
        Provenance(source.strip() or (file.filename or ""), label, reason),
        Kind(kind) if kind else None,
    )
    try:
        upload = keep_upload(
            house.settings.data, hash_list, wish, writer.caller.actor, _chunks(file)
        )
    except InvalidInputError as error:
        return _list_page(request, house, writer, number, refused=error)
    with house.database.writing() as connection:
        import_later(connection, upload, house.clock)
    return go(house, _address(hash_list), "said_list_importing", hash_list.name)


@router.post("/lists/{number}/entries", response_model=None)
def add_entry(
    request: Request,
    house: Here,
    writer: Proved,
    number: Number,
    *,
    kind: Annotated[Kind, Form()],
    value: Annotated[str, Form(alias="hash", max_length=LONGEST_URL)],
    source: Text,
    label: Text = "",
    reason: Text = "",
) -> Response:
    """Put one hash on the list."""
    size = _find(house, number)
    try:
        fingerprint, frames = read_listed(kind, value)
        row = ListRow(1, fingerprint, frames=frames)
        with house.database.writing() as connection:
            add_with_provenance(
                connection,
                find_list(connection, size.hash_list.name),
                Provenance(source, label, reason),
                [row],
                actor=writer.caller.actor,
                clock=house.clock,
            )
    except InvalidInputError as error:
        return _list_page(request, house, writer, number, refused=error)
    return go(house, _address(size.hash_list), "said_entry_added", size.hash_list.name)


@router.post("/lists/{number}/withdrawals", response_model=None)
def withdraw(
    request: Request,
    house: Here,
    writer: Proved,
    number: Number,
    *,
    kind: Annotated[Kind, Form()],
    value: Annotated[str, Form(alias="hash", max_length=LONGEST_URL)],
    reason: Text,
) -> Response:
    """Have a hash match no more."""
    size = _find(house, number)
    try:
        fingerprint, _ = read_listed(kind, value)
        with house.database.writing() as connection:
            withdraw_entry(
                connection,
                find_list(connection, size.hash_list.name),
                fingerprint,
                reason=reason,
                actor=writer.caller.actor,
                clock=house.clock,
            )
    except InvalidInputError as error:
        return _list_page(request, house, writer, number, refused=error)
    return go(house, _address(size.hash_list), "said_entry_withdrawn", size.hash_list.name)


@router.post("/lists/{number}/remove")
def remove(house: Here, writer: Proved, number: Number, reason: Text) -> Response:
    """Take the list out of use."""
    name = _find(house, number).hash_list.name
    with house.database.writing() as connection:
        remove_list(connection, name, reason, writer.caller.actor, house.clock)
    return go(house, "/lists", "said_list_removed", name)


def _lists_page(
    request: Request,
    house: House,
    reader: Visitor,
    *,
    refused: TutelaError | None = None,
    name: str = "",
) -> HTMLResponse:
    with house.database.reading() as connection:
        sizes = [list_size(connection, each) for each in all_lists(connection)]
    return show(
        request,
        reader,
        "lists.html",
        status=422 if refused else 200,
        sizes=sizes,
        policy=_terms(house, sizes),
        refused=refused,
        name=name,
    )


def _list_page(
    request: Request,
    house: House,
    reader: Visitor,
    number: Number,
    *,
    refused: TutelaError | None = None,
) -> HTMLResponse:
    return show(
        request,
        reader,
        "list.html",
        status=422 if refused else 200,
        refused=refused,
        kinds=list(Kind),
        proved=reader.session.is_proved(house.settings, house.clock),
        **_values(house, number),
    )


def _values(house: House, number: Number) -> dict[str, object]:
    size = _find(house, number)
    with house.database.reading() as connection:
        waiting = [
            job
            for state in (State.READY, State.LEASED)
            for job in kept_jobs(connection, state=state, kind=IMPORT, limit=20)
        ]
    imports = size.imports[::-1][:50]
    return {
        "size": size,
        "imports": imports,
        "policy": _terms(house, [size])[size.hash_list.name],
        "under_way": bool(waiting),
        "rejects": {
            each.id: rejects_file(house.settings.data, each)
            for each in imports
            if each.rejected and rejects_file(house.settings.data, each).exists()
        },
    }


def _find(house: House, number: int) -> ListSize:
    with house.database.reading() as connection:
        return list_size(connection, list_numbered(connection, number))


def _terms(house: House, sizes: list[ListSize]) -> dict[str, Rules]:
    return {
        each.hash_list.name: rules_for(house.settings.policy, each.hash_list.name) for each in sizes
    }


def _address(hash_list: HashList) -> str:
    return f"/lists/{hash_list.id}"


def _chunks(file: UploadFile) -> Iterator[bytes]:
    while piece := file.file.read(_PIECE):
        yield piece
