"""The nouns: scopes and API keys."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

ApiKeyId = NewType("ApiKeyId", int)


class Scope(StrEnum):
    """What an API key allows. Each route of the API names the one that it needs."""

    SCREEN = "screen"
    SCREEN_DETAILS = "screen:details"
    LISTS_READ = "lists:read"
    LISTS_WRITE = "lists:write"
    CASES_READ = "cases:read"
    EVIDENCE_DISCLOSE = "evidence:disclose"
    METRICS_READ = "metrics:read"

    @property
    def meaning(self) -> str:
        """What the scope allows, in a few words."""
        return _MEANINGS[self]


_MEANINGS = {
    Scope.SCREEN: "screen files and fingerprints",
    Scope.SCREEN_DETAILS: "see which list matched, and how closely",
    Scope.LISTS_READ: "see the names, sizes and origins of lists (never their entries)",
    Scope.LISTS_WRITE: "create lists, add entries and withdraw them",
    Scope.CASES_READ: "read cases; with screen:details also what matched",
    Scope.EVIDENCE_DISCLOSE: "ask for a disclosure of evidence, or agree to another person's",
    Scope.METRICS_READ: "read the counts of verdicts at /metrics",
}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: its secret is not here, only the secret's hash is stored.

    Attributes:
        id: The key's number.
        name: What people call it; unique among the keys that are not revoked.
        scopes: What it allows.
        created_at: When it was made.
        revoked_at: When it stopped working, or ``None``.
    """

    id: ApiKeyId
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None

    @property
    def actor_id(self) -> str:
        """What the ledger calls it, and whoever acts by it: ``key:5``."""
        return f"key:{self.id}"
