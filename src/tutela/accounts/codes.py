"""Codes of an authenticator app (TOTP, RFC 6238): six digits that change every thirty seconds.

A code is good for its own thirty seconds and the ones beside them, for clocks that differ a little,
and it is good once.
"""

import io
from dataclasses import dataclass

import pyotp
import segno
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import Connection, delete, insert, select, update

from tutela.accounts.model import PersonId
from tutela.accounts.sign_in_key import SignInKey
from tutela.accounts.tables import authenticator_apps
from tutela.errors import NotFoundError, NotProvedError
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows

_STEPS_BESIDE = 1


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a person's app needs, shown once.

    Attributes:
        secret: The secret, to be typed where no picture can be taken: groups of four letters.
        address: The same as an ``otpauth:`` address.
        picture: The same as a QR code, an SVG element for a page.
    """

    secret: str
    address: str
    picture: str


def begin_app(
    connection: Connection,
    person: PersonId,
    key: SignInKey,
    clock: Clock,
    *,
    name: str,
    house: str,
) -> Enrolment:
    """Give a person's app a new secret, which counts once a code of it was shown.

    An app that was set up before goes on counting until then.

    Args:
        connection: A transaction.
        person: Whose app.
        key: Encrypts the secret.
        clock: The time.
        name: What the app shows beside the codes: the person's address.
        house: And of which house: the organisation's name.
    """
    secret = pyotp.random_base32()
    sealed = key.seal(secret.encode(), _bound_to(person))
    connection.execute(
        delete(authenticator_apps).where(
            authenticator_apps.c.person == person, authenticator_apps.c.confirmed_at.is_(None)
        )
    )
    connection.execute(
        insert(authenticator_apps).values(
            person=person, secret_sealed=sealed, begun_at=clock(), last_step=0
        )
    )
    return _enrolment(secret, name, house)


def begun_app(
    connection: Connection, person: PersonId, key: SignInKey, *, name: str, house: str
) -> Enrolment | None:
    """What was shown at the beginning, for somebody who loads the page again or mistyped."""
    sealed = connection.execute(
        select(authenticator_apps.c.secret_sealed).where(
            authenticator_apps.c.person == person, authenticator_apps.c.confirmed_at.is_(None)
        )
    ).scalar_one_or_none()
    if sealed is None:
        return None
    return _enrolment(key.open(sealed, _bound_to(person)).decode(), name, house)


def confirm_app(
    connection: Connection, person: PersonId, code: str, key: SignInKey, clock: Clock
) -> None:
    """Let the new secret count, in the place of an older one, since a code of it was shown.

    Raises:
        NotFoundError: None was begun.
        NotProvedError: The code is not one of it.
    """
    row = connection.execute(
        select(authenticator_apps.c.id, authenticator_apps.c.secret_sealed).where(
            authenticator_apps.c.person == person, authenticator_apps.c.confirmed_at.is_(None)
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError("no authenticator app is being set up: begin anew")
    step = step_of(key.open(row.secret_sealed, _bound_to(person)).decode(), code, clock)
    connection.execute(
        delete(authenticator_apps).where(
            authenticator_apps.c.person == person, authenticator_apps.c.id != row.id
        )
    )
    connection.execute(
        update(authenticator_apps)
        .where(authenticator_apps.c.id == row.id)
        .values(confirmed_at=clock(), last_step=step)
    )


def check_code(
    connection: Connection, person: PersonId, code: str, key: SignInKey, clock: Clock
) -> None:
    """Take a code of a person's app. The same code, or an older one, is never taken again.

    Raises:
        NotProvedError: The code is wrong, too old, or was used; or the person has no app.
    """
    row = connection.execute(
        select(authenticator_apps.c.id, authenticator_apps.c.secret_sealed).where(
            authenticator_apps.c.person == person, authenticator_apps.c.confirmed_at.is_not(None)
        )
    ).one_or_none()
    if row is None:
        raise NotProvedError("no authenticator app is set up")
    step = step_of(key.open(row.secret_sealed, _bound_to(person)).decode(), code, clock)
    # The comparison is made by the database, so that of two at once one is refused.
    taken = connection.execute(
        update(authenticator_apps)
        .where(authenticator_apps.c.id == row.id, authenticator_apps.c.last_step < step)
        .values(last_step=step, used_at=clock())
        .returning(authenticator_apps.c.id)
    ).scalar_one_or_none()
    if taken is None:
        raise NotProvedError("this code was used already: wait for the next one")


def step_of(secret: str, code: str, clock: Clock) -> int:
    """Which thirty seconds a code belongs to: the present ones, or those beside them.

    Raises:
        NotProvedError: To none of them.
    """
    digits = "".join(code.split())
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(
            digits, for_time=clock(), valid_window=_STEPS_BESIDE
        )
    except (OTPVerificationError, ValueError):
        raise NotProvedError(
            "this code is not right: type the one that the app shows now, and see that the "
            "phone's clock is right"
        ) from None


def has_app(connection: Connection, person: PersonId) -> bool:
    """Whether a person's app is set up."""
    return (
        connection.execute(
            select(authenticator_apps.c.id).where(
                authenticator_apps.c.person == person,
                authenticator_apps.c.confirmed_at.is_not(None),
            )
        ).first()
        is not None
    )


def forget_app(connection: Connection, person: PersonId) -> bool:
    """Remove a person's app, and one that is being set up; gives whether there was any."""
    return (
        changed_rows(
            connection, delete(authenticator_apps).where(authenticator_apps.c.person == person)
        )
        > 0
    )


def _bound_to(person: PersonId) -> str:
    return f"authenticator-app person:{person}"


def _enrolment(secret: str, name: str, house: str) -> Enrolment:
    address = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=house)
    picture = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        picture,
        kind="svg",
        dark="#000",
        light="#fff",
        border=3,
        omitsize=True,
        xmldecl=False,
        svgns=False,
        svgclass="qr",
        lineclass=None,
        nl=False,
    )
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return Enrolment(groups, address, picture.getvalue().decode())
