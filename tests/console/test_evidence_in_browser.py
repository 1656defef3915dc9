"""The page of a case's evidence in a real browser, in every look and by keyboard alone."""

from collections.abc import Iterator

import pytest
from pyrage import x25519
from selenium.webdriver.common.keys import Keys

from tests.actors import actor_called
from tests.browser import complaints
from tests.console.visitors import new_person, new_session
from tests.console.walking import Walker, walking
from tests.house import running_house
from tests.pictures import drawn, encoded
from tutela.accounts.keys import add_key
from tutela.accounts.permissions import Permission, Role
from tutela.console.language import languages
from tutela.evidence.events import record_event
from tutela.evidence.retention import EventKind, LegalEvent
from tutela.evidence.subjects import Subject
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data", cells=1, jurisdiction="US"
    )
    with running_house(settings, system_clock) as house, walking(house) as walker:
        yield walker


def sealed_case(walker: Walker, *seeds: int) -> str:
    """A case of these pictures, with its evidence in the vault."""
    house, case = walker.house, ""
    for seed in seeds:
        content = encoded(drawn(seed))
        house.add_picture("partner hotline", content)
        sent = {"file": (f"{seed}.png", content)}
        about = {"subject": f"user-{seeds[0]}"}
        answer = house.client.post("/v1/screen", files=sent, data=about)
        case = answer.json()["case"]
    return case


def enter_as_custodian(walker: Walker, name: str) -> None:
    """Be a custodian with a key to disclose by."""
    parts = (walker.house.service.database, system_clock)
    person = new_person(*parts, Role.CUSTODIAN, name=name)
    with walker.house.service.database.writing() as connection:
        scopes, boss = [Permission.EVIDENCE_DISCLOSE], actor_called("test")
        add_key(connection, f"key {person.id}", scopes, boss, system_clock, owner=person.id)
    walker.enter(new_session(*parts, person))


def fill(walker: Walker, **values: str) -> None:
    """Type into fields, by their ids."""
    for name, value in values.items():
        walker.find(f"#{name.replace('_', '-')}").send_keys(value)


def test_a_case_without_evidence_says_so(walker: Walker) -> None:
    walker.house.add("partner hotline", {"kind": "sha256", "hash": "7" * 64})
    sent = {"fingerprints": {"sha256": "7" * 64}}
    case = walker.house.client.post("/v1/screen", json=sent).json()["case"]
    enter_as_custodian(walker, "Alex Keeper")
    walker.walk(f"/cases/{case}/evidence", "evidence-none")


def test_evidence_is_kept_and_disclosed_in_every_look(walker: Walker) -> None:
    case = sealed_case(walker, 3, 4, 5)
    page = f"/cases/{case}/evidence"
    enter_as_custodian(walker, "Alex Keeper")
    walker.walk(page, "evidence")

    walker.go(f"{page}?lang=en")
    sent = {"rule": "gb-csea-reporting@1", "reason": "our counsel says so"}
    assert walker.house.client.post(f"/v1/evidence/{case}/rule", json=sent).status_code == 200
    walker.walk(page, "evidence-unsure")
    walker.go(f"{page}?lang=en")
    for opened in ("hold-reference", "event-kind", "rule", "confirm-reason-1", "authority"):
        walker.browser.execute_script(
            "document.getElementById(arguments[0]).closest('details').open = true", opened
        )
    walker.look("evidence-forms-light")
    fill(walker, hold_reference="AZ 12/26", hold_reason="an order of the court")
    walker.press(Keys.ENTER)
    walker.wait_for("#said", ENGLISH["said_held"].format(about=case))

    walker.house.client.post(
        f"/v1/evidence/{case}/events",
        json={
            "kind": "preservation-letter",
            "reference": "letter 5",
            "reason": "it came by post",
            "period": "90d",
        },
    )
    walker.house.client.post(
        f"/v1/evidence/{case}/events",
        json={"kind": "report-finished", "reference": "1234567", "reason": "the wrong case"},
    )
    walker.house.client.post("/v1/evidence/events/2/withdrawal", json={"reason": "a mistake"})
    walker.go(page)
    walker.browser.execute_script(
        "document.getElementById('authority').closest('details').open = true"
    )
    fill(
        walker,
        authority="An office",
        their_reference="7/2026",
        basis="An order of the court in another town, of May 9",
        recipients=str(x25519.Identity.generate().to_public()),
    )
    walker.find("form[action$='/disclosures'] button.main").click()
    walker.wait_for("#said", ENGLISH["said_disclosure_asked"].format(about=case))

    enter_as_custodian(walker, "Robin Keeper")
    walker.walk(page, "evidence-to-agree")
    walker.go(f"{page}?lang=en")
    walker.browser.execute_script("document.getElementById('disclosures').scrollIntoView()")
    walker.look("evidence-to-agree-below")
    # What matters most of a piece of evidence is seen without moving anything.
    box = walker.find(".scroll")
    assert box.get_property("scrollWidth") <= box.get_property("clientWidth")
    walker.find("form[action$='/disclosures/1/agree'] button").click()
    walker.wait_for("#said", ENGLISH["said_disclosure_agreed"].format(about=case))
    walker.walk(page, "evidence-agreed")


def test_evidence_is_held_and_released_by_keyboard_alone(walker: Walker) -> None:
    case = sealed_case(walker, 9)
    enter_as_custodian(walker, "Alex Keeper")
    walker.go(f"/cases/{case}/evidence?lang=en")
    tab_to(walker, "return document.activeElement.textContent", ENGLISH["hold_new"])
    walker.press(Keys.ENTER, Keys.TAB)
    # Letters are letters in a field, also those that are keys of the page.
    walker.press("c 12", Keys.TAB, "an order", Keys.ENTER)
    walker.wait_for("#said", ENGLISH["said_held"].format(about=case))
    tab_to(walker, "return document.activeElement.name", "reason")
    walker.press("it is over", Keys.ENTER)
    walker.wait_for("#said", ENGLISH["said_released"].format(about=case))
    assert complaints(walker.browser) == []


def tab_to(walker: Walker, question: str, answer: str) -> None:
    """Press Tab until the focus is there."""
    for _ in range(60):
        walker.press(Keys.TAB)
        if walker.browser.execute_script(question) == answer:
            return
    raise AssertionError(f"Tab never comes to {answer}")


def test_what_is_due_is_destroyed_on_the_page(walker: Walker) -> None:
    case = sealed_case(walker, 11)
    with walker.house.service.database.writing() as connection:
        # By the machine's operator, who needs nobody else.
        wish = LegalEvent(EventKind.DESTRUCTION_REQUESTED, system_clock(), "letter 9")
        record_event(connection, Subject(case), wish, actor_called("ana"), system_clock, reason="!")
    enter_as_custodian(walker, "Alex Keeper")
    page = f"/cases/{case}/evidence"
    walker.walk(page, "evidence-due")
    walker.go(f"{page}?lang=en")
    walker.browser.execute_script(
        "document.getElementById('destroy-reason').closest('details').open = true"
    )
    walker.look("evidence-destroying")
    fill(walker, destroy_reason="the request of May 3")
    walker.press(Keys.ENTER)
    walker.wait_for("#said", ENGLISH["said_destroyed"].format(about=1))
    walker.walk(page, "evidence-destroyed")
