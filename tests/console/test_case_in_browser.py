"""A reviewer works in a real browser, mostly by keyboard."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser import complaints
from tests.cases.world import a_case, matched, state_of, with_evidence
from tests.console.visitors import signed_in
from tests.console.walking import Walker, walking
from tests.drawing import landscape
from tests.house import running_house
from tests.pictures import encoded
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


def new_case(walker: Walker, content: bytes, *, sealed: bool = True, **values: object) -> str:
    """A case that a list has the very file of, older than every other one."""
    database = walker.house.service.database
    rank = system_clock() - timedelta(days=30)
    case = a_case(database, system_clock, content, **{"rank_at": rank, **values})
    if sealed:
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


def sealed_case(walker: Walker, *seeds: int) -> str:
    """A case of landscapes that a list has something like, with its evidence in the vault."""
    case = ""
    for seed in seeds:
        picture = landscape(640, 480, seed)
        walker.house.add_picture("partner hotline", encoded(picture))
        sent = {"file": ("upload.jpg", encoded(picture, "JPEG", quality=60))}
        about = {"subject": f"user {seeds[0]}"}
        answer = walker.house.client.post("/v1/screen", files=sent, data=about)
        case = answer.json()["case"]
    return case


def test_the_cheat_sheet_has_each_key_of_the_page_once(walker: Walker) -> None:
    case = sealed_case(walker, 31, 32)
    walker.enter_as(Role.LEAD, Role.ADMINISTRATOR)
    for page in ("/queue", f"/cases/{case}"):
        walker.go(page)
        if page != "/queue":
            walker.press("t")
            walker.wait_for("#hold", ENGLISH["hold_keep"])
        walker.press("?")
        walker.find("dialog#keys[open]")
        named = walker.browser.execute_script(
            "return [...document.querySelectorAll('#keys-list dt')].map((each) => each.textContent)"
        )
        assert len(named) > 10
        assert len(named) == len(set(named))
        walker.press(Keys.ESCAPE)


def test_every_page_of_cases_is_well_in_every_look(walker: Walker) -> None:
    new_case(walker, b"pages", severe=True, facts="escalated live_stream")
    new_case(walker, b"pages")
    for number in range(4):
        new_case(walker, b"another %d" % number, facts="similar", severe=bool(number % 2))
    severe = sealed_case(walker, 7)
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


def test_a_reason_is_picked_by_its_number(walker: Walker) -> None:
    # Nothing was sealed of it, so that there is nothing to look at.
    case = new_case(walker, b"picked", sealed=False, rank_at=system_clock() - timedelta(days=99))
    walker.enter_as(Role.REVIEWER)
    walker.go("/queue")
    walker.press("n")
    walker.wait_for("h1", case)
    walker.press("x")
    walker.wait_for(".sheet h2", ENGLISH["decide_not_confirm"])
    walker.press("3", Keys.ENTER)
    walker.wait_for("#said", ENGLISH["said_not_confirmed"].format(about=case))
    walker.go(f"/cases/{case}")
    walker.wait_for("#content blockquote", ENGLISH["reason_no_person"])


def test_whoever_is_too_late_is_told_and_may_take_another(walker: Walker) -> None:
    case = new_case(walker, b"two at once")
    walker.enter_as(Role.REVIEWER)
    walker.go(f"/cases/{case}")
    other, _ = signed_in(walker.house, Role.REVIEWER, name="Ben Who Was Faster")
    assert other.post(f"/cases/{case}/take").status_code == 303
    walker.press("t")
    walker.wait_for("#said [role=alert]", ENGLISH["wrong_AlreadyHeldError"])
    walker.wait_for("#hold", "Ben Who Was Faster")
    # The browser itself tells that the answer was 409.
    assert all("409" in each for each in complaints(walker.browser))
    walker.look("case-of-another")


def test_a_note_is_written_without_leaving_the_page(walker: Walker) -> None:
    case = new_case(walker, b"noted")
    walker.enter_as(Role.REVIEWER)
    walker.go(f"/cases/{case}")
    walker.browser.execute_script("window.stayed = true")
    # In a field, letters are letters: also those that are keys of the page.
    walker.press("w", "take t, next n, confirm c", Keys.TAB, Keys.ENTER)
    walker.wait_for("#notes blockquote", "take t, next n, confirm c")
    walker.wait_for("#said", ENGLISH["said_noted"])
    assert walker.browser.execute_script("return window.stayed")
    assert complaints(walker.browser) == []


def test_what_a_role_lacks_is_not_offered_and_refused(walker: Walker) -> None:
    case = new_case(walker, b"refused")
    walker.enter_as(Role.INTAKE)
    walker.go(f"/cases/{case}")
    walker.press("t", "c")
    assert state_of(walker.house.service.database, case) is State.OPEN
    assert walker.browser.current_url.endswith(case)
    assert complaints(walker.browser) == []


def test_pages_work_without_a_script(walker: Walker) -> None:
    case = new_case(walker, b"no script")
    walker.enter_as(Role.REVIEWER)
    walker.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        walker.go(f"/cases/{case}")
        walker.find("#hold button").click()
        walker.find(".decide > .row > [popovertarget=decide-confirmed]").click()
        walker.find("#decide-confirmed button.main").click()
        walker.find(".undo")
        assert state_of(walker.house.service.database, case) is State.CONFIRMED
        walker.find(".undo button").click()
        walker.find("#hold button")
        assert state_of(walker.house.service.database, case) is State.IN_REVIEW
    finally:
        walker.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_case_is_kept_for_longer_without_leaving_the_page(walker: Walker) -> None:
    case = new_case(walker, b"kept")
    walker.enter_as(Role.REVIEWER)
    walker.go(f"/cases/{case}")
    walker.press("t")
    before = walker.find("[data-held-until]").get_attribute("data-held-until")
    walker.browser.execute_script("window.stayed = true")
    # As whoever is still there does it by themselves, before the time is over.
    walker.browser.execute_script("keep.dispatchEvent(new Event('keep'))")
    walker.wait_for(f"[data-held-until]:not([data-held-until='{before}']) .left", "15:00")
    walker.press("k")
    walker.wait_for("#hold", ENGLISH["hold_keep"])
    assert walker.browser.execute_script("return window.stayed")
    assert complaints(walker.browser) == []
