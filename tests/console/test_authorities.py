"""The page of authorities over HTTP: what it says, what it changes, and whom it lets do so."""

import re
from collections.abc import Iterator

import pytest

from tests.cases.world import OPERATOR
from tests.conftest import TurnedClock
from tests.console.visitors import signed_in
from tests.house import House, running_house
from tests.reporting.authorities.confirmed import confirmed_case
from tutela.accounts.permissions import Role
from tutela.console.language import languages
from tutela.ledger.reading import newest_entries
from tutela.reporting.authorities.model import (
    AuthorityKind,
    Binding,
    Incident,
    Origin,
    Standing,
)
from tutela.reporting.authorities.routing import Because, Outcome
from tutela.reporting.authorities.told import Relation
from tutela.reporting.model import ChannelKind
from tutela.reporting.moving import begin
from tutela.reporting.states import State
from tutela.storage.settings import load_settings

CLOCK = TurnedClock()
ENGLISH = languages()["en"].texts
ON = {"source": "our counsel's letter"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data",
        cells=1,
        job_threads=0,
        reporting={"establishment": "US"},
    )
    with running_house(settings, CLOCK) as house:
        yield house


def test_every_word_of_the_directory_is_in_the_texts() -> None:
    for prefix, words in {
        "authority_kind": AuthorityKind,
        "way": ChannelKind,
        "standing": Standing,
        "origin": Origin,
        "binding": Binding,
        "incident": Incident,
        "route": Outcome,
        "because": Because,
        "told": Relation,
        "telling": set(State) - {State.DISCARDED},
    }.items():
        for word in words:
            assert f"{prefix}_{word.replace('-', '_')}" in ENGLISH


def test_the_page_says_which_row_is_verified_and_on_what_day(house: House) -> None:
    reader, _ = signed_in(house, Role.REVIEWER)
    page = reader.get("/authorities").text
    assert "Your service is established in US." in page
    assert ENGLISH["standing_verified"] in page
    assert "2026-11-29" in page
    assert '<form method="post" action="/authorities' not in page
    row = reader.get("/authorities/us-2258a-apparent").text
    assert "law.cornell.edu" in row
    assert "as soon as reasonably possible after obtaining actual knowledge" in row
    assert ENGLISH["row_no_source"] in reader.get("/authorities/au-afp").text
    assert reader.get("/authorities/nobody").status_code == 404


def test_it_explains_to_whom_a_case_would_go(house: House) -> None:
    reader, _ = signed_in(house, Role.AUDITOR)
    page = reader.get("/authorities?subject=de&victim=&incident=danger").text
    assert "the subject is in DE" in page
    assert "Bundeskriminalamt" in page
    assert "it is only for: material on the service" in page
    wrong = reader.get("/authorities?subject=D1&incident=danger")
    assert wrong.status_code == 422
    assert "write two letters" in wrong.text
    french, _ = signed_in(house, Role.AUDITOR, language="fr")
    assert "votre service est établi dans US" in french.get("/authorities?incident=material").text


def test_what_the_directory_says_is_said_in_the_readers_language(house: House) -> None:
    auditor, _ = signed_in(house, Role.AUDITOR)
    law = auditor.get("/authorities/us-2258a-apparent?lang=fr").text
    # The law's own words stay, with what we make of them.
    assert '<bdi lang="en">as soon as reasonably possible after obtaining actual knowledge' in law
    assert "raisonnablement possible" in law
    assert languages()["fr"].texts["directory_translated"] in law
    assert "18 U.S.C. 2258A(a)(1)(A)(i)" in law
    assert "The law names no number of hours" not in law
    everybody = auditor.get("/authorities/hotline-of-the-country?lang=ar").text
    assert "what hotlines" not in everybody
    english = auditor.get("/authorities/us-2258a-apparent?lang=en").text
    assert ENGLISH["directory_translated"] not in english


def test_what_is_missing_is_called_in_the_readers_language(house: House) -> None:
    auditor, _ = signed_in(house, Role.AUDITOR)
    page = auditor.get("/authorities?lang=fr&incident=danger&victim=FR").text
    assert "police du pays FR" in page
    assert "police of" not in page


def test_a_row_is_confirmed_and_withdrawn_by_name(house: House) -> None:
    custodian, _ = signed_in(house, Role.CUSTODIAN, name="Kim Keeper")
    assert custodian.post("/authorities/nz-dia/confirm", data={"source": " "}).status_code == 422
    done = custodian.post("/authorities/nz-dia/confirm", data=ON)
    assert done.headers["location"] == "/authorities/nz-dia"
    assert custodian.post("/authorities/nz-dia/confirm", data=ON).status_code == 422
    reader, _ = signed_in(house, Role.REVIEWER)
    page = reader.get("/authorities/nz-dia").text
    assert "Kim Keeper" in page
    assert "our counsel&#39;s letter" in page
    assert custodian.post("/authorities/nz-dia/withdraw", data={"reason": ""}).status_code == 422
    gone = custodian.post("/authorities/nz-dia/withdraw", data={"reason": "it was amended"})
    assert gone.status_code == 303
    assert ENGLISH["standing_unverified"] in reader.get("/authorities/nz-dia").text


def test_an_authority_is_added_and_its_way_is_set(house: House) -> None:
    custodian, _ = signed_in(house, Role.CUSTODIAN)
    new = {"id": "fr-hotline", "name": "The hotline", "country": "fr", "kind": "hotline", **ON}
    refused = custodian.post("/authorities", data=new | {"country": "France"})
    assert refused.status_code == 422
    assert 'value="fr-hotline"' in refused.text
    added = custodian.post("/authorities", data=new)
    assert added.headers["location"] == "/authorities/fr-hotline"
    ways = "/authorities/fr-hotline/ways"
    way = {"kind": "sealed-mail", "address": "desk@hotline.example", **ON}
    assert custodian.post(ways, data=way | {"address": "desk"}).status_code == 422
    assert custodian.post(ways, data=way).status_code == 303
    page = custodian.get("/authorities/fr-hotline").text
    assert ENGLISH["way_incomplete"] in page
    key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    assert custodian.post(ways, data=way | {"recipients": key}).status_code == 303
    row = "/authorities/fr-hotline:sealed-mail"
    assert key in custodian.get(row).text
    own = custodian.post(f"{row}/confirm", data=ON)
    assert own.status_code == 422
    assert "another person has to confirm it" in own.text
    other, _ = signed_in(house, Role.CUSTODIAN, name="Robin")
    assert other.post(f"{row}/confirm", data=ON).status_code == 303
    assert ENGLISH["way_incomplete"] not in custodian.get("/authorities/fr-hotline").text


def test_what_is_wrong_with_a_new_authority_is_said_in_the_readers_language(house: House) -> None:
    custodian, _ = signed_in(house, Role.CUSTODIAN)
    new = ON | {"id": "fr-police", "name": "x" * 201, "country": "FR", "kind": "police"}
    said = {}
    for tag in ("en", "fr", "ar"):
        refused = custodian.post(f"/authorities?lang={tag}", data=new)
        assert refused.status_code == 422
        (said[tag],) = re.findall(r'<p class="wrong" role="alert">(.*?)</p>', refused.text)
    assert said["en"] == "name: is longer than 200 characters; see docs/authorities.md"
    assert said["fr"].endswith("dépasse <bdi>200</bdi> caractères (voyez docs/authorities.md)")
    assert said["ar"].startswith(f"{languages()['ar'].texts['authority_name']}: أطول من")


def test_a_case_says_to_whom_it_goes_who_was_told_and_until_when(house: House) -> None:
    case = confirmed_case(house.service.database, CLOCK())
    with house.service.database.writing() as connection:
        begin(connection, case, "us-ncmec", ChannelKind.CYBERTIPLINE, OPERATOR, CLOCK)
    reader, person = signed_in(house, Role.REVIEWER)
    page = reader.get(f"/cases/{case}/authorities").text
    assert "24 hours after the case was confirmed, as this house has it" in page
    assert ENGLISH["telling_draft"] in page
    assert f'href="/cases/{case}/authorities"' in reader.get(f"/cases/{case}").text
    german = reader.get(f"/cases/{case}/authorities?victim=de&incident=danger").text
    assert "the victim is in DE" in german
    assert "Bundeskriminalamt" in german
    french = reader.get(f"/cases/{case}/authorities?lang=fr").text
    clocks = french.partition('id="clocks"')[2].partition("</section>")[0]
    assert '<bdi lang="en">18 U.S.C.' in clocks
    assert reader.get(f"/cases/{case}/authorities?victim=d").status_code == 422
    assert reader.get("/cases/ZZZZ-ZZZZ-ZZZZ/authorities").status_code == 404
    with house.service.database.reading() as connection:
        (entry, *_) = newest_entries(connection, 1)
    assert (entry.act, entry.case, entry.actor) == ("case.read", case, f"person:{person.id}")


def test_nothing_is_changed_without_a_recent_proof_or_the_permission(house: House) -> None:
    unproved, _ = signed_in(house, Role.CUSTODIAN, proved=False)
    led = unproved.post("/authorities/gb-iwf/confirm", data=ON)
    assert led.headers["location"].startswith("/prove?")
    reader, _ = signed_in(house, Role.LEAD)
    assert reader.post("/authorities/gb-iwf/confirm", data=ON).status_code == 403
    assert ENGLISH["standing_unverified"] in reader.get("/authorities/gb-iwf").text
