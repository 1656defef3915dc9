"""Who was told before: of a case, of the same content, of the same subject.

Only what went to the authority itself counts as told: what a sandbox or a test system took, nobody
acts on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from tutela.cases.model import CaseId
from tutela.cases.tables import case_items, cases
from tutela.evidence.events import BY_ITS_OWN_REPORT
from tutela.evidence.retention import EventKind
from tutela.evidence.tables import legal_events
from tutela.ledger.model import SYSTEM
from tutela.reporting.model import Environment
from tutela.reporting.states import State
from tutela.reporting.tables import reports

_MOST = 100


class Relation(StrEnum):
    """What a report has to do with a case."""

    CASE = "case"
    """It is of the case."""
    CONTENT = "content"
    """It is of another case with the very same content."""
    SUBJECT = "subject"
    """It is of another case of the same subject."""


@dataclass(frozen=True, slots=True)
class Telling:
    """That an authority was told, or is about to be.

    Attributes:
        relation: What it has to do with the case.
        case: The case that it was told of.
        authority: Who; ``None`` if a person recorded a report without saying to whom.
        report: The report's number, if Tutela made it.
        state: Where that stands; ``sent`` if it was recorded by hand.
        environment: How real it was.
        at: When it was sent, or begun.
        reference: What the authority calls it.
    """

    relation: Relation
    case: CaseId
    authority: str | None
    report: int | None
    state: State
    environment: Environment | None
    at: datetime
    reference: str | None

    @property
    def is_told(self) -> bool:
        """Whether the authority itself has it."""
        real = self.report is None or self.environment is Environment.LIVE
        return self.state is State.SENT and real

    def as_fields(self) -> dict[str, object]:
        """The telling by names, as programs are given it."""
        return {
            "relation": self.relation,
            "case": self.case,
            "authority": self.authority,
            "report": self.report,
            "state": self.state,
            "environment": self.environment,
            "told": self.is_told,
            "at": self.at.isoformat(),
            "reference": self.reference,
        }


def who_was_told(connection: Connection, case: CaseId) -> tuple[Telling, ...]:
    """All that was told of a case, of the same content and of the same subject.

    Of the case first; in each, the newest first, one hundred at most.
    """
    alike = _cases_of_same_content(connection, case)
    related = (
        (Relation.CASE, select(cases.c.id).where(cases.c.id == case)),
        (Relation.CONTENT, select(cases.c.id).where(cases.c.id.in_(alike))),
        (Relation.SUBJECT, _cases_of_same_subject(case).where(cases.c.id.not_in(alike))),
    )
    return tuple(
        telling
        for relation, wanted in related
        for telling in sorted(
            (*_made(connection, relation, wanted), *_by_hand(connection, relation, wanted)),
            key=lambda each: each.at,
            reverse=True,
        )[:_MOST]
    )


def told_of(connection: Connection, case: CaseId) -> frozenset[str]:
    """The ids of the authorities that have been told of a case."""
    rows = connection.execute(
        select(reports.c.authority)
        .where(
            reports.c.case_id == case,
            reports.c.state == State.SENT,
            reports.c.environment == Environment.LIVE,
        )
        .distinct()
    )
    return frozenset(rows.scalars())


def _cases_of_same_content(connection: Connection, case: CaseId) -> Sequence[str]:
    mine = connection.execute(
        select(case_items.c.md5, case_items.c.sha1, case_items.c.sha256).where(
            case_items.c.case_id == case
        )
    ).all()
    digests = {
        name: [getattr(row, name) for row in mine if getattr(row, name) is not None][:500]
        for name in ("md5", "sha1", "sha256")
    }
    same = [case_items.c[name].in_(found) for name, found in digests.items() if found]
    if not same:
        return []
    found = (
        select(case_items.c.case_id)
        .where(or_(*same), case_items.c.case_id != case)
        .distinct()
        .order_by(case_items.c.case_id)
        .limit(_MOST)
    )
    return list(connection.execute(found).scalars())


def _cases_of_same_subject(case: CaseId) -> Select[tuple[str]]:
    subject = select(cases.c.subject_id).where(cases.c.id == case).scalar_subquery()
    return select(cases.c.id).where(cases.c.subject_id == subject, cases.c.id != case)


def _made(connection: Connection, relation: Relation, wanted: Select[tuple[str]]) -> list[Telling]:
    rows = connection.execute(
        select(reports)
        .where(reports.c.case_id.in_(wanted), reports.c.state != State.DISCARDED)
        .order_by(reports.c.id.desc())
        .limit(_MOST)
    )
    return [_telling(relation, row) for row in rows]


def _telling(relation: Relation, row: Row[Any]) -> Telling:
    return Telling(
        relation,
        CaseId(row.case_id),
        row.authority,
        row.id,
        State(row.state),
        Environment(row.environment) if row.environment else None,
        row.sent_at or row.made_at,
        row.remote_id,
    )


def _by_hand(
    connection: Connection, relation: Relation, wanted: Select[tuple[str]]
) -> list[Telling]:
    """What a person recorded as reported: "tutela evidence event CASE report-finished"."""
    ours = select(reports.c.remote_id).where(reports.c.case_id == legal_events.c.case_id)
    # What Tutela recorded when a report of its own was finished is told by that report.
    by_itself = (legal_events.c.recorded_by == SYSTEM.name) & (
        legal_events.c.reason == BY_ITS_OWN_REPORT
    )
    rows = connection.execute(
        select(legal_events)
        .where(
            legal_events.c.case_id.in_(wanted),
            legal_events.c.kind == EventKind.REPORT_FINISHED,
            legal_events.c.withdrawn_at.is_(None),
            ~by_itself,
            legal_events.c.reference.not_in(ours.where(reports.c.remote_id.is_not(None))),
        )
        .order_by(legal_events.c.id.desc())
        .limit(_MOST)
    )
    return [
        Telling(
            relation,
            CaseId(row.case_id),
            None,
            None,
            State.SENT,
            None,
            row.at,
            row.reference,
        )
        for row in rows
    ]
