"""``/reports``: a report is begun, written, signed, agreed to and let go on its pages."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape

import httpx
import pytest

from tests.cases.world import OPERATOR
from tests.console.reported import (
    ENGLISH,
    begun,
    confirmed_in,
    desk_in,
    reporting_house,
    sent_report,
    stopped_report,
)
from tests.console.visitors import signed_in
from tests.house import House
from tests.reporting.world import NCMEC
from tutela.accounts.permissions import Role
from tutela.cases.exposure import exposure_today
from tutela.cases.facts import Fact
from tutela.cases.model import CaseId
from tutela.cases.viewing import Why
from tutela.cases.viewings import viewings_of_case
from tutela.ledger.reading import newest_entries
from tutela.reporting.delivery.doubting import doubt_unsent
from tutela.reporting.drafts.reading import draft_of
from tutela.reporting.finding import find_report
from tutela.reporting.model import ReportId
from tutela.reporting.states import State
from tutela.sandbox.model import Level, Shown
from tutela.storage.settings import Approval, CyberTipline, ReportsTo


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with reporting_house(folder / "data", approval=Approval.UNLISTED) as house:
        yield house


@pytest.fixture
def reviewer(house: House) -> httpx.Client:
    client, _ = signed_in(house, Role.REVIEWER, name="Anna")
    return client


def typed(page: httpx.Response) -> dict[str, list[str]]:
    """What a browser would send of the form on a page, as it is."""
    form = page.text[page.text.index('id="writing"') :]
    form = form[: form.index("</form>")]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(unescape(value))
    for name, value in re.findall(
        r'<input id="f-[^"]*" name="([^"]+)"[^>]*? value="([^"]*)"', form
    ):
        found.setdefault(name, []).append(unescape(value))
    for name, value in re.findall(
        r'<input type="checkbox" name="([^"]+)" value="([^"]*)" checked', form
    ):
        found.setdefault(name, []).append(unescape(value))
    for name, words in re.findall(
        r'<textarea id="[^"]*" name="([^"]+)"[^>]*>([^<]*)</textarea>', form
    ):
        found.setdefault(name, []).append(unescape(words).replace("\n", "\r\n"))
    for name, inner in re.findall(r'<select id="[^"]*" name="([^"]+)"[^>]*>(.*?)</select>', form):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        found.setdefault(name, []).append(chosen[1] if chosen else "")
    return found


def seal(page: httpx.Response) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]{64})"', page.text)
    assert found
    return found[1]


def state_of(house: House, report: int) -> State:
    with house.service.database.reading() as connection:
        return find_report(connection, ReportId(report)).state


def values_of(house: House, report: int) -> dict:
    with house.service.database.reading() as connection:
        return dict(draft_of(connection, desk_in(house).secrets, ReportId(report)).values)


def acts(house: House, case: CaseId) -> list[str]:
    with house.service.database.reading() as connection:
        return [entry.act for entry in reversed(newest_entries(connection, 50, case))]


def test_a_report_goes_from_its_case_to_the_queue(house: House, reviewer: httpx.Client) -> None:
    case = confirmed_in(house, b"a landscape", listed=True)
    card = reviewer.get(f"/cases/{case}").text
    assert ENGLISH["report_owed"] in card
    assert ENGLISH["report_due"] in card
    begun = reviewer.post(f"/cases/{case}/reports", data={"authority": NCMEC})
    report = int(begun.headers["location"].rpartition("/")[2])
    again = reviewer.post(f"/cases/{case}/reports", data={"authority": NCMEC})
    assert again.status_code == 409
    page = reviewer.get(f"/reports/{report}")
    assert "<report>" in unescape(page.text)
    signed = reviewer.post(f"/reports/{report}/sign", data={"seal": seal(page)})
    assert signed.status_code == 303, signed.text
    assert state_of(house, report) in (State.SIGNED, State.QUEUED)
    assert f"/reports/{report}" in reviewer.get(f"/cases/{case}").text
    assert "report.read" in acts(house, case)


def test_what_nobody_changes_is_not_written(house: House, reviewer: httpx.Client) -> None:
    case = confirmed_in(house, b"one", b"two", words="words of the chat\nand more")
    report = begun(house, case, OPERATOR)
    before = values_of(house, report)
    answer = reviewer.post(f"/reports/{report}", data=typed(reviewer.get(f"/reports/{report}")))
    assert answer.status_code == 303, answer.text
    assert values_of(house, report) == before
    assert "report.changed" not in acts(house, case)


def test_words_are_shown_to_whoever_may_look_at_evidence_and_count(
    house: House, reviewer: httpx.Client
) -> None:
    case = confirmed_in(house, b"three", words="words of the chat", subject="user-9")
    report = begun(house, case, OPERATOR)
    auditor, _ = signed_in(house, Role.AUDITOR)
    assert "words of the chat" not in auditor.get(f"/reports/{report}").text
    with house.service.database.reading() as connection:
        assert viewings_of_case(connection, CaseId(case)) == []
    for _ in range(2):
        assert "words of the chat" in reviewer.get(f"/reports/{report}").text
    with house.service.database.reading() as connection:
        (look,) = viewings_of_case(connection, CaseId(case))
        assert (look.level, look.shown, look.why) == (Level.PART, Shown.TEXT, Why.DESCRIBE)
        assert exposure_today(connection, look.person, house.service.clock).items == 1
    assert acts(house, case).count("evidence.viewed") == 1


def test_a_case_of_words_alone_is_written_and_signed(house: House, reviewer: httpx.Client) -> None:
    case = confirmed_in(
        house, words="words of the chat", facts=(Fact.SEXUAL_EXTORTION,), subject="user-2"
    )
    report = begun(house, case, OPERATOR)
    page = reviewer.get(f"/reports/{report}")
    assert ENGLISH["report_files_none"] in page.text
    added = reviewer.post(f"/reports/{report}", data=typed(page) | {"add": "victims"})
    page = reviewer.get(added.headers["location"])
    fields = typed(page)
    fields["victims.0.person.age"] = ["13"]
    fields["victims.0.screen_name"] = ["sam"]
    fields["intended_recipients.0.screen_name"] = ["kim"]
    saved = reviewer.post(f"/reports/{report}", data=fields)
    assert saved.status_code == 303, saved.text
    values = values_of(house, report)
    assert values["victims"] == [{"person": {"age": 13}, "screen_name": "sam"}]
    assert values["intended_recipients"] == [{"screen_name": "kim"}]
    page = reviewer.get(f"/reports/{report}")
    assert "<screenName>sam</screenName>" in unescape(page.text)
    removed = reviewer.post(
        f"/reports/{report}", data=typed(page) | {"remove": "intended_recipients.0"}
    )
    assert removed.status_code == 303, removed.text
    assert "intended_recipients" not in values_of(house, report)
    page = reviewer.get(f"/reports/{report}")
    assert reviewer.post(f"/reports/{report}/sign", data={"seal": seal(page)}).status_code == 303


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    house: House, reviewer: httpx.Client
) -> None:
    report = begun(house, confirmed_in(house, b"wrong", subject="user-3"), OPERATOR)
    fields = typed(reviewer.get(f"/reports/{report}"))
    fields["person_or_user_reported.ip_capture_events.0.ip_address"] = ["192.0.2.300"]
    fields["person_or_user_reported.screen_name"] = ["sam"]
    refused = reviewer.post(f"/reports/{report}", data=fields)
    assert refused.status_code == 422
    assert 'value="192.0.2.300"' in refused.text
    assert 'value="sam"' in refused.text
    place = "f-person_or_user_reported-ip_capture_events-0-ip_address"
    assert f'id="{place}-wrong"' in refused.text
    assert f'aria-describedby="{place}-help {place}-wrong" aria-invalid="true"' in refused.text
    assert "screen_name" not in values_of(house, report)["person_or_user_reported"]


def test_nobody_overwrites_or_signs_what_they_never_saw(
    house: House, reviewer: httpx.Client
) -> None:
    report = begun(house, confirmed_in(house, b"two at once", subject="user-4"), OPERATOR)
    page = reviewer.get(f"/reports/{report}")
    mine, theirs = typed(page), typed(page)
    theirs["additional_info"] = ["theirs"]
    assert reviewer.post(f"/reports/{report}", data=theirs).status_code == 303
    mine["additional_info"] = ["mine"]
    refused = reviewer.post(f"/reports/{report}", data=mine)
    assert refused.status_code == 409
    assert ">mine</textarea>" in refused.text
    assert ENGLISH["wrong_ChangedMeanwhileError"] in unescape(refused.text)
    late = reviewer.post(f"/reports/{report}/sign", data={"seal": seal(page)})
    assert late.status_code == 409
    assert (values_of(house, report)["additional_info"], state_of(house, report)) == (
        "theirs",
        State.DRAFT,
    )


def test_whether_a_file_was_viewed_is_shown_and_cannot_be_written(
    house: House, reviewer: httpx.Client
) -> None:
    report = begun(house, confirmed_in(house, b"not viewed", subject="user-5"), OPERATOR)
    page = reviewer.get(f"/reports/{report}")
    assert ENGLISH["report_by_record"] in page.text
    assert not [name for name in typed(page) if "viewed_by_esp" in name]
    item = next(name.split(".")[1] for name in typed(page) if name.startswith("files."))
    forced = typed(page) | {
        f"files.{item}.file_viewed_by_esp": ["true"],
        f"files.{item}.publicly_available": ["true"],
    }
    assert reviewer.post(f"/reports/{report}", data=forced).status_code == 303
    with house.service.database.reading() as connection:
        (file,) = draft_of(connection, desk_in(house).secrets, report).files
    assert (file.values["file_viewed_by_esp"], file.values["publicly_available"]) == (False, True)


def test_a_file_is_left_out(house: House, reviewer: httpx.Client) -> None:
    report = begun(house, confirmed_in(house, b"in", b"out", subject="user-6"), OPERATOR)
    with house.service.database.reading() as connection:
        first, second = draft_of(connection, desk_in(house).secrets, report).files
    out = reviewer.post(f"/reports/{report}/files/{first.item}/remove")
    assert out.status_code == 303
    with house.service.database.reading() as connection:
        assert draft_of(connection, desk_in(house).secrets, report).files == (second,)


def test_a_second_person_agrees_where_it_is_asked_for(house: House, reviewer: httpx.Client) -> None:
    report = begun(house, confirmed_in(house, b"unlisted", subject="user-7"), OPERATOR)
    page = reviewer.get(f"/reports/{report}")
    reviewer.post(f"/reports/{report}/sign", data={"seal": seal(page)})
    assert f"/reports/{report}" in reviewer.get("/reports?tab=to-approve").text
    assert ENGLISH["report_approve_not_own"] in reviewer.get(f"/reports/{report}").text
    assert reviewer.post(f"/reports/{report}/approve").status_code == 403
    lead, _ = signed_in(house, Role.LEAD, name="Robin")
    shown = lead.get(f"/reports/{report}")
    agreed = lead.post(f"/reports/{report}/approve", data={"seal": seal(shown)})
    assert agreed.status_code == 303, agreed.text
    assert state_of(house, report) in (State.APPROVED, State.QUEUED)


def test_a_report_is_returned_and_discarded_with_a_reason(
    house: House, reviewer: httpx.Client
) -> None:
    case = confirmed_in(house, b"returned", subject="user-8")
    report = begun(house, case, OPERATOR)
    page = reviewer.get(f"/reports/{report}")
    reviewer.post(f"/reports/{report}/sign", data={"seal": seal(page)})
    assert reviewer.post(f"/reports/{report}/return").status_code == 303
    assert state_of(house, report) is State.DRAFT
    assert reviewer.post(f"/reports/{report}/discard", data={"reason": " "}).status_code == 422
    why = {"reason": "it was a mistake"}
    assert reviewer.post(f"/reports/{report}/discard", data=why).status_code == 303
    shown = reviewer.get(f"/reports/{report}").text
    assert ENGLISH["report_erased"] in shown
    assert "it was a mistake" in shown


def test_a_stopped_report_says_what_to_mend_and_leads_there(
    house: House, reviewer: httpx.Client
) -> None:
    report = stopped_report(house, confirmed_in(house, b"stopped", subject="user-9"))
    shown = reviewer.get(f"/reports/{report}").text
    assert "answered 4100" in shown
    assert f"/reports/{report}?at=incident_summary.incident_type#f-incident_summary" in shown
    assert f"/reports/{report}" in reviewer.get("/reports?tab=stopped").text
    reviewer.post(f"/reports/{report}/return")
    again = reviewer.get(f"/reports/{report}")
    assert "answered 4100" in again.text
    assert "incident_summary.incident_type" in typed(again)


def test_a_sent_report_has_a_receipt_and_is_corrected_by_a_new_one(
    house: House, reviewer: httpx.Client
) -> None:
    report = sent_report(house, confirmed_in(house, b"sent", subject="user-10"))
    shown = reviewer.get(f"/reports/{report}").text
    for said in ("1234567", "f-1", "00" * 16, bytes(range(32)).hex()):
        assert said in shown
    new = reviewer.post(f"/reports/{report}/correct").headers["location"]
    page = reviewer.get(new)
    assert ENGLISH["report_corrects"] in page.text
    assert typed(page)["person_or_user_reported.prior_ct_reports.0"] == ["1234567"]
    assert new in reviewer.get(f"/reports/{report}").text


def test_what_is_in_doubt_after_a_restore_is_settled_on_its_page(house: House) -> None:
    sent, unsent = (begun(house, confirmed_in(house, each), OPERATOR) for each in (b"1", b"2"))
    with house.service.database.writing() as connection:
        # Restored from a backup that knows none of the cases of other tests.
        doubt_unsent(connection, datetime(2020, 1, 1, tzinfo=UTC))
    reviewer, lead = signed_in(house, Role.REVIEWER)[0], signed_in(house, Role.LEAD)[0]
    for report in (sent, unsent):
        listed = unescape(lead.get("/reports").text)
        assert ENGLISH["reports_doubts_text"] in listed
        assert f'href="/reports/{report}"' in listed.partition('id="doubts"')[2]
        assert ENGLISH["doubt_others"] in unescape(reviewer.get(f"/reports/{report}").text)
        asked = unescape(lead.get(f"/reports/{report}").text)
        assert (ENGLISH["doubt_title"] in asked, ENGLISH["doubt_others"] in asked) == (True, False)
    late, _ = signed_in(house, Role.LEAD, proved=False)
    for way in ("was-sent", "not-sent"):
        assert reviewer.post(f"/reports/{sent}/{way}").status_code == 403
        assert late.post(f"/reports/{sent}/{way}").headers["location"].startswith("/prove?next=")
        assert lead.post(f"/reports/{sent}/{way}").status_code == 422
    said = lead.post(f"/reports/{sent}/was-sent", data={"number": "7654321"})
    assert said.headers["location"] == f"/reports/{sent}"
    said = lead.post(f"/reports/{unsent}/not-sent", data={"reason": "not among theirs"})
    assert said.headers["location"] == f"/reports/{unsent}"
    assert ENGLISH["doubt_title"] not in unescape(lead.get(f"/reports/{unsent}").text)
    again = lead.post(f"/reports/{unsent}/not-sent", data={"reason": "not among theirs"})
    assert again.status_code == 409
    with house.service.database.reading() as connection:
        case = find_report(connection, unsent).case
    assert "report.said-unsent" in acts(house, case)


def test_auditors_read_and_write_nothing(house: House) -> None:
    report = begun(house, confirmed_in(house, b"read", subject="user-11"), OPERATOR)
    auditor, _ = signed_in(house, Role.AUDITOR)
    shown = auditor.get(f"/reports/{report}").text
    assert 'id="writing"' not in shown
    assert "<report>" in unescape(shown)
    assert auditor.post(f"/reports/{report}").status_code == 403


def test_signing_asks_for_a_recent_proof(house: House) -> None:
    report = begun(house, confirmed_in(house, b"proved", subject="user-12"), OPERATOR)
    late, _ = signed_in(house, Role.REVIEWER, proved=False)
    led = late.post(f"/reports/{report}/sign")
    assert led.status_code == 303
    assert led.headers["location"].startswith("/prove?next=")


def test_a_confirmed_case_without_a_report_is_on_the_list(
    house: House, reviewer: httpx.Client
) -> None:
    case = confirmed_in(house, b"bare", subject="user-13")
    assert case in reviewer.get("/reports").text
    begun(house, case, OPERATOR)
    listed = reviewer.get("/reports").text
    assert listed.index("<table") < listed.index(case)


def test_how_real_reports_are_is_said(house: House, reviewer: httpx.Client) -> None:
    shown = reviewer.get("/reports").text
    assert ENGLISH["real_sandbox_text"] in shown
    assert 'class="real-banner sandbox"' in shown


def test_live_is_said_in_red_and_that_nobody_confirmed_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("live")
    with reporting_house(
        folder / "data", cybertipline=CyberTipline(environment=ReportsTo.LIVE)
    ) as house:
        client, _ = signed_in(house, Role.REVIEWER)
        shown = client.get("/reports").text
        assert 'class="real-banner live"' in shown
        assert ENGLISH["real_live_unsaid"] in shown
