"""Whatever people do, and in whatever order, the promises hold.

Anna, Ben and two leads act at random on a few cases, and a model beside the database says what has
to come of it: at no moment are a case's state, its holder and its decisions at odds.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from tests.cases.world import ANNA, BEN, LEAD, OPERATOR, OTHER_LEAD, a_case, employ, reviewing
from tests.conftest import TurnedClock
from tutela.accounts.model import Caller
from tutela.cases.closing import close, reopen
from tutela.cases.deciding import (
    Decision,
    Stage,
    decide,
    decisions_of,
    decisions_of_now,
    settle,
    undo,
)
from tutela.cases.grounds import Basis
from tutela.cases.model import CaseId
from tutela.cases.moving import Hold, give_back, keep_hold, release_overdue, take
from tutela.cases.queue import next_case
from tutela.cases.states import MOVES, Move, State
from tutela.cases.tables import case_decisions, cases
from tutela.errors import NotPermittedError, OutOfTurnError
from tutela.ledger.tables import ledger_entries
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings

PEOPLE = st.sampled_from([ANNA, BEN, LEAD, OTHER_LEAD, OPERATOR])
DECISIONS = st.sampled_from(Decision)
SURE = st.sampled_from([Decision.CONFIRMED, Decision.NOT_CONFIRMED])
FINAL = (State.CONFIRMED, State.NOT_CONFIRMED)


def machine_over(
    database: Database, settings: Settings, reached: set[Move | Stage]
) -> type[RuleBasedStateMachine]:
    """The machine over one database; what happened in it is noted, to see that it is thorough."""

    class Reviewing(RuleBasedStateMachine):
        several: Bundle[CaseId] = Bundle("several")

        def __init__(self) -> None:
            super().__init__()
            self.clock = TurnedClock()
            self.settings = reviewing(settings, second_look_percent=50)
            self.holds: dict[CaseId, list[tuple[Caller, Hold]]] = {}
            self.known: set[CaseId] = set()

        @initialize()
        def nothing_waits(self) -> None:
            with database.writing() as connection:
                for row in connection.execute(select(cases.c.id)):
                    connection.execute(
                        delete(case_decisions).where(case_decisions.c.case_id == row.id)
                    )
                # What is left of earlier runs is nobody's turn any more.
                connection.execute(cases.update().values(state=State.CLOSED, held_until=None))

        @precondition(lambda self: len(self.known) < 2)
        @rule(target=several)
        def open(self) -> CaseId:
            case = a_case(database, self.clock)
            self.known.add(case)
            return case

        @rule(seconds=st.sampled_from([30, 61, 1000]))
        def wait(self, seconds: int) -> None:
            self.clock.turn(seconds=seconds)

        @rule(case=several, who=PEOPLE)
        def take(self, case: CaseId, who: Caller) -> None:
            def ask(connection) -> None:
                self._held(connection, who, take(connection, case, who, self.clock, 15))

            self._attempt(ask)

        @rule(who=PEOPLE, calm=st.booleans())
        def next(self, who: Caller, calm: bool) -> None:
            def ask(connection) -> None:
                hold = next_case(connection, who, self.clock, self.settings, calm=calm)
                if hold is not None:
                    assert hold.case in self.known
                    self._held(connection, who, hold)

            self._attempt(ask)

        @rule(case=several, newest=st.booleans())
        def keep(self, case: CaseId, newest: bool) -> None:
            def keep(connection, who: Caller, hold: int) -> None:
                keep_hold(connection, case, who, self.clock, hold, 15)

            self._as_holder(case, newest, keep)

        @rule(case=several, newest=st.booleans())
        def give_back(self, case: CaseId, newest: bool) -> None:
            def give(connection, who: Caller, hold: int) -> None:
                give_back(connection, case, who, self.clock, hold)

            self._as_holder(case, newest, give)

        @rule(case=several, newest=st.booleans(), decision=DECISIONS, ask=st.booleans())
        def decide(self, case: CaseId, newest: bool, decision: Decision, ask: bool) -> None:
            self._as_holder(
                case,
                newest,
                lambda connection, who, hold: decide(
                    connection,
                    case,
                    decision,
                    who,
                    self.clock,
                    self.settings,
                    hold=hold,
                    basis=Basis.READ,
                    ask_second=ask,
                ),
            )

        @rule(case=several, who=PEOPLE, decision=DECISIONS, ask=st.booleans(), sorry=st.booleans())
        def take_and_decide(
            self, case: CaseId, who: Caller, decision: Decision, ask: bool, sorry: bool
        ) -> None:
            self.take(case, who)
            self.decide(case, True, decision, ask)
            if sorry:
                self.undo(case, who)

        @rule(case=several, both=st.permutations([ANNA, BEN, LEAD]), one=SURE, other=DECISIONS)
        def two_decide(
            self, case: CaseId, both: list[Caller], one: Decision, other: Decision
        ) -> None:
            self.clock.turn(minutes=20)
            self.release()
            self.take_and_decide(case, both[0], one, True, False)
            self.take(case, both[0])
            self.clock.turn(minutes=2)
            self.next(both[0], False)
            self.take_and_decide(case, both[1], other, False, False)
            self.clock.turn(minutes=2)
            self.settle(case, OTHER_LEAD, one)

        @rule(case=several, who=PEOPLE)
        def undo(self, case: CaseId, who: Caller) -> None:
            def take_back(connection) -> None:
                hold = undo(connection, case, who, self.clock, self.settings)
                if hold is not None:
                    self._held(connection, who, hold)

            self._attempt(take_back)

        @rule(case=several, who=PEOPLE, decision=SURE)
        def settle(self, case: CaseId, who: Caller, decision: Decision) -> None:
            self._attempt(
                lambda connection: settle(
                    connection,
                    case,
                    decision,
                    who,
                    self.clock,
                    self.settings,
                    basis=Basis.READ,
                    reason="plain",
                )
            )

        @rule(case=several, which=st.sampled_from([close, reopen]))
        def end_or_begin_anew(self, case: CaseId, which) -> None:
            self._attempt(lambda connection: which(connection, case, LEAD, self.clock, reason="so"))

        @rule()
        def release(self) -> None:
            self._attempt(lambda connection: release_overdue(connection, self.clock))

        @invariant()
        def all_is_consistent(self) -> None:
            with database.reading() as connection:
                for row in connection.execute(select(cases).where(cases.c.id.in_(self.known))):
                    self._check(connection, row)

        def _check(self, connection, row) -> None:
            state = State(row.state)
            if state in MOVES[Move.GIVE_BACK]:
                assert row.held_until is not None, "held by nobody"
            elif state is not State.DISPUTED:
                assert (row.held_until, row.held_by) == (None, None), "held for nothing"
            assert (row.decided_at is not None) == (state in (*FINAL, State.CLOSED))
            counting = [each for each in decisions_of(connection, row.id) if each.undone_at is None]
            if state in (State.SECOND_LOOK, State.IN_SECOND_LOOK):
                assert counting[-1].stage is Stage.FIRST
                assert counting[-1].second_look is not None
            if state in FINAL:
                assert counting[-1].decision.value == state.value
                if counting[-1].stage is Stage.SECOND:
                    first, second = counting[-2:]
                    assert first.decision is second.decision
                    assert first.person != second.person
                if counting[-1].stage is Stage.SETTLED:
                    both = decisions_of_now(connection, row.id)[:-1]
                    assert counting[-1].person not in {each.person for each in both}
            moved = connection.execute(
                select(ledger_entries.c.thing)
                .where(ledger_entries.c.case_id == row.id, ledger_entries.c.act == "case.moved")
                .order_by(ledger_entries.c.number)
            ).scalars()
            moved = [Move(thing.removeprefix("move:")) for thing in moved]
            reached.update(moved, (each.stage for each in counting))
            assert state in _reachable(moved), "the ledger tells another story"

        def _held(self, connection, who: Caller, hold: Hold) -> None:
            if hold.state is State.IN_SECOND_LOOK:
                first = decisions_of_now(connection, hold.case)[0]
                assert first.person != who.person, "a second look by whoever took the first"
            others = self.holds.setdefault(hold.case, [])
            for other, earlier in others:
                assert earlier.number < hold.number or other == who, "two have the same hold"
            others.append((who, hold))

        def _as_holder(self, case: CaseId, newest: bool, act) -> None:
            """Have the last holder, or the first, who lost it perhaps, do something."""
            held = self.holds.get(case, [])
            for who, hold in held[-1:] if newest else held[:1]:

                def try_it(connection, who=who, hold=hold) -> None:
                    act(connection, who, hold.number)
                    last = max(each.number for _, each in held)
                    assert hold.number == last, "who lost the case still did something"

                self._attempt(try_it)

        @staticmethod
        def _attempt(act) -> None:
            try:
                with database.writing() as connection:
                    act(connection)
            except (OutOfTurnError, NotPermittedError):
                pass

    return Reviewing


def _reachable(moves) -> set[State]:
    """Where a case can stand after these moves, by the table alone."""
    at = {State.OPEN}
    for each in moves:
        ways = MOVES[each]
        at = {after for before in at for after in ways.get(before, ())}
    return at


@pytest.fixture
def on_sqlite(data: Path):
    settings = load_settings(data=data)
    opened = Database.open(settings)
    upgrade(opened, settings.data, tell=lambda _: None)
    yield opened, settings
    opened.close()


def test_whatever_people_do_the_promises_hold(on_sqlite) -> None:
    run(*on_sqlite, examples=20, steps=40)


def test_on_postgresql_too(data: Path, postgresql_url: str) -> None:
    settings = load_settings(data=data, database_url=postgresql_url)
    opened = Database.open(settings)
    try:
        upgrade(opened, settings.data, tell=lambda _: None)
        run(opened, settings, examples=4, steps=25)
    finally:
        opened.close()


def run(database: Database, settings: Settings, *, examples: int, steps: int) -> None:
    employ(database, TurnedClock())
    reached: set[Move | Stage] = set()
    run_state_machine_as_test(
        machine_over(database, settings, reached),
        settings=hypothesis_settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            # The same each time, so that what is reached is known.
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    if examples >= 20:
        assert reached >= {*_PEOPLES, Stage.FIRST, Stage.SECOND, Stage.SETTLED}


_PEOPLES = set(Move) - {Move.REPORT, Move.APPEAL, Move.UPHOLD, Move.GRANT}
"""The others are left to whoever reports, and to appeals."""
