"""Who calls: a person or a program, and what they may do."""

from tutela.accounts.model import ApiKey, Caller
from tutela.accounts.people import Person
from tutela.accounts.permissions import Permission
from tutela.errors import NotPermittedError
from tutela.ledger.model import Actor


def caller_of_person(person: Person, face: str) -> Caller:
    """A person who calls by themselves.

    Args:
        person: Who.
        face: From where: ``console`` or ``cli``.
    """
    actor = Actor(person.name, person.actor_id, "person", face)
    return Caller(actor, person.permissions, person.id)


def caller_of_key(key: ApiKey, face: str = "api") -> Caller:
    """Whoever calls by an API key: a program, or the person that the key belongs to."""
    return Caller(
        Actor(f"key:{key.name}", key.actor_id, "program", face), key.permissions, key.owner
    )


def need(caller: Caller, permission: Permission) -> None:
    """Let only a caller with this permission pass.

    Raises:
        NotPermittedError: They lack it.
    """
    if permission not in caller.permissions:
        raise NotPermittedError(
            '{name} lacks the permission "{permission}" (to {meaning}): ask an '
            "administrator for a role that has it",
            name=caller.actor.name,
            permission=permission,
            meaning=permission.meaning,
        )
