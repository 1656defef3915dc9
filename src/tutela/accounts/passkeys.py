"""Passkeys (WebAuthn): a key in a person's phone, computer or stick, which a page cannot lie to.

A passkey is bound to the address of the house, so that a forged page gets nothing from it, and it
asks for a finger, a face or a PIN each time (user verification). So it proves two things at once:
what one has, and who one is. https://www.w3.org/TR/webauthn-3/
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from webauthn.helpers import options_to_json, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tutela.accounts.ceremonies import Begun, Ceremony, begin_ceremony
from tutela.accounts.model import PersonId
from tutela.accounts.tables import passkeys
from tutela.errors import AlreadyExistsError, InvalidInputError, NotFoundError, NotProvedError
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows

PasskeyId = NewType("PasskeyId", int)

_PATIENCE_MS = 300_000
_NOT_PROVED = "this passkey was not accepted: try again, or use another way"
_MALFORMED = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of a person.

    Attributes:
        id: Its number.
        name: What the person calls it.
        made_at: When it was set up.
        used_at: When it last proved anything.
        synced: Whether it is kept in several devices, by their maker.
    """

    id: PasskeyId
    name: str
    made_at: datetime
    used_at: datetime | None
    synced: bool


@dataclass(frozen=True, slots=True)
class HouseAddress:
    """Where the house is, as browsers see it: what passkeys are bound to.

    Attributes:
        origin: Such as ``https://tutela.example``.
    """

    origin: str

    @property
    def host(self) -> str:
        """The name alone: the "relying party id"."""
        return urlsplit(self.origin).hostname or ""


def begin_passkey(
    connection: Connection,
    person: PersonId,
    name: str,
    house: HouseAddress,
    clock: Clock,
    *,
    browser: str,
) -> str:
    """Begin to set a passkey up.

    Args:
        connection: A transaction.
        person: Whose.
        name: What the device calls the account.
        house: Where the house is.
        clock: The time.
        browser: A secret that only this browser has.

    Returns:
        What ``navigator.credentials.create`` wants, as JSON.
    """
    known = _rows(connection, person)
    # A device that keeps one of them replaces it instead of listing the person twice.
    handle = known[0]["handle"] if known else secrets.token_bytes(32)
    challenge = begin_ceremony(
        connection,
        Ceremony.NEW_PASSKEY,
        clock,
        browser=browser,
        person=person,
        words={"handle": handle.hex()},
    )
    options = webauthn.generate_registration_options(
        rp_id=house.host,
        rp_name="Tutela",
        user_id=handle,
        user_name=name,
        challenge=challenge,
        timeout=_PATIENCE_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(known),
    )
    return options_to_json(options)


def add_passkey(
    connection: Connection,
    begun: Begun,
    answer: Mapping[str, object],
    house: HouseAddress,
    clock: Clock,
    *,
    name: str,
) -> PasskeyId:
    """Set a passkey up from what the device answered.

    Args:
        connection: A transaction.
        begun: The ceremony, which has been ended in a transaction of its own.
        answer: What the device answered.
        house: Where the house is.
        clock: The time.
        name: What the person calls it.

    Raises:
        AlreadyExistsError: It is set up already.
        InvalidInputError: The name is empty or too long.
        NotProvedError: The answer is not good.
    """
    if not name.strip() or len(name) > 100:
        raise InvalidInputError("a passkey needs a name of 1 to 100 characters")
    try:
        verified = webauthn.verify_registration_response(
            credential=dict(answer),
            expected_challenge=begun.challenge,
            expected_rp_id=house.host,
            expected_origin=house.origin,
            require_user_verification=True,
        )
    except _MALFORMED:
        raise NotProvedError(_NOT_PROVED) from None
    try:
        number = connection.execute(
            insert(passkeys)
            .values(
                person=begun.person,
                handle=bytes.fromhex(begun.words["handle"]),
                name=name.strip(),
                credential_id=verified.credential_id,
                public_key=verified.credential_public_key,
                sign_count=verified.sign_count,
                synced=verified.credential_backed_up,
                made_at=clock(),
            )
            .returning(passkeys.c.id)
        ).scalar_one()
    except IntegrityError:
        raise AlreadyExistsError("this passkey is set up already") from None
    return PasskeyId(number)


def ask_for_passkey(
    connection: Connection,
    house: HouseAddress,
    clock: Clock,
    *,
    browser: str,
    person: PersonId | None = None,
) -> str:
    """Begin to prove by a passkey who somebody is.

    Args:
        connection: A transaction.
        house: Where the house is.
        clock: The time.
        browser: A secret that only this browser has.
        person: Who it has to be; without it the passkey says who.

    Returns:
        What ``navigator.credentials.get`` wants, as JSON.
    """
    challenge = begin_ceremony(connection, Ceremony.PASSKEY, clock, browser=browser, person=person)
    options = webauthn.generate_authentication_options(
        rp_id=house.host,
        challenge=challenge,
        timeout=_PATIENCE_MS,
        allow_credentials=None if person is None else _descriptors(_rows(connection, person)),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def check_passkey(
    connection: Connection,
    begun: Begun,
    answer: Mapping[str, object],
    house: HouseAddress,
    clock: Clock,
) -> PersonId:
    """Whose passkey answered.

    Args:
        connection: A transaction.
        begun: The ceremony, which has been ended in a transaction of its own.
        answer: What the device answered.
        house: Where the house is.
        clock: The time.

    Raises:
        NotProvedError: The answer is not good, the passkey is unknown or another person's, or its
            count went back, so that somebody may have copied it.
    """
    try:
        credential = parse_authentication_credential_json(dict(answer))
    except _MALFORMED:
        raise NotProvedError(_NOT_PROVED) from None
    row = (
        connection.execute(select(passkeys).where(passkeys.c.credential_id == credential.raw_id))
        .mappings()
        .one_or_none()
    )
    if row is None or begun.person not in (None, row["person"]):
        raise NotProvedError(_NOT_PROVED)
    handle = credential.response.user_handle
    # The one that says by itself whose it is must say so; the other ones may.
    if handle != row["handle"] and (handle or begun.person is None):
        raise NotProvedError(_NOT_PROVED)
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=begun.challenge,
            expected_rp_id=house.host,
            expected_origin=house.origin,
            credential_public_key=row["public_key"],
            credential_current_sign_count=row["sign_count"],
            require_user_verification=True,
        )
    except _MALFORMED:
        raise NotProvedError(_NOT_PROVED) from None
    counted = connection.execute(
        update(passkeys)
        .where(passkeys.c.id == row["id"], passkeys.c.sign_count == row["sign_count"])
        .values(
            sign_count=verified.new_sign_count,
            synced=verified.credential_backed_up,
            used_at=clock(),
        )
        .returning(passkeys.c.id)
    ).scalar_one_or_none()
    if counted is None:
        raise NotProvedError(_NOT_PROVED)
    return PersonId(row["person"])


def passkeys_of(connection: Connection, person: PersonId) -> tuple[Passkey, ...]:
    """A person's passkeys, the oldest first."""
    return tuple(
        Passkey(PasskeyId(row["id"]), row["name"], row["made_at"], row["used_at"], row["synced"])
        for row in _rows(connection, person)
    )


def forget_passkey(connection: Connection, person: PersonId, passkey: PasskeyId) -> None:
    """Remove one passkey of a person.

    Raises:
        NotFoundError: The person has no such passkey.
    """
    removed = connection.execute(
        delete(passkeys)
        .where(passkeys.c.id == passkey, passkeys.c.person == person)
        .returning(passkeys.c.id)
    ).scalar_one_or_none()
    if removed is None:
        raise NotFoundError("this passkey is gone already")


def forget_passkeys(connection: Connection, person: PersonId) -> bool:
    """Remove all passkeys of a person; gives whether there were any."""
    return changed_rows(connection, delete(passkeys).where(passkeys.c.person == person)) > 0


def _rows(connection: Connection, person: PersonId) -> list[RowMapping]:
    return list(
        connection.execute(
            select(passkeys).where(passkeys.c.person == person).order_by(passkeys.c.id)
        ).mappings()
    )


def _descriptors(rows: list[RowMapping]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=row["credential_id"]) for row in rows]
