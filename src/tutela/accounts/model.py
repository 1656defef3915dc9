"""The nouns: people, API keys, and whoever asks for something."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from tutela.accounts.permissions import Permission
from tutela.ledger.model import OPERATOR, Actor

ApiKeyId = NewType("ApiKeyId", int)
PersonId = NewType("PersonId", int)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks for something: a person, a program, or the operator of the machine.

    Attributes:
        actor: What the ledger calls them.
        permissions: What they may do.
        person: The person behind it; ``None`` for a program, and for the machine's operator.
    """

    actor: Actor
    permissions: frozenset[Permission]
    person: PersonId | None = None

    @property
    def is_human(self) -> bool:
        """Whether it is a person or the machine's operator, and no program."""
        return self.person is not None or self.actor.role == OPERATOR


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: its secret is not here, only the secret's hash is stored.

    Attributes:
        id: The key's number.
        name: What people call it; unique among the keys that are not revoked.
        scopes: What it was made for.
        permissions: What it allows now: its scopes, less what its owner may not do.
        created_at: When it was made.
        revoked_at: When it stopped working, or ``None``.
        owner: The person it belongs to; ``None`` for a program's.
    """

    id: ApiKeyId
    name: str
    scopes: frozenset[Permission]
    permissions: frozenset[Permission]
    created_at: datetime
    revoked_at: datetime | None
    owner: PersonId | None

    @property
    def actor_id(self) -> str:
        """What the ledger calls it, and whoever acts by it: ``key:5``."""
        return f"key:{self.id}"
