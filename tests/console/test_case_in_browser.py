"""A reviewer works in a real browser, mostly by keyboard."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from selenium.webdriver.common.keys import Keys

from tests.cases.world import a_case, matched, state_of, with_evidence
from tests.console.walking import Walker, walking
from tests.house import running_house
from tutela.accounts.permissions import Role
from tutela.cases.states import State
from tutela.console.language import languages
from tutela.fingerprints.model import Kind
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data",
        cells=1,
        review={"second_look_percent": 0, "second_look_for": []},
    )
    with running_house(settings, system_clock) as house, walking(house) as walker:
        yield walker


def new_case(walker: Walker, content: bytes, **values: object) -> str:
    """A case that a list has the very file of, older than every other one."""
    database = walker.house.service.database
    rank = system_clock() - timedelta(days=30)
    case = a_case(database, system_clock, content, **{"rank_at": rank, **values})
    with_evidence(database, case)
    matched(database, system_clock, case, Kind.MD5)
    return case


def test_a_case_is_decided_in_five_keys(walker: Walker) -> None:
    case = new_case(walker, b"five keys")
    walker.enter_as(Role.REVIEWER, name="Anna Reviewer")
    walker.go("/queue")
    walker.press("n")
    walker.wait_for("h1", case)
    walker.press("c")
    walker.wait_for(".sheet h2", ENGLISH["decide_confirm"])
    walker.press(Keys.ENTER)
    walker.wait_for("#said", case)
    assert state_of(walker.house.service.database, case) is State.CONFIRMED
    walker.press("u")
    walker.wait_for("#said", ENGLISH["said_undone"].format(about=case))
    assert state_of(walker.house.service.database, case) is State.IN_REVIEW


def test_every_page_of_cases_is_well_in_every_look(walker: Walker) -> None:
    severe = new_case(walker, b"pages", severe=True, facts="escalated first_seen")
    new_case(walker, b"pages")
    new_case(walker, b"another")
    walker.enter_as(Role.LEAD, name="Robin Example")
    walker.walk("/queue")
    walker.walk("/search")
    walker.walk("/cases/new")
    walker.walk(f"/cases/{severe}", "case")
    walker.go(f"/cases/{severe}")
    walker.press("t")
    walker.wait_for("#hold", ENGLISH["hold_keep"])
    walker.walk(f"/cases/{severe}", "case-held")
    walker.go(f"/cases/{severe}")
    walker.press("x")
    walker.wait_for(".sheet h2", ENGLISH["decide_not_confirm"])
    walker.look("case-deciding")
