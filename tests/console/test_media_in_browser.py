"""Peeking in a real browser: nothing is in sight unless somebody holds a key."""

import time
from collections.abc import Iterator
from functools import partial

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from sqlalchemy import select

from tests.archived import zipped
from tests.cases.looking import held, picture, sealed_case
from tests.cases.world import matched
from tests.console.walking import Walker, walking
from tests.drawing import landscape
from tests.house import running_house
from tests.moving import video_of
from tests.waiting import comes_true
from tutela.accounts.calling import caller_of_person
from tutela.accounts.permissions import Role
from tutela.cases.comfort import Comfort, Reveal, choose_comfort
from tutela.cases.model import CaseId, ItemKind
from tutela.cases.tables import viewings
from tutela.cases.viewings import Viewing, viewing_of
from tutela.fingerprints.model import Kind
from tutela.storage.clock import system_clock
from tutela.storage.settings import Care, load_settings

CARE = Care(break_after_severe=2)


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data", cells=1, job_threads=0
    ).model_copy(update={"care": CARE})
    with running_house(settings, system_clock) as house, walking(house) as walker:
        yield walker


def at_case(walker: Walker, content: bytes | None = None, *kinds: ItemKind, **values: object):
    """Be at the page of a case that one holds; gives its number and the person."""
    person = walker.enter_as(Role.REVIEWER, name="Anna Reviewer")
    vault = walker.house.service.screening.vault
    kind = kinds[0] if kinds else ItemKind.PICTURE
    case, _ = sealed_case(vault, content or picture(), kind, **values)
    held(vault, case, caller_of_person(person, "console"))
    walker.go(f"/cases/{case}")
    return case, person


def looks(walker: Walker, case: CaseId) -> list[Viewing]:
    """Who looked, first to last."""
    with walker.house.service.database.reading() as connection:
        rows = connection.execute(
            select(viewings).where(viewings.c.case_id == case).order_by(viewings.c.id)
        ).all()
    return [viewing_of(row) for row in rows]


def all_ended(walker: Walker, case: CaseId) -> bool:
    return all(each.seconds is not None for each in looks(walker, case))


def in_sight(walker: Walker) -> bool:
    sight = walker.browser.find_element(By.CSS_SELECTOR, "[data-sight]")
    return sight.is_displayed() and sight.size["width"] > 0


def hold(walker: Walker, key: str) -> None:
    """Press a key and do not let go."""
    event = {"type": "keyDown", "key": key, "code": f"Key{key.upper()}", "text": key}
    walker.browser.execute_cdp_cmd("Input.dispatchKeyEvent", event)


def let_go(walker: Walker, key: str) -> None:
    event = {"type": "keyUp", "key": key, "code": f"Key{key.upper()}"}
    walker.browser.execute_cdp_cmd("Input.dispatchKeyEvent", event)


def test_a_case_opens_with_a_veil_and_shows_more_only_while_a_key_is_held(walker: Walker) -> None:
    case, person = at_case(walker)
    assert comes_true(lambda: walker.find("[data-veiled]").is_displayed())
    assert not in_sight(walker)

    hold(walker, "p")
    assert comes_true(lambda: in_sight(walker))
    walker.wait_for("[data-status]", "Shown now")
    walker.look("peek-light")
    let_go(walker, "p")
    assert comes_true(lambda: not in_sight(walker))
    assert walker.find("[data-sight]").get_attribute("width") == "0", "nothing is left of it"

    assert comes_true(partial(all_ended, walker, case))
    veil, part = looks(walker, case)
    assert (veil.level, veil.why, veil.person) == ("veil", "opened", person.id)
    assert (part.level, part.why, part.shown) == ("part", "decide", "picture")
    assert part.seconds is not None and part.seconds > 0
    walker.walk(f"/cases/{case}", "veiled")


def test_it_is_hidden_at_once_when_the_window_loses_the_focus(walker: Walker) -> None:
    at_case(walker)
    for event in ("new Event('blur')", "new Event('pagehide')"):
        hold(walker, "p")
        assert comes_true(lambda: in_sight(walker))
        walker.browser.execute_script(f"window.dispatchEvent({event})")
        assert not in_sight(walker)
        let_go(walker, "p")
    hold(walker, "p")
    assert comes_true(lambda: in_sight(walker))
    walker.press(Keys.ESCAPE)
    assert not in_sight(walker)
    let_go(walker, "p")


def test_a_peek_ends_by_itself_and_can_be_a_switch(walker: Walker) -> None:
    case, person = at_case(walker)
    with walker.house.service.database.writing() as connection:
        choose_comfort(
            connection, person.id, Comfort(veils=False, reveal=Reveal.TOGGLE, longest_peek=2)
        )
    walker.go(f"/cases/{case}")
    walker.find("[data-level] option:last-child").click()
    walker.find("[data-peek]").send_keys(Keys.ENTER)
    assert comes_true(lambda: in_sight(walker))
    began = time.monotonic()
    assert comes_true(lambda: not in_sight(walker))
    assert time.monotonic() - began < 10
    walker.find("[data-peek]").click()
    assert comes_true(lambda: in_sight(walker))
    walker.find("[data-peek]").click()
    assert comes_true(lambda: not in_sight(walker))
    assert [each.level for each in looks(walker, case)][-2:] == ["whole", "whole"]
    assert looks(walker, case)[-1].colour
    assert not walker.find("[data-veiled]").is_displayed(), "they want no veils"


def test_a_known_file_needs_no_looking_and_says_so(walker: Walker) -> None:
    case, _ = at_case(walker)
    assert comes_true(lambda: len(looks(walker, case)) == 1), "a veil, while no list is known"
    matched(walker.house.service.database, system_clock, case)
    walker.go(f"/cases/{case}")
    walker.wait_for(".media-known", "Nobody needs to look")
    walker.walk(f"/cases/{case}", "known")
    walker.go(f"/cases/{case}")
    hold(walker, "p")
    time.sleep(0.5)
    assert not in_sight(walker)
    let_go(walker, "p")
    assert len(looks(walker, case)) == 1, "not even another veil"
    walker.find(".all-the-same summary").click()
    walker.find("[data-peek]").send_keys(Keys.SPACE)
    walker.wait_for("[data-status]", "Choose first why")


def test_a_video_is_a_sheet_and_a_broken_file_says_why(walker: Walker) -> None:
    at_case(walker, video_of([landscape(160, 120, seed) for seed in range(12)]), ItemKind.VIDEO)
    hold(walker, "p")
    walker.wait_for("[data-status]", "Moments of a video")
    walker.look("sheet-light")
    let_go(walker, "p")
    at_case(walker, picture()[:600])
    walker.browser.get_log("browser")
    hold(walker, "p")
    walker.wait_for("[data-status]", "ends early")
    assert not in_sight(walker)
    let_go(walker, "p")
    walker.browser.get_log("browser")


def test_words_are_folded_until_somebody_unfolds_them(walker: Walker) -> None:
    case, _ = at_case(walker, b"Shall we <i>meet</i>?", ItemKind.TEXT)
    assert looks(walker, case) == []
    assert "Shall we" not in walker.browser.page_source
    walker.press("p")
    walker.wait_for("[data-words]", "Shall we <i>meet</i>?")
    walker.look("words-light")
    walker.press("p")
    assert comes_true(lambda: not walker.find("[data-words]").is_displayed())
    assert comes_true(lambda: looks(walker, case)[-1].seconds is not None)
    assert looks(walker, case)[-1].shown == "text"


def test_a_break_that_is_due_comes_and_nothing_more_is_shown(walker: Walker) -> None:
    case, person = at_case(walker, severe=True)
    vault = walker.house.service.screening.vault
    for _ in range(2):
        hold(walker, "p")
        assert comes_true(lambda: in_sight(walker))
        let_go(walker, "p")
        assert comes_true(partial(all_ended, walker, case))
        case, _ = sealed_case(vault, picture(2), severe=True)
        held(vault, case, caller_of_person(person, "console"))
        walker.go(f"/cases/{case}")
    walker.browser.get_log("browser")
    hold(walker, "p")
    walker.wait_for("[data-status]", "You are to rest now")
    assert not in_sight(walker)
    let_go(walker, "p")
    walker.browser.get_log("browser")
    walker.press("b")
    walker.wait_for("h1", "You are on a break")
    walker.go("/queue")
    walker.press("n")
    walker.wait_for("h1", "You are on a break")


def test_nothing_of_it_lies_in_the_browsers_cache(walker: Walker) -> None:
    at_case(walker)
    hold(walker, "p")
    assert comes_true(lambda: in_sight(walker))
    kept = walker.browser.execute_async_script(
        "const done = arguments[0]; caches.keys().then((keys) => done([keys.length,"
        " JSON.stringify([sessionStorage, localStorage]).includes('viewing'),"
        " document.querySelectorAll('[src*=\"/items/\"]').length]));"
    )
    let_go(walker, "p")
    assert kept == [0, False, 0]
    sizes = walker.browser.execute_script(
        "return performance.getEntriesByType('resource')"
        ".filter((each) => each.name.includes('/items/') && each.name.includes('?'))"
        ".map((each) => [each.transferSize > 0, each.deliveryType])"
    )
    assert sizes
    assert all(transferred and how == "" for transferred, how in sizes)


def test_one_steps_from_the_part_that_matched_to_the_others_by_keys(walker: Walker) -> None:
    files = {f"{seed}.png": picture(seed) for seed in (1, 2, 3)}
    case, _ = at_case(walker, zipped(files))
    matched(walker.house.service.database, system_clock, case, Kind.PDQ, "2.png")
    walker.go(f"/cases/{case}")
    walker.wait_for("[data-status]", "Part: \u20682.png\u2069")
    walker.press("j")
    walker.wait_for("[data-status]", "Part: \u20683.png\u2069")
    assert not walker.find("[data-step='1']").is_enabled()
    hold(walker, "p")
    assert comes_true(lambda: in_sight(walker))
    walker.wait_for("[data-status]", "Part: \u20683.png\u2069")
    walker.look("part-light")
    let_go(walker, "p")
    walker.press("h")
    walker.wait_for("[data-status]", "Part: \u20682.png\u2069")
    assert comes_true(partial(all_ended, walker, case))
    assert [each.place for each in looks(walker, case)][-4:] == ["2.png", "3.png", "3.png", "2.png"]
    walker.walk(f"/cases/{case}", "parts")
