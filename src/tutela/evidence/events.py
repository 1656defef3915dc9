"""Recording what happens in law to evidence, such as that a report of it is finished.

Each event is a row with its date, reference, reason and actor, and an entry in the ledger. Nothing
is edited: one that was recorded by mistake is withdrawn, with a reason.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NewType

from sqlalchemy import Connection, insert, select, update

from tutela.errors import InvalidInputError, NotAgreedError, NotFoundError, NotPermittedError
from tutela.evidence.guarding import guard_blobs
from tutela.evidence.model import ItemId
from tutela.evidence.retention import EventKind, LegalEvent, Period
from tutela.evidence.standing import read_event
from tutela.evidence.subjects import (
    Subject,
    check_reason,
    check_words,
    is_about,
    lock_evidence,
)
from tutela.evidence.tables import legal_events
from tutela.ledger.appending import append
from tutela.ledger.model import OPERATOR, Act, Actor
from tutela.storage.clock import Clock
from tutela.storage.database import changed_rows

EventId = NewType("EventId", int)

BY_ITS_OWN_REPORT = "a report is finished"
"""Why Tutela itself records that a report is finished."""

# Clocks and time zones differ; a date that is further ahead is a slip of the pen.
_AHEAD = timedelta(days=1)
_BEHIND = timedelta(days=1)
_LAST_YEAR = 2999


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as it was recorded.

    Attributes:
        id: Its number.
        subject: What it is about.
        event: What happened.
        reason: Why it was recorded, in a person's words.
        recorded_at: When it was recorded.
        recorded_by: By whom.
        needs_agreement: Whether it counts only once another person has agreed to it.
        agreed_at: When that was, if it was.
        agreed_by: Who that was.
        withdrawn_at: When it was withdrawn, if it was.
    """

    id: EventId
    subject: Subject
    event: LegalEvent
    reason: str
    recorded_at: datetime
    recorded_by: str
    needs_agreement: bool
    agreed_at: datetime | None
    agreed_by: str | None
    withdrawn_at: datetime | None

    @property
    def waits(self) -> bool:
        """Whether it does not count yet, since another person has to agree first."""
        return self.needs_agreement and self.agreed_at is None and self.withdrawn_at is None

    @property
    def counts(self) -> bool:
        """Whether the clock of the evidence goes by it."""
        return not self.waits and self.withdrawn_at is None


def report_finished(
    connection: Connection,
    case: str,
    actor: Actor,
    clock: Clock,
    *,
    reference: str,
    at: datetime,
    item: ItemId | None = None,
) -> EventId:
    """Record in the caller's transaction that a report is finished. Doing so twice records it once.

    Args:
        connection: The transaction.
        case: The case that was reported, with all the evidence that it has by now.
        actor: Who finished it.
        clock: The time.
        reference: What the authority calls the report.
        at: When it was finished.
        item: The only piece of evidence that was in it, if it was not all of the case.
    """
    event = LegalEvent(EventKind.REPORT_FINISHED, at, reference)
    subject = Subject(case, item)
    return record_event(connection, subject, event, actor, clock, reason=BY_ITS_OWN_REPORT)


def record_event(
    connection: Connection,
    subject: Subject,
    event: LegalEvent,
    actor: Actor,
    clock: Clock,
    *,
    reason: str,
    heard_from_them: bool = False,
) -> EventId:
    """Record an event in the caller's transaction. The same one is recorded only once.

    What one person says that somebody wants destroyed counts once another one has agreed to it by
    ``agree_to_event``: else a custodian alone could destroy whatever they like. The machine's
    operator needs nobody, who could do so anyway.

    Args:
        connection: The transaction.
        subject: What it is about.
        event: What happened.
        actor: Who records it.
        clock: The time.
        reason: Why.
        heard_from_them: Whether the house has it from the sender itself, signed, so that the one
            who records it is the second to see it.

    Raises:
        InvalidInputError: It lacks its reference or reason, lies in the future, is a letter that
            does not say for how long, or is a report from before there was anything to report.
    """
    reference, reason = check_words(event.reference, reason)
    _check(event, clock())
    # Before looking what is there, so that two who record the same come one after the other.
    evidence = lock_evidence(connection, subject)
    _check_order(event, evidence)
    there = connection.execute(
        select(legal_events.c.id).where(
            is_about(legal_events, subject),
            legal_events.c.kind == event.kind,
            legal_events.c.reference == reference,
            legal_events.c.at == event.at,
            legal_events.c.until == event.until,
            legal_events.c.period == _written(event.period),
            legal_events.c.withdrawn_at.is_(None),
        )
    ).scalar()
    if there is not None:
        return EventId(there)
    row = connection.execute(
        insert(legal_events)
        .values(
            case_id=subject.case,
            item_id=subject.item,
            kind=event.kind,
            at=event.at,
            reference=reference,
            until=event.until,
            period=_written(event.period),
            reason=reason,
            recorded_at=clock(),
            recorded_by=actor.name,
            asked_by=None if heard_from_them or not _asks_much(event, actor) else actor.id,
        )
        .returning(legal_events)
    ).one()
    guard_blobs(connection, evidence, clock)
    _enter(connection, row, Act.EVIDENCE_EVENT, actor, clock, reason=committed_words(row))
    return EventId(row.id)


def agree_to_event(
    connection: Connection, event: EventId, actor: Actor, own: Collection[str], clock: Clock
) -> RecordedEvent:
    """Agree to what another person recorded, so that it counts from now on.

    Args:
        connection: The transaction.
        event: The event.
        actor: Who agrees: a person, or the machine's operator.
        own: All that the ledger calls them: also by keys of theirs.
        clock: The time.

    Raises:
        NotFoundError: There is no such event, or it is withdrawn.
        NotAgreedError: It counts already.
        NotPermittedError: They recorded it themselves, or are no person.
    """
    row = _in_force(connection, event)
    evidence = lock_evidence(connection, Subject(row.case_id, row.item_id))
    row = _in_force(connection, event)
    if row.asked_by is None or row.agreed_at is not None:
        raise NotAgreedError("event {event} counts already: nobody has to agree to it", event=event)
    if row.asked_by in {actor.id, *own}:
        raise NotPermittedError(
            "you recorded event {event} yourself: another person has to agree to it", event=event
        )
    if not own and actor.role != OPERATOR:
        raise NotPermittedError("only people agree to it: use a key that belongs to a person")
    row = connection.execute(
        update(legal_events)
        .where(legal_events.c.id == event)
        .values(agreed_at=clock(), agreed_by=actor.name)
        .returning(legal_events)
    ).one()
    guard_blobs(connection, evidence, clock)
    _enter(connection, row, Act.EVIDENCE_EVENT_AGREED, actor, clock, reason=committed_words(row))
    return _recorded(row)


def withdraw_event(
    connection: Connection, event: EventId, actor: Actor, clock: Clock, *, reason: str
) -> RecordedEvent:
    """Take back an event that was recorded by mistake, or that its sender took back.

    Raises:
        InvalidInputError: No reason is given.
        NotFoundError: There is no such event, or it is withdrawn already.
    """
    reason = check_reason(reason)
    row = _in_force(connection, event)
    evidence = lock_evidence(connection, Subject(row.case_id, row.item_id))
    withdrawn = changed_rows(
        connection,
        update(legal_events)
        .where(legal_events.c.id == event, legal_events.c.withdrawn_at.is_(None))
        .values(withdrawn_at=clock(), withdrawn_by=actor.name, withdrawn_reason=reason),
    )
    if not withdrawn:
        raise _absent(event)
    guard_blobs(connection, evidence, clock)
    _enter(connection, row, Act.EVIDENCE_EVENT_WITHDRAWN, actor, clock, reason=reason)
    return _recorded(row)


def events_about(connection: Connection, subject: Subject) -> Sequence[RecordedEvent]:
    """Every event of a case, or those that concern one piece of its evidence, the oldest first."""
    rows = select(legal_events).where(legal_events.c.case_id == subject.case)
    if subject.item is not None:
        rows = rows.where(
            legal_events.c.item_id.is_(None) | (legal_events.c.item_id == subject.item)
        )
    return [
        _recorded(row)
        for row in connection.execute(rows.order_by(legal_events.c.at, legal_events.c.id))
    ]


def committed_words(row: Any) -> str:
    """What the ledger's entry of a row of ``legal_events`` is bound to.

    The date and the term come first: no reference or reason can be taken for them.
    """
    term = (f" through {row.until}" if row.until else "") + (
        f" for {row.period}" if row.period else ""
    )
    asked = " if another person agrees" if row.asked_by else ""
    return f"{row.at.astimezone(UTC).isoformat()}{term}{asked}: {row.reference}: {row.reason}"


def _asks_much(event: LegalEvent, actor: Actor) -> bool:
    return event.kind is EventKind.DESTRUCTION_REQUESTED and actor.role != OPERATOR


def _enter(
    connection: Connection, row: Any, act: Act, actor: Actor, clock: Clock, *, reason: str
) -> None:
    append(
        connection,
        actor,
        act,
        clock,
        case=row.case_id,
        item=row.item_id,
        thing=f"event:{row.id}:{row.kind}",
        reason=reason,
    )


def _in_force(connection: Connection, event: EventId) -> Any:
    row = connection.execute(
        select(legal_events).where(
            legal_events.c.id == event, legal_events.c.withdrawn_at.is_(None)
        )
    ).one_or_none()
    if row is None:
        raise _absent(event)
    return row


def _absent(event: EventId) -> NotFoundError:
    return NotFoundError(f'there is no event {event} in force: see "tutela evidence events"')


def _recorded(row: Any) -> RecordedEvent:
    return RecordedEvent(
        id=EventId(row.id),
        subject=Subject(row.case_id, row.item_id),
        event=read_event(row),
        reason=row.reason,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        needs_agreement=row.asked_by is not None,
        agreed_at=row.agreed_at,
        agreed_by=row.agreed_by,
        withdrawn_at=row.withdrawn_at,
    )


def _check(event: LegalEvent, now: datetime) -> None:
    if event.at > now + _AHEAD:
        raise InvalidInputError("{at:%Y-%m-%d} is in the future: say when it happened", at=event.at)
    is_letter = event.kind is EventKind.PRESERVATION_LETTER
    limited = event.until is not None or event.period is not None
    if is_letter and not limited:
        raise InvalidInputError(
            "a preservation letter is recorded with its last day (--until) or its period (--for); "
            'to keep something without an end, use "tutela evidence hold"'
        )
    if limited and not is_letter:
        raise InvalidInputError("a {kind} has no last day and no period", kind=event.kind)
    if event.until is not None and not (
        event.at.astimezone(UTC).date() <= event.until and event.until.year <= _LAST_YEAR
    ):
        raise InvalidInputError("{until} cannot be the letter's last day", until=event.until)


def _check_order(event: LegalEvent, evidence: Sequence[Any]) -> None:
    if event.kind is not EventKind.REPORT_FINISHED or not evidence:
        return
    first = min(row.sealed_at for row in evidence)
    if event.at < first - _BEHIND:
        raise InvalidInputError(
            "a report of {at:%Y-%m-%d} cannot contain what was sealed on {first:%Y-%m-%d}: "
            "say with --at when it was finished",
            at=event.at,
            first=first,
        )


def _written(period: Period | None) -> str | None:
    if period is None:
        return None
    return f"{period.years}y{period.months}m{period.days}d"
