"""``/v1/keys``: the API keys. A secret is told once, when its key is made."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Security
from pydantic import BaseModel, ConfigDict, Field

from tutela.accounts.calling import caller_of_key
from tutela.accounts.keys import all_keys, check_key, give_key, key_numbered, revoke_key
from tutela.accounts.model import ApiKey, PersonId
from tutela.accounts.permissions import Permission
from tutela.api.problems import problems
from tutela.api.service import Here, Permitted
from tutela.errors import InvalidInputError

router = APIRouter(
    prefix="/v1/keys",
    tags=["keys"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)
Reader = Annotated[ApiKey, Security(Permitted(Permission.KEYS_READ))]
Writer = Annotated[ApiKey, Security(Permitted(Permission.KEYS_WRITE))]
Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="The key's number.", examples=[5])]


class NewKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1,
        max_length=100,
        description="What people call it, such as the program's name.",
        examples=["forum"],
    )
    scopes: list[Permission] = Field(
        min_length=1, description="What it allows.", examples=[["screen", "cases:open"]]
    )
    mine: bool = Field(
        False,
        description="Whether it is to belong to the person that the calling key belongs to: then "
        "it never allows more than they may do, and ends with their account.",
    )


class KeyAnswer(BaseModel):
    """A key, without its secret."""

    id: int = Field(description="Its number.", examples=[5])
    name: str = Field(examples=["forum"])
    scopes: list[Permission] = Field(description="What it was made for.")
    permissions: list[Permission] = Field(
        description="What it allows now: its scopes, less what its owner may not do."
    )
    owner: int | None = Field(None, description="The number of the person it belongs to.")
    created_at: datetime
    revoked_at: datetime | None = Field(None, description="When it stopped working.")


class MadeKeyAnswer(KeyAnswer):
    """A key that was just made."""

    key: str = Field(description="The key itself. It cannot be had again.")


class KeysAnswer(BaseModel):
    """Keys, the oldest first."""

    keys: list[KeyAnswer]


@router.get("", summary="All keys")
def list_keys(service: Here, _key: Reader) -> KeysAnswer:
    """Also those that were revoked; the oldest first."""
    with service.database.reading() as connection:
        return KeysAnswer(keys=[KeyAnswer(**_fields(each)) for each in all_keys(connection)])


@router.post(
    "",
    summary="Make a key",
    status_code=HTTPStatus.CREATED,
    responses=problems(HTTPStatus.CONFLICT),
)
def make_key(service: Here, key: Writer, new: NewKey) -> MadeKeyAnswer:
    """It works at once, in every server process.

    Nobody gains by it what they may not do: a key that belongs to nobody is for what programs do,
    and one that is made by such a key allows no more than that one.
    """
    with service.database.writing() as connection:
        made = give_key(
            connection,
            new.name,
            new.scopes,
            owner=_owner(key) if new.mine else None,
            caller=caller_of_key(key),
            clock=service.clock,
        )
        found = check_key(connection, made)
    return MadeKeyAnswer(key=made, **_fields(found))


@router.get("/{number}", summary="One key", responses=problems(HTTPStatus.NOT_FOUND))
def show_key(service: Here, _key: Reader, number: Number) -> KeyAnswer:
    """Without its secret, which nobody can see any more."""
    with service.database.reading() as connection:
        return KeyAnswer(**_fields(key_numbered(connection, number)))


@router.delete(
    "/{number}",
    summary="Revoke a key",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(HTTPStatus.NOT_FOUND),
)
def revoke(service: Here, key: Writer, number: Number) -> None:
    """Within a second it works no more, in any server process."""
    with service.database.writing() as connection:
        revoke_key(
            connection, key_numbered(connection, number).name, caller_of_key(key).actor,
            service.clock,
        )  # fmt: skip


def _owner(key: ApiKey) -> PersonId:
    if key.owner is None:
        raise InvalidInputError(
            "the key that you call with belongs to nobody, so a new one cannot belong to you: "
            'leave out "mine"'
        )
    return key.owner


def _fields(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "permissions": sorted(key.permissions),
        "owner": key.owner,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }
