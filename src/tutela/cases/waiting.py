"""Why a case stands where it does in the queue, in words.

Each reason is a key and values, so that the console says it in the reader's language; ``words``
says it in English, for commands and programs.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tutela.cases.facts import FACTS, Fact, forward_of, rank, read_facts


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Attributes:
        key: Which message says it: ``waits_since``, ``fact_live_stream``, ``due_by``, ``overdue``.
        values: What the message has in its places.
    """

    key: str
    values: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The reason in English."""
        message = _MESSAGES[self.key]
        if self.values.get("days") == 1:
            message = message.replace("{days} days", "{days} day")
        return message.format_map(dict(self.values))


def why(
    facts: Iterable[str], opened_at: datetime, due_at: datetime | None, now: datetime
) -> list[Reason]:
    """The reasons for a case's place, the weightiest first.

    Args:
        facts: The names of the facts that are true of it.
        opened_at: When it was opened.
        due_at: When it has to be decided, if the law or the operator says so.
        now: The present moment.
    """
    reasons = []
    if due_at is not None:
        key = "waiting_overdue" if due_at <= now else "waiting_due_by"
        reasons.append(Reason(key, {"moment": f"{due_at:%Y-%m-%d %H:%M}"}))
    known = rank(read_facts(" ".join(facts)), opened_at, due_at).facts
    reasons += [
        _reason(fact, known)
        for fact in sorted(known, key=lambda fact: (-FACTS[fact].forward, list(FACTS).index(fact)))
        if fact is not Fact.STATUTORY_CLOCK
    ]
    days = max(0, (now - opened_at).days)
    reasons.append(Reason("waiting_days" if days else "waiting_today", {"days": days}))
    return reasons


def _reason(fact: Fact, known: Collection[Fact]) -> Reason:
    if FACTS[fact].forward < timedelta(0) and forward_of(fact, known) == timedelta(0):
        return Reason(f"fact_{fact}_too")
    return Reason(f"fact_{fact}", {"days": abs(FACTS[fact].forward.days)})


_FORWARD = ": put forward by {days} days"
_BACK = ": put back by {days} days"
_MESSAGES = {
    "waiting_overdue": "it had to be decided by {moment} UTC",
    "waiting_due_by": "it has to be decided by {moment} UTC",
    "waiting_days": "it has waited for {days} days",
    "waiting_today": "it came today",
    **{
        f"fact_{fact}": weight.words
        + (_FORWARD if weight.forward > timedelta(0) else _BACK if weight.forward else "")
        for fact, weight in FACTS.items()
    },
    **{
        f"fact_{fact}_too": weight.words
        for fact, weight in FACTS.items()
        if weight.forward < timedelta(0)
    },
}
"""What each key says in English."""
