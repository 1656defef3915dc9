"""How the database finds what a page needs: by what is few, however many cases there are."""

from pathlib import Path

from sqlalchemy import event

from tests.cases.world import ANNA, a_case
from tests.conftest import TurnedClock
from tutela.cases.alike import alike
from tutela.cases.reading import read_case
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import load_settings


def test_reading_a_case_never_goes_through_all_cases_of_a_state(
    data: Path, clock: TurnedClock
) -> None:
    # SQLite has no statistics here, as in most houses, and guesses that a state has few cases.
    database = Database.open(load_settings(data=data))
    upgrade(database, data, tell=lambda _: None)
    case = a_case(database, clock, b"one of many")
    plans: list[str] = []

    def explain(connection, _cursor, statement, parameters, *_: object) -> None:
        if statement.startswith("SELECT"):
            cursor = connection.connection.cursor()
            plan = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(line for *_, line in plan.fetchall())

    event.listen(database.engine, "before_cursor_execute", explain)
    with database.reading() as connection:
        read_case(connection, case, ANNA)
        alike(connection, case, clock, load_settings(data=data))
    database.close()
    assert any("case_items USING INDEX ix_case_items_sha256" in line for line in plans)
    assert [line for line in plans if "cases USING" in line and "state=?" in line] == []
    assert [line for line in plans if line in ("SCAN cases", "SCAN case_items")] == []
