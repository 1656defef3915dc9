"""Under which rule an item is kept, and which unverified rules the operator stands for.

An item keeps the rule, the version and the wording that it was sealed under. Neither a changed
setting nor a new version of the rules moves it: a person does, by assigning it another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from tutela.errors import AlreadyExistsError, NotFoundError
from tutela.evidence.guarding import guard_blobs
from tutela.evidence.model import ItemId, State
from tutela.evidence.retention import Rule
from tutela.evidence.rules import RuleBook
from tutela.evidence.subjects import Subject, check_reason, lock_evidence
from tutela.evidence.tables import KEPT_FOR_GOOD, confirmed_rules, evidence_items, item_rules
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.storage.clock import Clock

KEEP_FOR_GOOD = "none"
"""What people say instead of a rule's name for what is kept for good."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """That an operator stands for a rule as it reads.

    Attributes:
        digest: The digest of the rule's terms.
        confirmed_at: When.
        confirmed_by: Who.
        reason: Why, in their words.
    """

    digest: str
    confirmed_at: datetime
    confirmed_by: str
    reason: str


def start_clock(
    connection: Connection, item: ItemId, rule: Rule | None, actor: Actor, clock: Clock
) -> None:
    """Put what is being sealed under the rule of the house, in the caller's transaction."""
    if rule is not None:
        _assign(connection, item, rule, actor, clock)


def assign_rule(
    connection: Connection,
    subject: Subject,
    rule: Rule | None,
    actor: Actor,
    clock: Clock,
    *,
    reason: str,
) -> int:
    """Keep evidence under another rule from now on, or for good: that is remembered as decided.

    Returns:
        How many items.

    Raises:
        InvalidInputError: No reason is given.
        NotFoundError: There is no such evidence any more.
    """
    reason = check_reason(reason)
    evidence = lock_evidence(connection, subject)
    if not evidence:
        raise NotFoundError(f"{subject.words} is not there any more")
    for row in evidence:
        connection.execute(delete(item_rules).where(item_rules.c.item_id == row.id))
        _assign(connection, ItemId(row.id), rule, actor, clock)
    guard_blobs(connection, evidence, clock)
    append(
        connection,
        actor,
        Act.EVIDENCE_RULE_ASSIGNED,
        clock,
        case=subject.case,
        item=subject.item,
        thing=f"rule:{rule.name}:{rule.digest}" if rule else "rule:none",
        reason=reason,
    )
    return len(evidence)


def rule_called(book: RuleBook, name: str) -> Rule | None:
    """The rule of this name, or ``None`` for what is kept for good.

    Raises:
        NotFoundError: There is none.
    """
    return None if name == KEEP_FOR_GOOD else book.named(name)


def unruled_evidence(connection: Connection) -> Sequence[Subject]:
    """All evidence that nobody has put under a rule, nor decided to keep for good."""
    rows = connection.execute(
        select(evidence_items.c.case_id, evidence_items.c.id)
        .join_from(evidence_items, item_rules, isouter=True)
        .where(evidence_items.c.state == State.SEALED, item_rules.c.item_id.is_(None))
        .order_by(evidence_items.c.id)
    )
    return [Subject(row.case_id, ItemId(row.id)) for row in rows]


def confirm_rule(
    connection: Connection, rule: Rule, actor: Actor, clock: Clock, *, reason: str
) -> None:
    """Stand for a rule as it reads now. When its terms change, it has to be confirmed again.

    Raises:
        AlreadyExistsError: It is confirmed already.
        InvalidInputError: No reason is given.
    """
    reason = check_reason(reason)
    if rule.digest in confirmations(connection):
        raise AlreadyExistsError(
            "the rule {name} is confirmed already, as it reads now", name=rule.name
        )
    connection.execute(
        insert(confirmed_rules).values(
            rule_id=rule.id,
            rule_version=rule.version,
            digest=rule.digest,
            confirmed_at=clock(),
            confirmed_by=actor.name,
            reason=reason,
        )
    )
    append(
        connection,
        actor,
        Act.RETENTION_RULE_CONFIRMED,
        clock,
        thing=f"rule:{rule.name}:{rule.digest}",
        reason=reason,
    )


def confirmations(connection: Connection) -> Mapping[str, Confirmation]:
    """Every confirmation, by the digest of the terms that it is for."""
    rows = connection.execute(select(confirmed_rules).order_by(confirmed_rules.c.id))
    return {
        row.digest: Confirmation(row.digest, row.confirmed_at, row.confirmed_by, row.reason)
        for row in rows
    }


def _assign(
    connection: Connection, item: ItemId, rule: Rule | None, actor: Actor, clock: Clock
) -> None:
    connection.execute(
        insert(item_rules).values(
            item_id=item,
            rule_id=rule.id if rule else KEPT_FOR_GOOD,
            rule_version=rule.version if rule else 0,
            digest=rule.digest if rule else "",
            assigned_at=clock(),
            assigned_by=actor.name,
        )
    )
