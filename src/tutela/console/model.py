"""The nouns of the pages: how the house is, in words a stranger may read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to work.

    Attributes:
        name: ``"database"``, ``"index"``, ``"cells"``: the page shows the language's words for
            it, or the name itself where a language has none.
        ok: Whether it works.
        detail: A few English words for operators, such as ``"SQLite"``. Anyone can read the
            page, so never an address, a path or a message that holds one.
    """

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that the home page says about the house.

    Attributes:
        ok: Whether the service can do its work.
        checks: What was looked at.
        version: Tutela's version.
        lists: How many hash lists there are, or ``None`` to leave it unsaid.
        entries: How many entries they hold together, or ``None`` to leave it unsaid.
    """

    ok: bool
    checks: tuple[Check, ...]
    version: str
    lists: int | None = None
    entries: int | None = None
