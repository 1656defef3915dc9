"""The directory of authorities over HTTP: read, explained, confirmed and changed."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from tests.actors import custodians_key
from tests.conftest import TurnedClock
from tests.house import House, running_house
from tests.reporting.authorities.confirmed import confirmed_case
from tutela.accounts.permissions import Permission
from tutela.ledger.tables import ledger_entries
from tutela.storage.settings import load_settings

CLOCK = TurnedClock()
SOURCE = {"source": "our counsel's letter"}


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


@pytest.fixture(scope="module")
def reader(house: House) -> httpx.Client:
    return house.client_with(Permission.CASES_READ)


@pytest.fixture(scope="module")
def writer(house: House) -> httpx.Client:
    return house.client_with(Permission.AUTHORITIES_WRITE)


def applying(answer: httpx.Response) -> list[str | None]:
    return [each["authority"] for each in answer.json()["routes"] if each["outcome"] == "applies"]


def test_the_directory_says_who_stands_for_each_row(reader) -> None:
    answer = reader.get("/v1/authorities").json()
    assert answer["establishment"] == "US"
    standings = {each["row"]: each["standing"] for each in answer["duties"]}
    assert standings["us-2258a-apparent"] == "verified"
    assert standings["nz-voluntary"] == "unverified"
    ncmec = next(each for each in answer["authorities"] if each["row"] == "us-ncmec")
    assert ncmec["checked_on"] == "2026-11-29"
    assert ncmec["channels"][0]["ready"] is True


def test_a_route_is_explained_for_given_countries(reader) -> None:
    answer = reader.get("/v1/authorities/route", params={"subject": "DE", "incident": "danger"})
    assert applying(answer) == ["us-ncmec", "de-bka"]
    elsewhere = reader.get("/v1/authorities/route", params={"establishment": "GB"})
    assert applying(elsewhere) == ["gb-nca"]
    found = next(each for each in elsewhere.json()["routes"] if each["outcome"] == "applies")
    assert found["reasons"][0]["words"] == "your service is established in GB"
    assert reader.get("/v1/authorities/route", params={"subject": "de"}).status_code == 422


def test_a_row_is_confirmed_and_withdrawn(reader, writer) -> None:
    confirmed = writer.post("/v1/authorities/rows/au-afp/confirm", json=SOURCE)
    assert confirmed.status_code == 200
    assert confirmed.json()["confirmed_source"] == SOURCE["source"]
    assert confirmed.json()["confirmed_by"].startswith("key:")
    assert writer.post("/v1/authorities/rows/au-afp/confirm", json=SOURCE).status_code == 409
    duty = writer.post("/v1/authorities/rows/au-criminal-code-474-25/confirm", json=SOURCE)
    assert duty.json()["binding"] == "must"
    assert applying(reader.get("/v1/authorities/route?establishment=AU")) == ["au-afp"]
    withdrawn = writer.post("/v1/authorities/rows/au-afp/withdraw", json={"reason": "amended"})
    assert withdrawn.json()["standing"] == "unverified"
    assert applying(reader.get("/v1/authorities/route?establishment=AU")) == []
    again = writer.post("/v1/authorities/rows/au-afp/withdraw", json={"reason": "amended"})
    assert again.status_code == 404


def test_an_authority_is_added_and_its_way_is_set(house: House, reader, writer) -> None:
    new = {
        "id": "fr-hotline",
        "name": "The hotline",
        "country": "FR",
        "kind": "hotline",
        "duty": {
            "concerned": ["FR"],
            "incidents": ["material"],
            "binding": "may",
            "law": "our agreement",
        },
        **SOURCE,
    }
    assert writer.post("/v1/authorities", json=new).status_code == 201
    assert writer.post("/v1/authorities", json=new).status_code == 409
    way = "/v1/authorities/fr-hotline/channels/sealed-mail"
    half = writer.put(way, json={"address": "desk@hotline.example", **SOURCE}).json()
    assert (half["lacks"], half["ready"]) == ("its public key", False)
    assert writer.put(way, json={"recipients": "nonsense", **SOURCE}).status_code == 422
    key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    assert writer.put(way, json={"recipients": key, **SOURCE}).json()["ready"] is False
    stand = "/v1/authorities/rows/fr-hotline:sealed-mail/confirm"
    assert writer.post(stand, json=SOURCE).status_code == 403, "nobody says alone where it goes"
    with house.service.database.writing() as connection:
        scopes = (Permission.CASES_READ, Permission.AUTHORITIES_WRITE)
        another = custodians_key(connection, "Robin", CLOCK, *scopes)
    other = house.stranger({"Authorization": f"Bearer {another}"})
    assert other.post(stand, json=SOURCE).json()["ready"] is True
    assert other.put(way, json={"address": "mine@else.example", **SOURCE}).json()["ready"] is False
    assert other.post(stand, json=SOURCE).status_code == 403, "nor who changes it"
    shown = reader.get("/v1/authorities/fr-hotline").json()
    assert shown["channels"][0]["recipients"] == [key]
    found = reader.get("/v1/authorities/route?victim=FR")
    assert applying(found) == ["us-ncmec", "fr-hotline"]


def test_a_case_is_weighed_and_the_ledger_says_who_asked(house: House, reader) -> None:
    case = confirmed_case(house.service.database, CLOCK())
    answer = reader.get(f"/v1/authorities/cases/{case.lower()}").json()
    assert answer["incidents"] == ["material"]
    assert answer["told"] == []
    (clock,) = answer["clocks"]
    assert (clock["authority"], clock["by_law"], clock["overdue"]) == ("us-ncmec", False, False)
    with house.service.database.reading() as connection:
        last = select(ledger_entries.c.act).where(ledger_entries.c.case_id == case)
        assert list(connection.execute(last).scalars()) == ["case.read"]
    assert reader.get("/v1/authorities/cases/ZZZZ-ZZZZ-ZZZZ").status_code == 404


def test_who_only_reads_confirms_nothing(reader) -> None:
    refused = reader.post("/v1/authorities/rows/nz-dia/confirm", json=SOURCE)
    assert refused.status_code == 403


@pytest.mark.parametrize("path", ["/v1/authorities/nobody"])
def test_what_is_not_there_is_named(reader, path: str) -> None:
    answer = reader.get(path)
    assert answer.status_code == 404
    assert 'no authority "nobody"' in answer.json()["detail"]
