"""``/v1/lists``: lists of known material. No call gives entries out."""

from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, File, Form, Security, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted, actor_of
from tutela.fingerprints.model import Kind
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.entries import withdraw_entry
from tutela.hashlists.formats.hashes import read_listed
from tutela.hashlists.lists import (
    all_lists,
    create_list,
    find_list,
    list_size,
    list_summary,
    remove_list,
)
from tutela.hashlists.model import ListRow, Provenance
from tutela.hashlists.uploads import Wish, import_later, keep_upload

router = APIRouter(
    prefix="/v1/lists",
    tags=["lists"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.LISTS_READ))]
Writer = Annotated[ApiKey, Security(Permitted(Permission.LISTS_WRITE))]

_MOST = 10_000
_PIECE = 1 << 20
# Whoever has changed a list finds the change in this process at once; but when a large import is
# being taken up just then, he is not kept waiting for that.
_PATIENCE_SECONDS = 10.0


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewList(_Sent):
    """A list to be made."""

    name: str = Field(description="1 to 100 printable characters.", examples=["partner"])
    description: str = Field("", description="A line for people.")


class SentHash(_Sent):
    """One hash."""

    kind: Kind
    hash: str = Field(
        description="Hexadecimal digits; of vpdq the published JSON, as a text; of an address or a "
        "text itself, of which only a digest is kept.",
        examples=["9e107d9d372bb6826bd81d3542a419d6"],
    )
    quality: int | None = Field(
        None, ge=0, le=100, description="The PDQ quality, if known; only for a PDQ hash."
    )
    label: str = Field("", max_length=200, description="Its own label, if it differs.")


class NewEntries(_Sent):
    """Hashes to put on a list, and where they come from."""

    source: str = Field(description="Who says that this is known.", examples=["Partner hotline"])
    label: str = Field("", description="What it is said to be.", examples=["A1"])
    reason: str = Field("", description="Why it is added.")
    entries: list[SentHash] = Field(min_length=1, max_length=_MOST)


class Withdrawal(_Sent):
    """A hash to withdraw."""

    kind: Kind
    hash: str = Field(
        description="Hexadecimal digits; of vpdq also the published JSON, as a text; of an address "
        "or a text also itself.",
        examples=["9e107d9d372bb6826bd81d3542a419d6"],
    )
    reason: str = Field(description="Why. It is kept.", examples=["listed by mistake"])


class Removal(_Sent):
    """That a list is to be taken out of use."""

    reason: str = Field(description="Why. It is kept.", examples=["the partner has ended it"])


class ListAnswer(BaseModel):
    """A list, without its entries."""

    name: str
    description: str
    created_at: datetime
    created_by: str
    entries: dict[Kind, int] = Field(description="Live entries of each kind.")
    withdrawn: int = Field(description="Entries that were withdrawn.")
    sources: list[str] = Field(description="Where the entries come from.")


class ListsAnswer(BaseModel):
    """All lists, by name."""

    lists: list[ListAnswer]


class AddedAnswer(BaseModel):
    """What became of the hashes."""

    added: int = Field(description="New on the list.")
    already: int = Field(description="On the list before.")
    withdrawn: int = Field(description="Withdrawn before, and left so.")


class ImportAnswer(BaseModel):
    """One time that entries came in."""

    import_number: int = Field(serialization_alias="import", description="Its number.")
    source: str
    label: str
    reason: str
    imported_by: str
    started_at: datetime
    finished_at: datetime | None = Field(description="`null` while it is under way.")
    rows: int = Field(description="Hashes and unreadable rows met.")
    added: int
    already: int
    withdrawn: int
    rejected: int = Field(description="Rows that could not be understood.")


class ImportsAnswer(BaseModel):
    """Every time that entries came in, the newest first."""

    imports: list[ImportAnswer]


class UploadAnswer(BaseModel):
    """That a file is here and will be imported."""

    upload: str = Field(description="What the job that imports it calls it.")


@router.get("", summary="All lists")
def show_lists(service: Here, _key: Reader) -> ListsAnswer:
    """Names, numbers of entries and origins; never the entries."""
    with service.database.reading() as connection:
        summaries = [list_summary(connection, each) for each in all_lists(connection)]
    return ListsAnswer(
        lists=[
            ListAnswer(
                name=summary.hash_list.name,
                description=summary.hash_list.description,
                created_at=summary.hash_list.created_at,
                created_by=summary.hash_list.created_by,
                entries=summary.live,
                withdrawn=summary.withdrawn,
                sources=sorted({record.provenance.source for record in summary.imports}),
            )
            for summary in summaries
        ]
    )


@router.post(
    "",
    summary="Create a list",
    status_code=HTTPStatus.CREATED,
    responses=problems(HTTPStatus.CONFLICT),
)
def make_list(service: Here, key: Writer, new: NewList) -> NewList:
    """An empty one. What its matches mean is set in `tutela.toml`."""
    with service.database.writing() as connection:
        made = create_list(connection, new.name, new.description, actor_of(key), service.clock)
    return NewList(name=made.name, description=made.description)


@router.post("/{name}/entries", summary="Add entries", responses=problems(HTTPStatus.NOT_FOUND))
def add(service: Here, key: Writer, name: str, new: NewEntries) -> AddedAnswer:
    """They match within a second, in every server process.

    Adding what is there already changes nothing.
    """
    rows = [_row(number, sent) for number, sent in enumerate(new.entries, start=1)]
    provenance = Provenance(new.source, new.label, new.reason)
    with service.database.writing() as connection:
        hash_list = find_list(connection, name)
        added = add_with_provenance(
            connection, hash_list, provenance, rows, actor=actor_of(key), clock=service.clock
        )
    service.following_lists.hurry(_PATIENCE_SECONDS)
    return AddedAnswer(added=added.added, already=added.already, withdrawn=added.withdrawn)


def _row(number: int, sent: SentHash) -> ListRow:
    fingerprint, frames = read_listed(sent.kind, sent.hash)
    return ListRow(number, fingerprint, sent.quality, sent.label, frames)


@router.post(
    "/{name}/withdrawals",
    summary="Withdraw an entry",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(HTTPStatus.NOT_FOUND),
)
def withdraw(service: Here, key: Writer, name: str, withdrawal: Withdrawal) -> None:
    """Within a second it matches no more, in any server process.

    It stays withdrawn when it is imported again.
    """
    fingerprint, _ = read_listed(withdrawal.kind, withdrawal.hash)
    with service.database.writing() as connection:
        hash_list = find_list(connection, name)
        withdraw_entry(
            connection,
            hash_list,
            fingerprint,
            reason=withdrawal.reason,
            actor=actor_of(key),
            clock=service.clock,
        )
    service.following_lists.hurry(_PATIENCE_SECONDS)


@router.get("/{name}/imports", summary="What came in", responses=problems(HTTPStatus.NOT_FOUND))
def show_imports(service: Here, _key: Reader, name: str) -> ImportsAnswer:
    """Whether imports have ended, and what became of their rows; never the rows."""
    with service.database.reading() as connection:
        size = list_size(connection, find_list(connection, name))
    return ImportsAnswer(
        imports=[
            ImportAnswer(
                import_number=each.id,
                source=each.provenance.source,
                label=each.provenance.label,
                reason=each.provenance.reason,
                imported_by=each.imported_by,
                started_at=each.started_at,
                finished_at=each.finished_at,
                rows=each.rows,
                added=each.added,
                already=each.already,
                withdrawn=each.withdrawn,
                rejected=each.rejected,
            )
            for each in size.imports
        ]
    )


@router.post(
    "/{name}/imports",
    summary="Import a file",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
)
def import_upload(
    service: Here,
    key: Writer,
    name: str,
    *,
    file: Annotated[UploadFile, File(description="CSV, JSON lines, Project VIC or text.")],
    source: Annotated[str, Form(description="Who says that these are known.")],
    label: Annotated[str, Form(description="What they are said to be.")] = "",
    reason: Annotated[str, Form(description="Why they are added.")] = "",
    kind: Annotated[
        Kind | None, Form(description="What the hashes are, where the file does not say it.")
    ] = None,
) -> UploadAnswer:
    """In the background; the same file again adds nothing."""
    wish = Wish(name, file.filename or "", Provenance(source, label, reason), kind)
    with service.database.reading() as connection:
        hash_list = find_list(connection, name)
    upload = keep_upload(
        service.settings.data,
        hash_list,
        wish,
        actor_of(key),
        iter(partial(file.file.read, _PIECE), b""),
    )
    with service.database.writing() as connection:
        import_later(connection, upload, service.clock)
    return UploadAnswer(upload=upload)


@router.post(
    "/{name}/removal",
    summary="Take a list out of use",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(HTTPStatus.NOT_FOUND),
)
def remove(service: Here, key: Writer, name: str, removal: Removal) -> None:
    """Nothing on it matches any more. Its history is kept, because cases refer to it."""
    with service.database.writing() as connection:
        remove_list(connection, name, removal.reason, actor_of(key), service.clock)
    service.following_lists.hurry(_PATIENCE_SECONDS)
