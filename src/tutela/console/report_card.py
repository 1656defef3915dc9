"""What the page of a case says of its reports: who has to be told, until when, and what stands."""

from dataclasses import dataclass

from tutela.accounts.permissions import Permission
from tutela.cases.reading import WholeCase
from tutela.cases.states import State as CaseState
from tutela.console.house import House
from tutela.console.visiting import Visitor
from tutela.reporting.authorities.clocks import Clock, clocks
from tutela.reporting.authorities.routing import Outcome, Route
from tutela.reporting.delivery.queueing import environment_of
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.beginning import routes_of_case
from tutela.reporting.finding import find_reports
from tutela.reporting.grounds import is_reportable
from tutela.reporting.model import ChannelKind, Environment, Report
from tutela.reporting.states import State


@dataclass(frozen=True, slots=True)
class Told:
    """One authority, as the page of a case tells of it.

    Attributes:
        authority: Its id in the directory.
        name: What it calls itself.
        is_owed: Whether it has to be told.
        reasons: Why, in the order in which it was looked at.
        clock: Until when, if a clock runs.
        reports: The reports of the case to it, the newest first.
        environment: How real a report to it would be.
        rehearsed: Whether reports went to a sandbox or a test system, and none to the authority.
        can_begin: Whether a draft can be begun now.
        by_hand: Whether it is told on its own pages only.
    """

    authority: str
    name: str
    is_owed: bool
    reasons: tuple[Route, ...]
    clock: Clock | None
    reports: tuple[Report, ...]
    environment: Environment
    rehearsed: bool
    can_begin: bool
    by_hand: bool


@dataclass(frozen=True, slots=True)
class Card:
    """All that the page of a case says of its reports.

    Attributes:
        told: Each authority that the directory leads to, or that has a report.
        doubtful: The duties that would apply, if somebody stood for their rows.
        is_due: Whether the case stands where it is reported.
    """

    told: tuple[Told, ...]
    doubtful: tuple[Route, ...]
    is_due: bool


def card_of(house: House, case: WholeCase, reader: Visitor) -> Card | None:
    """The card, or nothing for whoever may not read reports, or where nothing is to be told yet.

    Raises:
        SettingsError: The operator's directory cannot be read.
    """
    if not reader.may(Permission.REPORTS_READ) or case.blind:
        return None
    with house.database.reading() as connection:
        is_due = is_reportable(connection, case.id, anew=True)
        there = find_reports(connection, case=case.id)
    if not is_due and not there:
        return None
    desk = Desk(house.settings, house.database, house.vault, house.clock)
    routes = routes_of_case(desk, case.id)
    applies = [each for each in routes if each.outcome is Outcome.APPLIES]
    told = {each.authority for each in there if each.is_told}
    running = clocks(
        applies,
        case.decided_at or house.clock(),
        house.settings.reporting.within_hours,
        told,
    )
    ids = dict.fromkeys(
        [*(each.authority.id for each in applies if each.authority), *(r.authority for r in there)]
    )
    return Card(
        told=tuple(_told(house, each, applies, running, there, is_due=is_due) for each in ids),
        doubtful=tuple(each for each in routes if each.outcome is Outcome.WOULD_APPLY),
        is_due=is_due and case.state is not CaseState.REPORTED,
    )


def _told(
    house: House,
    authority: str,
    applies: list[Route],
    running: tuple[Clock, ...],
    there: list[Report],
    *,
    is_due: bool,
) -> Told:
    mine = tuple(each for each in applies if each.authority and each.authority.id == authority)
    reports = tuple(each for each in there if each.authority == authority)
    way = next((each.channel for each in mine if each.channel is not None), None)
    by_hand = way is not None and not way.kind.sends
    kind = (
        reports[0].channel
        if reports
        else way.kind
        if way is not None and not by_hand
        else ChannelKind.SEALED_MAIL
    )
    environment = environment_of(house.settings, kind)
    there_is = [
        each
        for each in reports
        if each.state is not State.DISCARDED
        and not (environment is Environment.LIVE and each.is_rehearsal)
    ]
    return Told(
        authority=authority,
        name=next((each.authority.name for each in mine if each.authority), authority),
        is_owed=any(each.is_owed for each in mine),
        reasons=mine,
        clock=next(
            (
                each
                for each in running
                if each.route.authority is not None and each.route.authority.id == authority
            ),
            None,
        ),
        reports=reports,
        environment=environment,
        rehearsed=any(each.is_rehearsal for each in reports)
        and not any(each.is_told for each in reports),
        can_begin=is_due and not there_is and way is not None and not by_hand,
        by_hand=by_hand,
    )
