"""What authorities want is on the page of the case, and how long they wait among the figures."""

from collections.abc import Iterator
from datetime import date
from html import unescape

import pytest

from tests.console.visitors import signed_in
from tests.house import House, running_house
from tests.reporting.following.answered import REVIEWER, WORDS, came, case_of, sent
from tests.reporting.world import World
from tutela.accounts.permissions import Role
from tutela.cases.counting_days import count_days
from tutela.console.language import languages
from tutela.reporting.following.finding import find_all_feedback
from tutela.reporting.following.levels import count_levels
from tutela.reporting.following.model import FeedbackId, FeedbackKind
from tutela.reporting.following.settling import settle_feedback
from tutela.reporting.model import Environment

ENGLISH = languages()["en"].texts


@pytest.fixture
def house(settings, clock) -> Iterator[House]:
    with running_house(settings.model_copy(update={"job_threads": 0}), clock) as running:
        yield running


@pytest.fixture
def world(house: House) -> World:
    service = house.service
    return World(service.settings, service.database, service.screening.vault, service.clock)


def test_a_case_shows_what_an_authority_wants_to_whoever_reads_reports(
    house: House, world: World
) -> None:
    report = sent(world)
    path = f"/cases/{case_of(world, report)}"
    reviewer, intake = (signed_in(house, each)[0] for each in (Role.REVIEWER, Role.INTAKE))
    assert ENGLISH["feedback_title"] not in unescape(reviewer.get(path).text)
    asked = came(world, FeedbackKind.MORE_WANTED)
    page = unescape(reviewer.get(path).text)
    assert ENGLISH["feedback_more_wanted"] in page
    assert WORDS not in page
    assert ENGLISH["feedback_title"] not in unescape(intake.get(path).text)
    with world.database.writing() as connection:
        settle_feedback(
            connection, FeedbackId(asked or 0), REVIEWER, world.clock, reason="answered"
        )
    assert ENGLISH["feedback_title"] not in unescape(reviewer.get(path).text)


def test_what_is_wanted_is_read_and_done_on_its_page(house: House, world: World) -> None:
    report = sent(world)
    asked, wish = (
        came(world, FeedbackKind.MORE_WANTED),
        came(world, FeedbackKind.DESTRUCTION_REQUESTED, "msg_2"),
    )
    reviewer, keeper = (signed_in(house, each)[0] for each in (Role.REVIEWER, Role.CUSTODIAN))
    assert f"/feedback/{asked}" in reviewer.get(f"/cases/{case_of(world, report)}").text
    assert WORDS in reviewer.get(f"/feedback/{asked}").text
    bare = reviewer.post(f"/feedback/{asked}/settle", data={"reason": " "})
    assert (bare.status_code, "ledger" in bare.text) == (422, True)
    done = reviewer.post(f"/feedback/{asked}/settle", data={"reason": "answered"})
    assert done.status_code == 303
    assert ENGLISH["feedback_settled"] in unescape(reviewer.get(f"/feedback/{asked}").text)
    assert ENGLISH["feedback_follow"] not in unescape(reviewer.get(f"/feedback/{wish}").text)
    refused = reviewer.post(f"/feedback/{wish}/follow", data={"reason": "so"})
    assert (refused.status_code, "evidence:keep" in refused.text) == (409, True)
    assert ENGLISH["feedback_follow"] in unescape(keeper.get(f"/feedback/{wish}").text)
    assert keeper.post(f"/feedback/{wish}/follow", data={"reason": "so"}).status_code == 303
    assert reviewer.get("/feedback/99").status_code == 404


def test_what_an_authority_says_is_entered_by_a_form_and_stays_on_the_reports_page(
    house: House, world: World
) -> None:
    report = sent(world)
    reviewer, keeper = (signed_in(house, each)[0] for each in (Role.REVIEWER, Role.CUSTODIAN))
    form, page = f"/reports/{report}/feedback", f"/reports/{report}"
    assert form in reviewer.get(page).text
    assert "preservation-letter" not in reviewer.get(form).text
    wanted = {"kind": "more-wanted", "reference": "R-17"}
    bare = reviewer.post(form, data=wanted)
    assert (bare.status_code, 'value="R-17"' in bare.text) == (422, True)
    wrong_day = reviewer.post(form, data=wanted | {"at": "January", "words": WORDS})
    assert (wrong_day.status_code, WORDS in wrong_day.text) == (422, True)
    assert reviewer.post(form, data=wanted | {"words": WORDS}).status_code == 303
    shown = unescape(reviewer.get(page).text)
    assert (ENGLISH["feedback_waits"] in shown, WORDS in shown) == (True, False)
    assert ENGLISH["act_report_feedback_received"] in shown
    assert reviewer.post("/feedback/1/settle", data={"reason": "answered"}).status_code == 303
    shown = unescape(reviewer.get(page).text)
    assert (ENGLISH["feedback_waits"] in shown, ENGLISH["feedback_waits_not"] in shown) == (
        False,
        True,
    )
    assert ENGLISH["act_report_feedback_settled"] in shown
    letter = {"kind": "preservation-letter", "at": "2026-01-12", "until": "2027-01-31"}
    assert reviewer.post(form, data=letter).status_code == 409
    assert keeper.post(form, data=letter).status_code == 303
    with world.database.reading() as connection:
        kept = find_all_feedback(connection, report=report)[0]
    assert (kept.at.date(), kept.until) == (date(2026, 1, 12), date(2027, 1, 31))
    auditor, _ = signed_in(house, Role.AUDITOR)
    assert form not in auditor.get(page).text


def test_nothing_is_entered_of_what_is_not_sent(house: House, world: World) -> None:
    report = world.draft(world.case(b"a landscape"))
    reviewer, _ = signed_in(house, Role.REVIEWER)
    form = f"/reports/{report}/feedback"
    assert ENGLISH["feedback_not_sent"] in unescape(reviewer.get(form).text)
    refused = reviewer.post(form, data={"kind": "other", "words": WORDS})
    assert refused.status_code == 409


def test_somebody_says_which_report_is_meant(house: House, world: World) -> None:
    report = sent(world)
    lost = came(world, FeedbackKind.MORE_WANTED, named="of-nobody")
    reviewer, _ = signed_in(house, Role.REVIEWER)
    page = f"/feedback/{lost}"
    assert ENGLISH["feedback_attach"] in unescape(reviewer.get(page).text)
    for wrong, status in (("x", 422), (str(2**63), 422), ("99", 409)):
        answer = reviewer.post(f"{page}/attach", data={"report": wrong})
        assert (answer.status_code, f'value="{wrong}"' in answer.text) == (status, True)
    assert reviewer.post(f"{page}/attach", data={"report": str(report)}).status_code == 303
    assert ENGLISH["feedback_attach"] not in unescape(reviewer.get(page).text)
    assert page in reviewer.get(f"/reports/{report}").text


def test_what_can_move_the_clock_of_evidence_needs_a_recent_proof(
    house: House, world: World
) -> None:
    report = sent(world)
    keeper, _ = signed_in(house, Role.CUSTODIAN, proved=False)
    led = keeper.get(f"/reports/{report}/feedback")
    assert led.headers["location"].startswith("/prove?next=")


def test_the_page_of_reports_counts_what_waits_also_of_unknown_reports(
    house: House, world: World
) -> None:
    reviewer, _ = signed_in(house, Role.REVIEWER)
    assert ENGLISH["feedback_title"] not in unescape(reviewer.get("/reports").text)
    unknown = came(world, FeedbackKind.OTHER, named="of-nobody")
    page = reviewer.get("/reports").text
    assert f"/feedback/{unknown}" in page
    assert "of-nobody" in page


def test_every_kind_has_its_words(world: World) -> None:
    for kind in FeedbackKind:
        assert ENGLISH[f"feedback_{kind.replace('-', '_')}"]


def test_the_figures_tell_how_long_authorities_wait(house: House, world: World) -> None:
    lead, _ = signed_in(house, Role.LEAD)
    count_days(world.database, world.clock)
    page = unescape(lead.get("/numbers").text)
    assert ENGLISH["levels_none"] in page
    assert ENGLISH["levels_waiting_none"] in page
    sent(world)
    world.draft(world.case(b"a lake"), authority="de-bka")
    count_levels(world.database, Environment.SANDBOX, world.clock)
    page = unescape(lead.get("/numbers").text)
    for said in ("us-ncmec", "de-bka", ENGLISH["levels_live"], ENGLISH["levels_times"]):
        assert said in page
    assert 'data-chart="levels_times-table"' in page
