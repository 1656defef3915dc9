"""People who act in the tests."""

from sqlalchemy import Connection

from tutela.accounts.keys import add_key
from tutela.accounts.people import add_person
from tutela.accounts.permissions import Permission, Role
from tutela.ledger.model import Actor
from tutela.storage.clock import Clock


def actor_called(name: str) -> Actor:
    """Somebody of this name."""
    return Actor(name, f"test:{len(name)}", "operator", "cli")


def custodians_key(
    connection: Connection,
    name: str,
    clock: Clock,
    *scopes: Permission,
    role: Role = Role.CUSTODIAN,
) -> str:
    """Somebody of this name, and a key of theirs, which they may hand evidence over by."""
    boss = actor_called("boss")
    email = f"{name}@house.example"
    person = add_person(connection, name, email, [role], actor=boss, clock=clock)
    chosen = scopes or (Permission.EVIDENCE_DISCLOSE,)
    return add_key(connection, name, chosen, boss, clock, owner=person.id)
