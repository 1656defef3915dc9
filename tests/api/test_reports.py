"""Reports over HTTP: a platform supplies, people write, sign and agree, and nobody else does."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from tests.api.test_cases import one
from tests.house import House
from tests.reporting.desks import confirmed, set_up
from tests.reporting.world import World
from tutela.accounts.permissions import Permission, Role
from tutela.ledger.tables import ledger_entries
from tutela.reporting.delivery.doubting import doubt_unsent
from tutela.reporting.delivery.going_live import PHRASE
from tutela.reporting.delivery.resting import stop_channel
from tutela.reporting.model import ChannelKind
from tutela.storage.settings import Approval, CyberTipline, ReportsTo

SUPPLIED = {
    "reported": {
        "screen_name": "example-name",
        "person": {"emails": [{"address": "a@example.org"}]},
        "ip_capture_events": [{"ip_address": "192.0.2.7", "possible_proxy": True}],
    },
    "victims": [{"person": {"age": 13}}],
    "uploads": [{"reference": "upload-1", "publicly_available": False}],
}


@pytest.fixture
def house(make_house, settings) -> Iterator[House]:
    with make_house(reporting=set_up(settings, approval=Approval.ALWAYS).reporting) as running:
        yield running


@pytest.fixture
def world(house: House) -> World:
    service = house.service
    return World(service.settings, service.database, service.screening.vault, service.clock)


def sent(client: httpx.Client, method: str, path: str, status: int = 200, **json: object) -> dict:
    answer = client.request(method, f"/v1{path}", json=json or {})
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else {}


def test_a_report_is_written_signed_and_agreed_to_over_http(house: House, world: World) -> None:
    anna, lead = one(house, 1, Role.REVIEWER), one(house, 2, Role.LEAD)
    forum = house.client_with(Permission.SUBJECTS_WRITE)
    case = confirmed(world, b"a landscape", words="words of the chat")
    assert sent(anna, "GET", f"/cases/{case}/reports") == {"reports": [], "next": None}
    (report,) = sent(anna, "POST", f"/cases/{case}/reports", 201)["reports"]
    sent(anna, "POST", f"/cases/{case}/reports", 409, authority="us-ncmec")
    again = sent(anna, "POST", f"/cases/{case}/reports", 201)
    assert again["reports"] == []
    why = {each["authority"]: each["words"] for each in again["left_out"]}
    assert why["us-ncmec"] == f"report {report} is there already, and is a draft"
    assert all(why.values())
    taken = sent(forum, "POST", "/subjects/user-1/data", case=case, **SUPPLIED)
    assert taken == {"case": case, "drafts": [report]}
    shown = sent(anna, "GET", f"/reports/{report}")
    assert shown["content"]["victims"] == [{"person": {"age": 13}}]
    assert "words of the chat" in str(shown)
    auditor = one(house, 3, Role.AUDITOR)
    for way in ("", "/preview"):
        hidden = sent(auditor, "GET", f"/reports/{report}{way}")
        assert ("words of the chat" in str(hidden), hidden["seal"]) == (False, None)
    assert shown["problems"] == []
    (file,) = shown["files"]
    assert file["details"]["publicly_available"] is False
    item = file["item"]
    changes = {f"files.{item}.industry_classification": "A1", "additional_info": "read this"}
    written = sent(anna, "PATCH", f"/reports/{report}", changes=changes)
    assert written["content"]["additional_info"] == "read this"
    preview = sent(anna, "GET", f"/reports/{report}/preview")
    assert [each["name"] for each in preview["documents"]] == ["report.xml", "file-1.xml"]
    assert "<additionalInfo>read this</additionalInfo>" in preview["documents"][0]["text"]
    assert "<reportId>(given by the authority)</reportId>" in preview["documents"][1]["text"]
    sent(anna, "POST", f"/reports/{report}/sign", 422)
    sent(anna, "POST", f"/reports/{report}/sign", 409, seal=shown["seal"])
    read = {"seal": written["seal"]}
    assert preview["seal"] == written["seal"] != shown["seal"]
    assert sent(anna, "POST", f"/reports/{report}/sign", **read)["state"] == "signed"
    sent(anna, "POST", f"/reports/{report}/approve", 403, **read)
    sent(anna, "POST", f"/reports/{report}/send", 409)
    sent(lead, "POST", f"/reports/{report}/approve", 409, seal=shown["seal"])
    seal = sent(lead, "GET", f"/reports/{report}")["seal"]
    assert sent(lead, "POST", f"/reports/{report}/approve", seal=seal)["state"] == "approved"
    assert sent(anna, "POST", f"/reports/{report}/return", reason="more")["state"] == "draft"
    assert sent(anna, "POST", f"/reports/{report}/refill")["content"]["additional_info"]
    assert sent(anna, "DELETE", f"/reports/{report}/files/{item}")["files"] == []
    gone = sent(anna, "POST", f"/reports/{report}/discard", reason="of the wrong case")
    assert gone["state"] == "discarded"
    assert sent(anna, "GET", f"/reports/{report}")["content"] is None
    sent(anna, "GET", f"/reports/{report}/preview", 409)
    sent(anna, "POST", f"/reports/{report}/correct", 409)
    with house.service.database.reading() as connection:
        acts = set(
            connection.execute(
                select(ledger_entries.c.act).where(ledger_entries.c.case_id == case)
            ).scalars()
        )
    assert {"report.read", "report.changed", "report.approved", "subject.supplied"} <= acts


def test_a_program_signs_nothing_and_reads_nothing(house: House, world: World) -> None:
    case = confirmed(world, b"a landscape")
    (report,) = sent(house.client, "POST", f"/cases/{case}/reports", 201)["reports"]
    seal = sent(house.client, "GET", f"/reports/{report}")["seal"]
    sent(house.client, "POST", f"/reports/{report}/sign", 403, seal=seal)
    sent(house.client, "POST", f"/reports/{report}/discard", 403, reason="of no use")
    forum = house.client_with(Permission.SUBJECTS_WRITE)
    sent(forum, "GET", f"/reports/{report}", 403)
    assert sent(house.client, "POST", f"/cases/{case}/subject/wanted", 204) == {}


def test_only_what_a_channel_knows_is_taken_and_only_of_the_case(
    house: House, world: World
) -> None:
    case = confirmed(world, b"a landscape")
    for body in (
        {"friends": ["somebody"]},
        {"reported": {"religion": "a faith"}},
        {"uploads": [{"reference": "of-somebody-else"}]},
    ):
        refused = house.client.post("/v1/subjects/user-1/data", json={"case": case, **body})
        assert refused.status_code == 422, refused.text
        assert "a faith" not in refused.text
    sent(house.client, "POST", "/subjects/user-2/data", 404, case=case)
    sent(house.client, "POST", "/subjects/user-1/data", 404, case="ZZZZ-ZZZZ-ZZZZ")


def test_a_key_with_a_slash_in_it_is_a_key(house: House, world: World) -> None:
    case = confirmed(world, b"a landscape", subject="users/5")
    assert sent(house.client, "POST", "/subjects/users/5/data", case=case)["case"] == case
    assert sent(house.client, "POST", "/subjects/users%2F5/data", case=case)["case"] == case


def test_reports_are_listed_in_pages(house: House, world: World) -> None:
    made = []
    for _ in range(3):
        case = confirmed(world, b"a landscape")
        made += sent(house.client, "POST", f"/cases/{case}/reports", 201)["reports"]
    page = sent(house.client, "GET", "/reports?limit=2&state=draft")
    assert [each["id"] for each in page["reports"]] == [made[2], made[1]]
    last = sent(house.client, "GET", f"/reports?limit=2&before={page['next']}")
    assert ([each["id"] for each in last["reports"]], last["next"]) == ([made[0]], None)
    assert sent(house.client, "GET", "/reports?authority=xx")["reports"] == []


def test_what_is_in_doubt_after_a_restore_is_settled_over_http(house: House, world: World) -> None:
    drafts = []
    for _ in range(3):
        case = confirmed(world, b"a landscape")
        drafts += sent(house.client, "POST", f"/cases/{case}/reports", 201)["reports"]
    first, second, third = drafts
    assert sent(house.client, "GET", "/reports/doubts") == {"count": 0, "reports": [], "next": None}
    with world.database.writing() as connection:
        doubt_unsent(connection, world.clock())
    page = sent(house.client, "GET", "/reports/doubts?limit=2")
    assert ([each["id"] for each in page["reports"]], page["next"]) == ([first, second], second)
    last = sent(house.client, "GET", f"/reports/doubts?after={page['next']}")
    assert ([each["id"] for each in last["reports"]], last["count"]) == ([third], 3)
    lead, reviewer = one(house, 1, Role.LEAD), one(house, 2, Role.REVIEWER)
    number, why = {"number": "1234567"}, {"reason": "not among what they have"}
    for way, said in (("was-sent", number), ("not-sent", why)):
        # A reviewer lacks the permission, and a program is nobody who stands for it.
        sent(reviewer, "POST", f"/reports/{first}/{way}", 403, **said)
        sent(house.client, "POST", f"/reports/{first}/{way}", 403, **said)
        sent(lead, "POST", f"/reports/{first}/{way}", 422)
        sent(lead, "POST", f"/reports/999/{way}", 404, **said)
    sent(lead, "POST", f"/reports/{first}/was-sent", 422, number="a-word")
    assert sent(lead, "POST", f"/reports/{first}/was-sent", **number)["doubted_since"]
    assert sent(lead, "POST", f"/reports/{second}/not-sent", **why)["doubted_since"] is None
    sent(lead, "POST", f"/reports/{second}/not-sent", 409, **why)
    assert sent(house.client, "GET", "/reports/doubts")["count"] == 2


def test_a_way_goes_on_and_goes_live_over_http(make_house, settings) -> None:
    live = set_up(settings, cybertipline=CyberTipline(environment=ReportsTo.LIVE)).reporting
    with make_house(reporting=live) as house:
        database, clock = house.service.database, house.service.clock
        lead, administrator = one(house, 1, Role.LEAD), one(house, 2, Role.ADMINISTRATOR)
        way = {"channel": "cybertipline", "authority": "us-ncmec"}
        sent(administrator, "POST", "/reports/channels/resume", 404, **way)
        with database.writing() as connection:
            stop_channel(connection, ChannelKind.CYBERTIPLINE, "us-ncmec", "it says no", clock)
        (stopped,) = sent(lead, "GET", "/reports/channels")["channels"]
        assert (stopped["why"], stopped["live_at"]) == ("it says no", None)
        sent(lead, "POST", "/reports/channels/resume", 403, **way)
        by_hand = {**way, "channel": "form"}
        sent(administrator, "POST", "/reports/channels/resume", 422, **by_hand)
        went_on = sent(administrator, "POST", "/reports/channels/resume", **way)
        assert (went_on["stopped_at"], went_on["why"]) == (None, None)
        sure = {"typed": PHRASE}
        for nobody in (administrator, house.client):
            sent(nobody, "POST", "/reports/live", 403, **sure)
        sent(lead, "POST", "/reports/live", 422, typed="yes")
        assert sent(lead, "POST", "/reports/live", **sure)["live_by"].startswith("key:")
