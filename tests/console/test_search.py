"""The search page finds what is there, and tells nobody of a fingerprint who may not know."""

import hashlib
import secrets
from collections.abc import Iterator
from html import unescape

import pytest
from sqlalchemy import insert, select, update

from tests.cases.world import a_case
from tests.console.visitors import signed_in
from tests.house import House, running_house
from tutela.accounts.permissions import Permission, Role
from tutela.cases.tables import case_items, cases, subjects
from tutela.console.language import languages
from tutela.ledger.reading import newest_entries
from tutela.ledger.tables import ledger_entries
from tutela.storage.clock import system_clock
from tutela.storage.settings import load_settings

ENGLISH = languages()["en"].texts


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1)
    with running_house(settings, system_clock) as running:
        yield running


def a_whole_case(house: House, content: bytes) -> dict[str, str]:
    """A case with everything that it can be found by."""
    database = house.service.database
    pdq, subject, reference = secrets.token_bytes(32), secrets.token_hex(5), secrets.token_hex(6)
    case = a_case(database, system_clock, content)
    with database.writing() as connection:
        number = connection.execute(
            insert(subjects)
            .values(key=subject, first_seen_at=system_clock())
            .returning(subjects.c.id)
        ).scalar_one()
        connection.execute(update(cases).where(cases.c.id == case).values(subject_id=number))
        connection.execute(
            update(case_items)
            .where(case_items.c.case_id == case)
            .values(pdq=pdq, reference=reference, sha1=hashlib.sha1(content).digest())
        )
    return {
        "case": case,
        "subject": subject,
        "reference": reference,
        "md5": hashlib.md5(content).hexdigest(),
        "sha1": hashlib.sha1(content).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "pdq": pdq.hex(),
    }


def test_a_number_leads_to_its_case_however_it_is_typed(house: House) -> None:
    case = a_whole_case(house, b"number")["case"]
    client, _ = signed_in(house, Role.REVIEWER)
    for text in (case, case.lower(), case.replace("-", ""), f"  {case} "):
        assert client.post("/search", data={"text": text}).headers["Location"] == f"/cases/{case}"


def test_a_case_is_found_by_everything_that_is_known_of_it(house: House) -> None:
    known = a_whole_case(house, b"everything")
    client, _ = signed_in(house, Role.REVIEWER)
    for by in ("subject", "reference", "md5", "sha1", "sha256", "pdq"):
        page = client.post("/search", data={"text": f" {known[by].upper()} "[1:]})
        if by in ("subject", "reference"):
            page = client.post("/search", data={"text": known[by]})
        assert f"/cases/{known['case']}" in page.text, by
        assert ENGLISH.get(f"by_{by}", by.upper()) in page.text, by


def test_what_is_not_there_is_said_to_be_so(house: House) -> None:
    client, _ = signed_in(house, Role.REVIEWER)
    for text in ("", " ", "nobody", "0" * 32, "0" * 64, "x" * 5000, "\x00", "'; --"):
        page = client.post("/search", data={"text": text})
        assert page.status_code == 200, text
        assert ENGLISH["search_nothing"] in page.text


def test_a_fingerprint_is_not_looked_up_for_whoever_may_not_know(house: House) -> None:
    known = a_whole_case(house, b"no oracle")
    client, _ = signed_in(house, Role.INTAKE)
    for by in ("md5", "sha1", "sha256", "pdq"):
        absent = hashlib.sha512(known[by].encode()).hexdigest()[: len(known[by])]
        there = client.post("/search", data={"text": known[by]})
        not_there = client.post("/search", data={"text": absent})
        assert there.text.replace(known[by], "") == not_there.text.replace(absent, ""), by
        assert ENGLISH["search_kept_back"] in unescape(there.text)
    assert f"/cases/{known['case']}" in client.post("/search", data={"text": known["subject"]}).text


def test_whoever_searches_is_in_the_ledger_and_what_they_searched_for_is_not(
    house: House,
) -> None:
    known = a_whole_case(house, b"searched for")
    client, somebody = signed_in(house, Role.AUDITOR)
    asked = ("ab" * 32, known["md5"], known["subject"], known["reference"], "nobody", known["case"])
    for text in (*asked, "", " ", "\x00"):
        client.post("/search", data={"text": text})
    with house.service.database.reading() as connection:
        entries = connection.execute(
            select(ledger_entries)
            .where(
                ledger_entries.c.act == "case.searched", ledger_entries.c.actor == somebody.actor_id
            )
            .order_by(ledger_entries.c.number)
        ).all()
    assert [entry.thing for entry in entries] == [
        "by:sha256:nothing",
        "by:md5:found",
        "by:subject:found",
        "by:reference:found",
        "by:words:nothing",
        "by:number:found",
    ]
    assert not [text for text in asked if text in str(entries)]


def test_a_list_of_one_subjects_cases_is_a_search_as_well(house: House) -> None:
    known = a_whole_case(house, b"listed by subject")
    for subject in (known["subject"], "nobody-there"):
        assert house.client.get("/v1/cases", params={"subject": subject}).status_code == 200
    with house.service.database.reading() as connection:
        newest = newest_entries(connection, 2)
    assert [entry.thing for entry in newest] == ["by:subject:nothing", "by:subject:found"]


def test_programs_find_what_people_find(house: House) -> None:
    known = a_whole_case(house, b"programs")
    for by in ("subject", "reference", "md5", "sha1", "sha256", "pdq"):
        answer = house.client.post("/v1/cases/search", json={"text": known[by]})
        assert [(each["case"], each["by"]) for each in answer.json()["cases"]] == [
            (known["case"], by)
        ]
    blind = house.client_with(Permission.CASES_READ)
    answer = blind.post("/v1/cases/search", json={"text": known["md5"]})
    assert answer.json() == {"cases": []}


def test_what_is_looked_for_is_in_no_address(house: House) -> None:
    client, _ = signed_in(house, Role.REVIEWER)
    page = client.get("/search").text
    assert '<form method="post" action="/search"' in page


def test_administrators_do_not_search_cases(house: House) -> None:
    client, _ = signed_in(house, Role.ADMINISTRATOR)
    assert client.get("/search").status_code == 403
    assert client.post("/search", data={"text": "x"}).status_code == 403
