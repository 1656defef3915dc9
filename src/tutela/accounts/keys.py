"""Making, listing, revoking and checking API keys.

A key is ``tutela_`` and 43 letters: 256 random bits. Such a secret cannot be guessed, so its plain
SHA-256 is kept (``docs/decisions/0009``).
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from tutela.accounts.model import ApiKey, ApiKeyId, Caller, PersonId
from tutela.accounts.people import names_of_people, read_roles
from tutela.accounts.permissions import FOR_PROGRAMS, Permission, permissions_of
from tutela.accounts.tables import api_keys, people
from tutela.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
    NotSignedInError,
)
from tutela.ledger.appending import append
from tutela.ledger.model import OPERATOR, Act, Actor
from tutela.storage.clock import Clock

_PREFIX = "tutela_"


def add_key(
    connection: Connection,
    name: str,
    scopes: Iterable[Permission],
    actor: Actor,
    clock: Clock,
    *,
    owner: PersonId | None = None,
) -> str:
    """Make a key.

    Args:
        connection: The transaction.
        name: What people will call it.
        scopes: What it allows.
        actor: Who makes it.
        clock: The time.
        owner: The person it belongs to: it never allows more than they may do themselves.

    Returns:
        The key itself. It is shown once and cannot be had again.

    Raises:
        AlreadyExistsError: A key of this name is in use.
        InvalidInputError: The name is empty or too long, or no scope is given.
    """
    chosen = sorted(set(scopes))
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise InvalidInputError("a key needs a name of 1 to 100 characters that can be seen")
    if not chosen:
        raise InvalidInputError(
            "a key needs at least one scope: --scope {scopes}", scopes=", --scope ".join(Permission)
        )
    key = _PREFIX + secrets.token_urlsafe(32)
    try:
        number = connection.execute(
            insert(api_keys)
            .values(
                name=name,
                secret_sha256=digest(key),
                scopes=" ".join(chosen),
                created_at=clock(),
                created_by=actor.name,
                owner=owner,
            )
            .returning(api_keys.c.id)
        ).scalar_one()
    except IntegrityError:
        raise AlreadyExistsError(
            'there is a key "{name}" already: choose another name, or revoke it first', name=name
        ) from None
    whose = f"of person:{owner}" if owner is not None else ""
    append(connection, actor, Act.KEY_ADDED, clock, thing=f"key:{number}", reason=whose)
    return key


def give_key(
    connection: Connection,
    name: str,
    scopes: Iterable[Permission],
    *,
    owner: PersonId | None,
    caller: Caller,
    clock: Clock,
) -> str:
    """Make a key that the caller may make, so that nobody gains by a key what they may not do.

    The machine's operator may make any. A person makes keys that belong to themselves, and keys of
    programs for what ``for_programs`` says. By a key nobody makes one that allows more than that
    one: a program's none at all, a person's none that belongs to them.

    Returns:
        The key itself. It is shown once and cannot be had again.

    Raises:
        AlreadyExistsError: A key of this name is in use.
        InvalidInputError: The name is empty or too long, or no scope is given.
        NotPermittedError: The caller may not make such a key.
    """
    chosen = frozenset(scopes)
    if caller.actor.role != OPERATOR:
        if owner is not None and owner != caller.person:
            raise NotPermittedError(
                "a key that belongs to somebody else is made by them, or by the machine's "
                'operator with "tutela key add"'
            )
        if owner is not None and caller.actor.role == "program" and chosen - caller.permissions:
            raise NotPermittedError(
                "a key makes none that allows more than itself: leave out {permissions}, or "
                "sign in and make it there",
                permissions=", ".join(sorted(chosen - caller.permissions)),
            )
        given = caller.permissions if caller.person is None else for_programs(caller)
        beyond = chosen - given if owner is None else frozenset()
        if beyond:
            raise NotPermittedError(
                "a key that belongs to nobody cannot be given {permissions} by you: nobody "
                "lets a program do what they may not do themselves; let the key belong to a "
                "person who may, have somebody make it who may, or the machine's operator with "
                '"tutela key add"',
                permissions=", ".join(sorted(beyond)),
            )
    return add_key(connection, name, chosen, caller.actor, clock, owner=owner)


def for_programs(caller: Caller) -> frozenset[Permission]:
    """What a person may give a key that belongs to nobody.

    To have files screened, and what is at addresses, is given by whoever makes keys, since it tells
    nothing of any case. All else is given only by who may do it themselves: so that reading
    cases, which one administrator alone cannot do where there are two, cannot be had by a key
    either.
    """
    return FOR_PROGRAMS & (caller.permissions | {Permission.SCREEN, Permission.SCREEN_FETCH})


def key_numbered(connection: Connection, number: int) -> ApiKey:
    """A key by its number, also one that was revoked.

    Raises:
        NotFoundError: There is none.
    """
    row = connection.execute(_WITH_OWNERS.where(api_keys.c.id == number)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f'there is no key {number}: see "tutela key ls"')
    return _key(row)


def all_keys(connection: Connection) -> list[ApiKey]:
    """Every key ever made, the oldest first."""
    rows = connection.execute(_WITH_OWNERS.order_by(api_keys.c.id)).mappings()
    return [_key(row) for row in rows]


def key_names(connection: Connection) -> dict[str, str]:
    """What people call each key ever made, by what the ledger calls it."""
    return {key.actor_id: key.name for key in all_keys(connection)}


def bearers(connection: Connection) -> dict[str, str]:
    """Who acts by each key, by what the ledger calls it: its owner, or else the key's own name."""
    names = names_of_people(connection)
    return {
        key.actor_id: names[key.owner] if key.owner is not None else key.name
        for key in all_keys(connection)
    }


def ids_of(connection: Connection, person: PersonId | None) -> frozenset[str]:
    """All that the ledger calls a person: by themselves, and by any key that was ever theirs.

    Nothing for ``None``, who is no person.
    """
    if person is None:
        return frozenset()
    keys = connection.execute(select(api_keys.c.id).where(api_keys.c.owner == person)).scalars()
    return frozenset({f"person:{person}", *(f"key:{number}" for number in keys)})


def named(who: str, names: Mapping[str, str]) -> str:
    """An id of the ledger for people: with the name in front, if it is a key's.

    Args:
        who: The id, such as ``key:5`` or ``os:1000``.
        names: As ``key_names`` gives them.
    """
    if who not in names:
        return who
    # Nothing that a terminal would obey or hide: people judge by it who somebody is.
    name = "".join(
        letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}" for letter in names[who]
    )
    return f"{name} ({who})"


def keys_in_use(connection: Connection) -> dict[bytes, ApiKey]:
    """Every key that is not revoked, by the digest of its secret."""
    rows = connection.execute(_WITH_OWNERS.where(api_keys.c.revoked_at.is_(None))).mappings()
    return {row["secret_sha256"]: _key(row) for row in rows}


def own_key(connection: Connection, person: PersonId, permission: Permission) -> ApiKey | None:
    """The newest key of a person that allows something, if they have one."""
    theirs = [
        key
        for key in keys_in_use(connection).values()
        if key.owner == person and permission in key.permissions
    ]
    return max(theirs, key=lambda key: key.id, default=None)


def revoke_key(connection: Connection, name: str, actor: Actor, clock: Clock) -> None:
    """Make a key stop working for good: within a second, in every server process.

    Raises:
        NotFoundError: No key of this name is in use.
    """
    number = connection.execute(
        update(api_keys)
        .where(api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=clock(), revoked_by=actor.name)
        .returning(api_keys.c.id)
    ).scalar_one_or_none()
    if number is None:
        raise NotFoundError(f'no key "{name}" is in use: see "tutela key ls"')
    append(connection, actor, Act.KEY_REVOKED, clock, thing=f"key:{number}")


def revoke_keys_of(connection: Connection, person: PersonId, actor: Actor, clock: Clock) -> None:
    """Make every key of a person stop working."""
    revoked = connection.execute(
        update(api_keys)
        .where(api_keys.c.owner == person, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=clock(), revoked_by=actor.name)
        .returning(api_keys.c.id)
    ).scalars()
    for number in sorted(revoked):
        append(connection, actor, Act.KEY_REVOKED, clock, thing=f"key:{number}")


def check_key(connection: Connection, key: str) -> ApiKey:
    """Find the key that a caller sent.

    Raises:
        NotSignedInError: The key is unknown or revoked.
    """
    row = (
        connection.execute(
            _WITH_OWNERS.where(
                api_keys.c.secret_sha256 == digest(key), api_keys.c.revoked_at.is_(None)
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotSignedInError('this API key is unknown or revoked: make one with "tutela key add"')
    return _key(row)


def require(key: ApiKey, scope: Permission) -> None:
    """Let only a key with this scope pass.

    Raises:
        NotPermittedError: The key lacks the scope.
    """
    if scope not in key.permissions:
        if scope in key.scopes:
            raise NotPermittedError(
                'the key "{name}" belongs to somebody who may not do this any more '
                '("{scope}"): ask an administrator',
                name=key.name,
                scope=scope,
            )
        raise NotPermittedError(
            'the key "{name}" lacks the scope "{scope}": make one that has it with "tutela '
            'key add NAME --scope {scope}"',
            name=key.name,
            scope=scope,
        )


def digest(key: str) -> bytes:
    """What is kept of a key's secret, and what a key is found by."""
    return hashlib.sha256(key.encode()).digest()


_WITH_OWNERS = select(
    api_keys, people.c.roles.label("owner_roles"), people.c.closed_at.label("owner_closed_at")
).outerjoin(people, people.c.id == api_keys.c.owner)


def _key(row: RowMapping) -> ApiKey:
    scopes = frozenset(Permission(scope) for scope in row["scopes"].split())
    return ApiKey(
        id=ApiKeyId(row["id"]),
        name=row["name"],
        scopes=scopes,
        permissions=scopes & _owners_permissions(row),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        owner=PersonId(row["owner"]) if row["owner"] is not None else None,
    )


def _owners_permissions(row: RowMapping) -> frozenset[Permission]:
    if row["owner"] is None:
        return frozenset(Permission)
    if row["owner_roles"] is None or row["owner_closed_at"] is not None:
        return frozenset()
    return permissions_of(read_roles(row["owner_roles"]))
