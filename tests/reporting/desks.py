"""Confirmed cases, and a desk to report them from, for the tests of drafts."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update

from tests.cases.world import OPERATOR, looked
from tests.evidence.sealing import sealed_item
from tests.reporting.gathered import COMPANY
from tests.reporting.world import World
from tutela.accounts.model import Caller
from tutela.cases.facts import Fact, facts_text
from tutela.cases.grounds import Basis
from tutela.cases.model import CaseId, ItemKind
from tutela.cases.states import State
from tutela.cases.tables import case_decisions, case_items, cases, subjects, viewings
from tutela.reporting.desk import Desk
from tutela.storage.settings import CyberTipline, ReportsTo, Settings

LONG_AGO = timedelta(hours=1)


def set_up(settings: Settings, **reporting: Any) -> Settings:
    """Settings of a house in the United States that says who it is."""
    changed = settings.reporting.model_copy(
        update={"establishment": "US", "company": COMPANY, **reporting}
    )
    return settings.model_copy(update={"reporting": changed})


def desk_of(world: World, **reporting: Any) -> Desk:
    """A desk in such a house."""
    return Desk(set_up(world.settings, **reporting), world.database, world.vault, world.clock)


def live_desk_of(world: World) -> Desk:
    """The same house with the settings of the authority itself."""
    return desk_of(world, cybertipline=CyberTipline(environment=ReportsTo.LIVE))


def confirmed(
    world: World,
    *contents: bytes,
    words: str = "",
    subject: str | None = "user-1",
    facts: tuple[Fact, ...] = (),
    basis: Basis = Basis.READ,
    by: Caller = OPERATOR,
    ago: timedelta = LONG_AGO,
) -> CaseId:
    """A case with these files, and words if there are some, that was confirmed so long ago."""
    case = world.case(*contents, state=State.CONFIRMED)
    if words:
        evidence = sealed_item(world.vault, case, words.encode())
        with world.database.writing() as connection:
            connection.execute(
                insert(case_items).values(
                    case_id=case,
                    evidence_id=evidence,
                    kind=ItemKind.TEXT,
                    name="",
                    origin="key:forum",
                    received_at=world.clock(),
                )
            )
    with world.database.writing() as connection:
        values: dict[str, Any] = {"facts": facts_text(facts)}
        if subject is not None:
            known = select(subjects.c.id).where(subjects.c.key == subject)
            number = connection.execute(known).scalar_one_or_none()
            if number is None:
                number = connection.execute(
                    insert(subjects)
                    .values(key=subject, first_seen_at=world.clock())
                    .returning(subjects.c.id)
                ).scalar_one()
            values["subject_id"] = number
        connection.execute(update(cases).where(cases.c.id == case).values(values))
        mine = case_items.c.case_id == case
        for number, item in enumerate(
            connection.execute(select(case_items.c.id).where(mine)).scalars().all(), 1
        ):
            connection.execute(
                update(case_items)
                .where(case_items.c.id == item)
                .values(reference=f"upload-{number}", **({} if words else {"kind": "picture"}))
            )
        connection.execute(
            insert(case_decisions).values(
                case_id=case,
                stage="first",
                decision="confirmed",
                basis=basis,
                decided_at=world.clock() - ago,
                decided_by=by.actor.id,
                person=by.person,
                state_before=State.OPEN,
                reason="",
            )
        )
    return case


def viewed(world: World, case: CaseId, caller: Caller, **how: Any) -> None:
    """Have somebody look at the first item of a case, as the record has it."""
    looked(world.database, world.clock, case, caller, **how)
    with world.database.writing() as connection:
        first = connection.execute(
            select(case_items.c.evidence_id)
            .where(case_items.c.case_id == case)
            .order_by(case_items.c.id)
            .limit(1)
        ).scalar_one()
        connection.execute(
            update(viewings).where(viewings.c.case_id == case).values(evidence_id=first)
        )
