"""``/reports``: the reports to authorities, what of them waits, and how the ways there are."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse

from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import Permission
from tutela.console.frame import page_router, show
from tutela.console.house import Here
from tutela.console.visiting import Visitor, visitor
from tutela.reporting.delivery.backlog import backlog
from tutela.reporting.delivery.doubting import doubted
from tutela.reporting.delivery.going_live import NCMEC
from tutela.reporting.delivery.queueing import environment_of
from tutela.reporting.delivery.resting import channel_state
from tutela.reporting.following.finding import count_open, find_all_feedback
from tutela.reporting.model import ChannelKind, Report, ReportId
from tutela.reporting.overview import MOST_COUNTED, counted, standing, unbegun
from tutela.reporting.states import State
from tutela.storage.settings import Approval, Settings

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.REPORTS_READ))]

_ON_A_PAGE = 50


class Tab(StrEnum):
    """A list of reports."""

    DRAFTS = "drafts"
    TO_APPROVE = "to-approve"
    WAITING = "waiting"
    STOPPED = "stopped"
    SENT = "sent"

    @property
    def key(self) -> str:
        """What its texts are called by."""
        return self.replace("-", "_")


@router.get("/reports")
def show_reports(
    request: Request,
    house: Here,
    reader: Reader,
    tab: Annotated[Tab, Query()] = Tab.DRAFTS,
    after: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> HTMLResponse:
    """The reports of one list, and what waits."""
    now = house.clock()
    states = states_of(house.settings)
    with house.database.reading() as connection:
        counts = counted(connection)
        found = standing(
            connection,
            states[tab],
            after=ReportId(after) if after else None,
            limit=_ON_A_PAGE + 1,
            newest=tab is Tab.SENT,
        )
        waits = backlog(connection, now, counts)
        doubts = doubted(connection, limit=_ON_A_PAGE) if waits.doubted else []
        live = channel_state(connection, ChannelKind.CYBERTIPLINE, NCMEC)
        names = names_of_people(connection)
        feedback = find_all_feedback(connection, only_open=True, limit=_ON_A_PAGE)
        open_feedback = count_open(connection)
        environment = environment_of(house.settings, ChannelKind.CYBERTIPLINE)
        bare = unbegun(connection, environment) if tab is Tab.DRAFTS and after is None else []
    rows = found[:_ON_A_PAGE]
    return show(
        request,
        reader,
        "reports.html",
        tab=tab,
        tabs=tuple(Tab),
        counts={each: sum(counts.get(state, 0) for state in states[each]) for each in Tab},
        rows=rows,
        since={each.id: since(each) for each in rows},
        next_page=rows[-1].id if len(found) > _ON_A_PAGE else None,
        began=after is None,
        unbegun=bare,
        most=MOST_COUNTED,
        waits=waits,
        doubts=doubts,
        feedback=feedback,
        open_feedback=open_feedback,
        environment=environment,
        environment_of=lambda report: (
            report.environment or environment_of(house.settings, report.channel)
        ),
        is_live_said=live.live_at is not None,
        names=names,
        now=now,
    )


def states_of(settings: Settings) -> Mapping[Tab, tuple[State, ...]]:
    """Which states each list has: what is signed goes by itself where nobody has to agree."""
    by_itself = settings.reporting.approval is Approval.NEVER
    return {
        Tab.DRAFTS: (State.DRAFT,),
        Tab.TO_APPROVE: () if by_itself else (State.SIGNED,),
        Tab.WAITING: (State.APPROVED, State.QUEUED, *((State.SIGNED,) if by_itself else ())),
        Tab.STOPPED: (State.STOPPED,),
        Tab.SENT: (State.SENT,),
    }


def since(report: Report) -> datetime:
    """Since when a report stands where it does, as far as it is known."""
    moments = (report.sent_at, report.queued_at, report.approved_at, report.signed_at)
    return next((each for each in moments if each is not None), report.made_at)
