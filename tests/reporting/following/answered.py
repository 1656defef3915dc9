"""Reports that authorities have, for the tests of what they say of them."""

from typing import Any

from sqlalchemy import select, update

from tests.reporting.world import NCMEC, World
from tutela.accounts.model import Caller
from tutela.accounts.permissions import Permission
from tutela.cases.model import CaseId
from tutela.ledger.model import Actor
from tutela.ledger.tables import ledger_entries
from tutela.reporting.following.model import FeedbackId, FeedbackKind, Said
from tutela.reporting.following.recording import receive_feedback
from tutela.reporting.model import Environment, ReportId
from tutela.reporting.states import Move
from tutela.reporting.tables import reports

WORDS = "words of the authority"

REVIEWER = Caller(
    Actor("Anna", "person:1", "person", "console"),
    frozenset({Permission.REPORTS_READ, Permission.FEEDBACK_WRITE}),
)


def sent(
    world: World,
    number: str = "4564654",
    *,
    authority: str = NCMEC,
    environment: Environment = Environment.LIVE,
    content: bytes = b"a landscape",
    case: CaseId | None = None,
    corrects: ReportId | None = None,
) -> ReportId:
    """A report that the authority has under this number."""
    case = case or world.case(content)
    report = world.draft(case, authority=authority, corrects=corrects)
    world.move(report, Move.SIGN, Move.QUEUE, Move.SEND)
    with world.database.writing() as connection:
        connection.execute(
            update(reports)
            .where(reports.c.id == report)
            .values(remote_id=number, environment=environment)
        )
    return report


def case_of(world: World, report: ReportId) -> CaseId:
    with world.database.reading() as connection:
        return CaseId(
            connection.execute(select(reports.c.case_id).where(reports.c.id == report)).scalar_one()
        )


def said(world: World, kind: FeedbackKind, **more: Any) -> Said:
    """What an authority says now."""
    if kind in (FeedbackKind.MORE_WANTED, FeedbackKind.OTHER):
        more.setdefault("words", WORDS)
    return Said(kind, more.pop("at", world.clock()), **more)


def came(
    world: World,
    kind: FeedbackKind,
    message: str = "msg_1",
    named: str = "4564654",
    authority: str = NCMEC,
    **more: Any,
) -> FeedbackId | None:
    """Have the authority send a message."""
    with world.database.writing() as connection:
        return receive_feedback(
            connection,
            world.secrets,
            authority,
            said(world, kind, **more),
            world.clock,
            message=message,
            named=named,
        )


def ledger_of(world: World, like: str) -> list[tuple[str, str | None, bool]]:
    """The acts of this kind, by whom, and whether words went into them."""
    with world.database.reading() as connection:
        rows = connection.execute(
            select(ledger_entries.c.act, ledger_entries.c.actor, ledger_entries.c.reason)
            .where(ledger_entries.c.act.like(like))
            .order_by(ledger_entries.c.number)
        )
        return [(row.act, row.actor, row.reason is not None) for row in rows]
