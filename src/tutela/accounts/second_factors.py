"""The second step beside a password: which ones a person has, and what to do when they are lost."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete

from tutela.accounts.codes import forget_app, has_app
from tutela.accounts.model import PersonId
from tutela.accounts.passkeys import Passkey, forget_passkeys, passkeys_of
from tutela.accounts.recovery import forget_recovery_codes, recovery_codes_left
from tutela.accounts.sessions import Awaits
from tutela.accounts.tables import outside_identities
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.settings import SecondFactor, Settings


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What a person can take the second step by.

    Attributes:
        app: Whether an authenticator app is set up.
        passkeys: The passkeys.
        recovery_codes: How many recovery codes are left.
    """

    app: bool
    passkeys: tuple[Passkey, ...]
    recovery_codes: int

    @property
    def any(self) -> bool:
        """Whether there is a second step. Recovery codes alone are none: they are used up."""
        return self.app or bool(self.passkeys)


def second_factors_of(connection: Connection, person: PersonId) -> SecondFactors:
    """What a person can take the second step by."""
    return SecondFactors(
        has_app(connection, person),
        passkeys_of(connection, person),
        recovery_codes_left(connection, person),
    )


def still_due(factors: SecondFactors, settings: Settings) -> Awaits | None:
    """What is due after the password, before somebody counts as signed in."""
    if factors.any:
        return Awaits.SECOND_STEP
    if settings.console.second_factor is SecondFactor.REQUIRED:
        return Awaits.SET_UP
    return None


def forget_second_factors(
    connection: Connection, person: PersonId, actor: Actor, clock: Clock
) -> None:
    """Take every second factor of a person away, who lost them, and what they are called elsewhere.

    The person sets new ones up at the next sign-in. Whoever does it has made sure by other means
    that it is this person who asks.

    Args:
        connection: A transaction.
        person: Whose.
        actor: Who does it.
        clock: The time.
    """
    forget_app(connection, person)
    forget_passkeys(connection, person)
    forget_recovery_codes(connection, person)
    connection.execute(delete(outside_identities).where(outside_identities.c.person == person))
    append(connection, actor, Act.SIGN_IN_CHANGED, clock, thing=f"person:{person}")
