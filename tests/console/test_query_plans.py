"""No page reads through a table that grows with the years: every query is led by an index."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from benchmarks.filling import fill
from benchmarks.pages import pages
from tests.console.visitors import browser_of
from tests.house import House, running_house
from tutela.cases.counting_days import count_days
from tutela.storage.clock import system_clock
from tutela.storage.settings import Statistics

GROWING = (
    "cases",
    "case_items",
    "case_matches",
    "case_decisions",
    "case_labels",
    "case_notes",
    "viewings",
    "ledger_entries",
    "ledger_reasons",
    "evidence_items",
    "blobs",
    "entries",
)
_TABLES = "|".join(GROWING)
_READS = re.compile(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)

Statement = tuple[str, Any]


@contextmanager
def recorded(house: House) -> Iterator[dict[str, Statement]]:
    """The statements that the house sends to its database, by the page that was asked for."""
    sent: dict[str, Any] = {}

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        sent.setdefault(statement, parameters)

    engine = house.service.database.engine
    event.listen(engine, "before_cursor_execute", remember)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", remember)


def scans(house: House, statement: str, parameters: Any) -> list[str]:
    """What of a statement's plan reads through a table that grows."""
    database = house.service.database
    if not _READS.match(statement):
        return []
    with database.engine.connect() as connection:
        if database.is_sqlite:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plan = [row[3] for row in rows]
            # In the order of an index, and no further than its limit.
            limited = " LIMIT " in statement and "WHERE" not in statement
            found = [
                line
                for line in plan
                if re.match(rf"SCAN ({_TABLES})\b", line) and not (limited and "USING" in line)
            ]
        else:
            # So few rows are read through sooner than looked up: unless there is another way.
            connection.exec_driver_sql("SET enable_seqscan = off")
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            found = [row[0] for row in rows if re.search(rf"Seq Scan on ({_TABLES})\b", row[0])]
    return found


def test_every_query_of_every_page_is_led_by_an_index(settings) -> None:
    changed = {"job_threads": 0, "statistics": Statistics(public=True)}
    with running_house(settings.model_copy(update=changed), system_clock) as house:
        database = house.service.database
        filled = fill(database, system_clock, 400, reviewers=3)
        count_days(database, system_clock)
        keeper = browser_of(house, filled.keeper[1])
        wrong = {}
        with recorded(house) as sent:
            for path in pages(house.application, filled, system_clock):
                sent.clear()
                answer = keeper.get(path)
                assert answer.status_code in (200, 204, 303), f"{path}: {answer.status_code}"
                for statement, parameters in list(sent.items()):
                    found = scans(house, statement, parameters)
                    if found:
                        wrong[path, statement] = found
            _review(house, filled, sent, wrong)
    assert wrong == {}


def _review(house: House, filled, sent, wrong) -> None:
    """What a reviewer does: takes the next case, decides on it, and searches."""
    reviewer = browser_of(house, filled.reviewers[0][1])
    for path, form in (
        ("/queue/next", {}),
        ("/search", {"text": "u1"}),
        ("/search", {"text": "0" * 32}),
    ):
        sent.clear()
        answer = reviewer.post(path, data=form)
        assert answer.status_code in (200, 303), path
        for statement, parameters in list(sent.items()):
            found = scans(house, statement, parameters)
            if found:
                wrong[path, statement] = found
        if path == "/queue/next":
            case = answer.headers["location"].rsplit("/", 1)[1]
            page = reviewer.get(f"/cases/{case}").text
            hold = re.search(r'name="hold" value="(\d+)"', page)
            assert hold, page
            decided = {"decision": "confirmed", "basis": "digest", "hold": hold[1]}
            assert reviewer.post(f"/cases/{case}/decide", data=decided).status_code == 303
