"""How often two people agree who decide without knowing of each other.

A measure of how clear the work is, and never of a person: it is not counted by person anywhere.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from tutela.cases.deciding import Decision, Stage
from tutela.cases.tables import case_decisions


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two people agreed.

    Attributes:
        looked_at_twice: How many cases two people decided on.
        agreed: In how many of them they decided alike.
    """

    looked_at_twice: int
    agreed: int

    @property
    def rate(self) -> float | None:
        """The share that they agreed on; ``None`` if there is nothing to tell it from."""
        return self.agreed / self.looked_at_twice if self.looked_at_twice else None


def agreement(connection: Connection, since: datetime, until: datetime) -> Agreement:
    """How often two people agreed, of the second looks taken in a span of time."""
    second, first = case_decisions.alias("second"), case_decisions.alias("first")
    before = (
        select(first.c.decision)
        .where(
            first.c.case_id == second.c.case_id,
            first.c.id < second.c.id,
            first.c.stage == Stage.FIRST,
            first.c.undone_at.is_(None),
        )
        .order_by(first.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    pairs = (
        select(second.c.decision, before.label("before"))
        .where(
            second.c.decided_at >= since,
            second.c.decided_at < until,
            second.c.stage == Stage.SECOND,
            second.c.undone_at.is_(None),
        )
        .subquery()
    )
    row = connection.execute(
        select(
            func.count().label("both"),
            func.count()
            .filter(pairs.c.decision == pairs.c.before, pairs.c.decision != Decision.NOT_SURE)
            .label("agreed"),
        ).select_from(pairs)
    ).one()
    return Agreement(row.both, row.agreed)
