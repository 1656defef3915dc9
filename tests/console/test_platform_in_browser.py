"""The pages that look after the platform: webhooks, appeals, entries in doubt, and the public's."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network

import pytest
from selenium.webdriver.common.by import By

from tests.cases.telling import uploaded
from tests.cases.world import a_case, decided, matched, person
from tests.console.visitors import signed_in
from tests.console.walking import Walker, walking
from tests.house import running_house
from tests.webhooks.receiver import Receiver, running_receiver
from tutela.accounts.permissions import Role
from tutela.cases.appealing import receive_appeal
from tutela.cases.counting import Counted, Technology, count
from tutela.cases.deciding import Decision
from tutela.cases.grounds import Basis
from tutela.console.language import languages
from tutela.fingerprints.model import Kind
from tutela.hashlists.flagging import open_flags
from tutela.screening.counts import Counts
from tutela.screening.model import Verdict
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings
from tutela.webhooks.endpoints import all_endpoints

ENGLISH = languages()["en"].texts
REVIEWER = person(99)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data",
        cells=1,
        organisation="Example Forum",
        review={"second_look_percent": 0, "second_look_for": [], "undo_seconds": 0},
        webhooks={"private_networks": (ip_network("127.0.0.0/8"),)},
        statistics={"public": True},
    )
    with running_house(settings, system_clock) as house, walking(house) as walker:
        yield walker


def appealed_case(walker: Walker, content: bytes) -> str:
    """A confirmed case that somebody appeals against."""
    house = walker.house
    database = house.service.database
    case = a_case(database, system_clock, content)
    uploaded(database, system_clock, case, "upload-1", "user-1")
    matched(database, system_clock, case, Kind.MD5)
    decided(
        database, system_clock, house.settings, case, REVIEWER, Decision.CONFIRMED, Basis.DIGEST
    )
    with database.writing() as connection:
        words = "It is a picture of our garden.\nI took it last summer."
        receive_appeal(connection, case, words, REVIEWER, system_clock)
    return case


def test_a_webhook_is_added_tested_and_seen_in_the_log(walker: Walker, receiver: Receiver) -> None:
    walker.enter_as(Role.ADMINISTRATOR, name="Sam Keeper")
    walker.walk("/webhooks", "webhooks-none")
    walker.go("/webhooks?lang=en")
    walker.find("#name").send_keys("our forum")
    walker.find("#url").clear()
    walker.find("#url").send_keys(receiver.address)
    walker.browser.find_element(By.CSS_SELECTOR, "form[action='/webhooks'] button.main").click()
    receiver.secrets.append(walker.find("#secret").text)
    walker.look("webhook-secret-light")
    walker.browser.find_element(By.CSS_SELECTOR, "form[action$='/test'] button").click()
    # The page says by itself what was answered, once it was.
    walker.wait_for("#log .tag", ENGLISH["delivery_delivered"])
    assert receiver.types() == ["webhook.test"]
    walker.walk("/webhooks")
    walker.walk("/webhooks/1", "webhook")
    walker.walk("/webhooks/log", "webhook-log")
    walker.walk("/webhooks/log/1", "webhook-delivery")


def test_an_appeal_is_granted_and_its_entry_settled(walker: Walker) -> None:
    house = walker.house
    case = appealed_case(walker, b"appealed")
    appealed_case(walker, b"appealed too")
    walker.enter_as(Role.LEAD, Role.ADMINISTRATOR, name="Robin Lead")
    walker.walk("/appeals")
    walker.walk("/appeals/1", "appeal")
    walker.walk(f"/cases/{case}", "case-under-appeal")
    walker.go("/appeals/1?lang=en")
    walker.find("input[value='granted']").click()
    walker.find("#reason").send_keys("it is a garden")
    walker.browser.find_element(By.CSS_SELECTOR, "form[action='/appeals/1'] button").click()
    walker.wait_for("#said", case)
    with house.service.database.reading() as connection:
        assert [flag.case for flag in open_flags(connection)] == [case]
    walker.walk("/appeals/1", "appeal-granted")
    walker.walk("/lists/flags", "flags")
    walker.go("/lists/flags?lang=en")
    walker.find("input[name='reason']").send_keys("the partner says so")
    walker.find("button[value='withdrawn']").click()
    walker.wait_for("#said", "matches no more")
    walker.walk("/lists/flags", "flags-none")


def test_the_public_sees_past_months(walker: Walker) -> None:
    database = walker.house.service.database
    walker.browser.delete_all_cookies()
    past = system_clock() - timedelta(days=40)
    counts = Counts(lambda: past)
    counts.add(Verdict.CLEAR, files=48_213)
    counts.add(Verdict.MATCH, [1], files=61)
    counts.save(database)
    with database.writing() as connection:
        for what, technology, number in (
            (Counted.OPENED, Technology.EXACT, 38),
            (Counted.CONFIRMED, Technology.EXACT, 36),
            (Counted.NOT_CONFIRMED, Technology.EXACT, 2),
            (Counted.OPENED, Technology.PDQ, 23),
            (Counted.CONFIRMED, Technology.PDQ, 16),
            (Counted.NOT_CONFIRMED, Technology.PDQ, 7),
            (Counted.APPEALED, Technology.PDQ, 6),
            (Counted.UPHELD, Technology.PDQ, 6),
        ):
            for place in range(number):
                waited = timedelta(hours=1 + place)
                count(connection, what, technology, past.date(), waited=waited)
    walker.walk("/transparency")
    walker.go("/transparency?lang=en")
    row = walker.find("tbody tr").text
    assert "38" in row
    assert "<5" in row


def test_what_a_role_lacks_is_not_there(walker: Walker) -> None:
    client, _ = signed_in(walker.house, Role.REVIEWER)
    assert client.get("/webhooks").status_code == 403
    assert client.get("/lists/flags").status_code == 403
    assert "garden" not in client.get("/appeals/2").text
    auditor, _ = signed_in(walker.house, Role.AUDITOR)
    assert '<form method="post" action="/webhooks' not in auditor.get("/webhooks/1").text
    assert auditor.post("/webhooks/1/test").status_code == 403
    unproved, _ = signed_in(walker.house, Role.ADMINISTRATOR, proved=False)
    assert unproved.post("/webhooks/1/rotate").headers["location"].startswith("/prove")
    assert unproved.post("/webhooks/1/test").status_code == 303


def test_what_is_wrong_is_said_beside_what_was_typed(walker: Walker) -> None:
    client, _ = signed_in(walker.house, Role.ADMINISTRATOR)
    answer = client.post(
        "/webhooks", data={"name": "x", "url": "http://192.168.0.1/", "events": []}
    )
    assert answer.status_code == 422
    assert "private network" in answer.text
    assert 'value="http://192.168.0.1/"' in answer.text
    with walker.house.service.database.reading() as connection:
        assert len(all_endpoints(connection, system_clock)) == 1
