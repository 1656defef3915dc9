"""Reports that go without a person, where the settings say so; by default none does.

Two steps are taken by Tutela itself, and the ledger says so. A case of which each item is, to the
bit, on a list that the settings name is confirmed by digest. Its report, if it is of a kind that
the settings name, is signed once the platform has had time to supply what it knows. Nobody has
viewed any file then, and the report says that. Whatever a person touched, changed or decided
otherwise is left to people.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from tutela.cases.deciding import Decision, Stage, record_decision
from tutela.cases.facts import Fact, facts_text
from tutela.cases.grounds import Basis, is_the_very_file
from tutela.cases.model import CaseId
from tutela.cases.moving import BY_ITSELF, change_state, enter_move, last_decision, lock_case
from tutela.cases.states import Move as CaseMove
from tutela.cases.states import State as CaseState
from tutela.cases.tables import case_items, case_matches, cases
from tutela.cases.taking_effect import effect_later
from tutela.errors import InvalidInputError, OutOfTurnError, SettingsError
from tutela.hashlists.tables import hash_lists
from tutela.reporting.cybertipline.vocabulary import IncidentType
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.as_read import seal_of
from tutela.reporting.drafts.beginning import begin_reports, refill_report
from tutela.reporting.drafts.filling import filled_of
from tutela.reporting.drafts.reading import draft_of
from tutela.reporting.drafts.supplying import DRAFT, want
from tutela.reporting.finding import find_report, find_reports
from tutela.reporting.model import ReportId
from tutela.reporting.moving import ReportMoveError
from tutela.reporting.signing.signing import sign_as
from tutela.reporting.states import State
from tutela.storage.clock import Clock
from tutela.storage.jobs.enqueueing import enqueue
from tutela.storage.jobs.model import Job, Kind
from tutela.storage.settings import Automatic

SIGN = "report.sign-itself"
"""The job that signs a report that needs no person, if it still needs none."""

CONFIRM = "case.confirm-listed"
"""The job that confirms, where the settings say so, what lists have to the bit."""

_MOST_AT_ONCE = 1000
# What may be known of such a case besides: Tutela finds it out by itself, and it is no reason for a
# person to look.
_BESIDE = (
    (),
    (Fact.CONFIRMED_BEFORE,),
    (Fact.STATUTORY_CLOCK,),
    (Fact.CONFIRMED_BEFORE, Fact.STATUTORY_CLOCK),
)
_REASON = "each item is on a named list, to the bit: reporting.automatic"


class _NeedsPersonNowError(Exception):
    """Somebody decided anew, or added to the case, meanwhile."""


def confirmed(connection: Connection, case: CaseId, cause: str, clock: Clock) -> None:
    """What a confirmed case leads to here, in the transaction in which it takes effect.

    The platform is asked for what it knows, and a job begins the drafts.
    """
    want(connection, case, cause, clock)
    enqueue(connection, DRAFT, {"case": case}, clock)


def kinds_of_drafts(desk: Desk) -> Iterator[Kind]:
    """The kinds of jobs that begin drafts, and of those that stand in for people."""
    automatic = desk.settings.reporting.automatic
    chosen = chosen_incidents(automatic)

    def begin(job: Job) -> None:
        case = CaseId(str(job.payload["case"]))
        try:
            begin_reports(desk, case, BY_ITSELF)
        except OutOfTurnError:
            return  # It is confirmed no more.
        if not chosen:
            return
        at = desk.clock() + timedelta(minutes=automatic.wait_minutes)
        with desk.database.writing() as connection:
            # Also those that were begun before a crash.
            for report in find_reports(connection, case=case, state=State.DRAFT):
                enqueue(
                    connection,
                    SIGN,
                    {"report": report.id},
                    desk.clock,
                    dedupe=f"sign:{report.id}",
                    at=at,
                )

    def sign(job: Job) -> None:
        sign_itself(desk, ReportId(int(str(job.payload["report"]))))

    def confirm(_job: Job) -> None:
        if chosen:
            confirm_listed(desk)

    yield Kind(DRAFT, begin, at_once=2, attempts=None)
    yield Kind(SIGN, sign, attempts=None)
    yield Kind(CONFIRM, confirm, schedule="* * * * *" if chosen else None)


def chosen_incidents(automatic: Automatic) -> frozenset[IncidentType]:
    """The kinds of incident whose reports go without a person; none if no list is named.

    Raises:
        SettingsError: There is no such kind of incident.
    """
    try:
        chosen = frozenset(map(IncidentType, automatic.incidents))
    except ValueError as error:
        known = ", ".join(IncidentType)
        raise SettingsError(f"reporting.automatic.incidents: {error}; known are {known}") from None
    return chosen if automatic.lists else frozenset()


def confirm_listed(desk: Desk) -> list[CaseId]:
    """Confirm the open cases of which each item is, to the bit, on a list that the settings name.

    Those of which somebody said anything else are left to people, and so are those that a person
    has taken or that are assigned to somebody.
    """
    decided = []
    with desk.database.reading() as connection:
        waiting = [CaseId(case) for case in connection.execute(_known()).scalars()]
    for case in waiting:
        with desk.database.writing() as connection:
            row = lock_case(connection, case)
            if not _is_open(row) or not is_listed(
                connection, case, desk.settings.reporting.automatic
            ):
                continue
            number = record_decision(
                connection,
                case,
                stage=Stage.FIRST,
                decision=Decision.CONFIRMED,
                basis=Basis.DIGEST,
                state_before=CaseState.OPEN,
                reason=_REASON,
                caller=BY_ITSELF,
                clock=desk.clock,
            )
            change_state(connection, case, CaseMove.CONFIRM, CaseState.CONFIRMED, desk.clock)
            final = desk.clock() + timedelta(seconds=desk.settings.review.undo_seconds)
            effect_later(connection, case, number, final, desk.clock)
            enter_move(connection, case, CaseMove.CONFIRM, BY_ITSELF, desk.clock, reason=_REASON)
            decided.append(case)
    return decided


def sign_itself(desk: Desk, report: ReportId) -> bool:
    """Sign a report that needs no person, if nobody has touched it and it lacks nothing.

    Returns:
        Whether it is signed. Otherwise it waits for a person as any other.
    """
    with desk.database.reading() as connection:
        found = find_report(connection, report)
        if found.state is not State.DRAFT or not _needs_nobody(connection, desk, found.case):
            return False
    refill_report(desk, report, BY_ITSELF)
    with desk.database.reading() as connection:
        written = draft_of(connection, desk.secrets, report)
        filled = filled_of(connection, desk.secrets, report)
    if not filled.has_all_of(written):
        return False  # Somebody has written in it: it is theirs to sign.
    kind = written.values["incident_summary"].get("incident_type")
    if kind not in chosen_incidents(desk.settings.reporting.automatic):
        return False

    def check(connection: Connection, case: CaseId) -> None:
        if not _needs_nobody(connection, desk, case):
            raise _NeedsPersonNowError

    try:
        # Whoever wrote in it or decided anew meanwhile, it is theirs.
        sign_as(desk, report, BY_ITSELF, seal=seal_of(written), check=check)
    except (InvalidInputError, OutOfTurnError, ReportMoveError, _NeedsPersonNowError):
        return False
    return True


def is_listed(connection: Connection, case: CaseId, automatic: Automatic) -> bool:
    """Whether each item of a case is, to the bit, on a list that the settings name."""
    items = set(
        connection.execute(select(case_items.c.id).where(case_items.c.case_id == case)).scalars()
    )
    named = select(hash_lists.c.id).where(hash_lists.c.name.in_(automatic.lists))
    listed = set(
        connection.execute(
            select(case_matches.c.item_id)
            .distinct()
            .where(
                case_matches.c.item_id.in_(items),
                is_the_very_file(),
                case_matches.c.list_id.in_(named),
            )
        ).scalars()
    )
    return bool(items) and items == listed


def _known() -> Select[Any]:
    """The open cases of which nothing is known but what does not need a person."""
    return (
        select(cases.c.id)
        .where(
            cases.c.state == CaseState.OPEN,
            cases.c.assigned_to.is_(None),
            cases.c.facts.in_([facts_text((Fact.KNOWN, *more)) for more in _BESIDE]),
        )
        .order_by(cases.c.rank_at)
        .limit(_MOST_AT_ONCE)
    )


def _is_open(row: Row[Any]) -> bool:
    return row.state == CaseState.OPEN and row.held_until is None and row.assigned_to is None


def _needs_nobody(connection: Connection, desk: Desk, case: CaseId) -> bool:
    """Whether a case rests on digests of named lists alone."""
    last = last_decision(connection, case)
    by_digest = last is not None and last.basis == Basis.DIGEST
    return by_digest and is_listed(connection, case, desk.settings.reporting.automatic)
