"""Until when a case has to be reported, and by which law. Pure.

Most laws give no number of hours. Then the house's own counts, and the words say so: a clock that
pretends to be the law's would be relied on.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from tutela.reporting.authorities.routing import Route


@dataclass(frozen=True, slots=True)
class Clock:
    """Until when somebody has to be told of a case.

    Attributes:
        due_at: The moment.
        hours: How many hours after the case was confirmed that is.
        is_by_law: Whether the law gives that number, and not the house.
        route: Who has to be told, and why.
    """

    due_at: datetime
    hours: int
    is_by_law: bool
    route: Route

    @property
    def words(self) -> str:
        """When and why, in one sentence."""
        duty, authority = self.route.duty, self.route.authority
        whom = authority.id if authority else str(duty.authority_kind)
        due = f"{whom} by {self.due_at:%Y-%m-%d %H:%M} (UTC)"
        hours = f"{self.hours} hours after the case was confirmed"
        if self.is_by_law:
            return f"{due}: {hours}, by {duty.law}"
        says = f'says "{duty.promptness}" and' if duty.promptness else "says nothing of when, and"
        return f"{due}: {hours}, as this house has it; {duty.law} {says} gives no number of hours"

    def as_fields(self, now: datetime) -> dict[str, object]:
        """The clock by names, as programs are given it."""
        authority = self.route.authority
        return {
            "duty": self.route.duty.id,
            "authority": authority.id if authority else None,
            "due_at": self.due_at.isoformat(),
            "overdue": self.due_at <= now,
            "by_law": self.is_by_law,
            "words": self.words,
        }


def clocks(
    routes: Collection[Route],
    confirmed_at: datetime,
    own_hours: int,
    told: Collection[str] = (),
) -> tuple[Clock, ...]:
    """The clocks that run for a case, the one that ends first at the beginning.

    Only what has to be told, to somebody who has not been, and by rows that somebody stands for.

    Args:
        routes: To whom the case goes.
        confirmed_at: When the case was confirmed: from then on it is known.
        own_hours: How many hours the house gives itself where the law gives no number.
        told: The ids of the authorities that have been told of the case already.
    """
    running = [
        _clock(each, confirmed_at, own_hours)
        for each in routes
        if each.is_owed and (each.authority is None or each.authority.id not in told)
    ]
    return tuple(sorted(running, key=lambda clock: clock.due_at))


def _clock(route: Route, confirmed_at: datetime, own_hours: int) -> Clock:
    hours = route.duty.within_hours
    counted = own_hours if hours is None else hours
    return Clock(confirmed_at + timedelta(hours=counted), counted, hours is not None, route)
