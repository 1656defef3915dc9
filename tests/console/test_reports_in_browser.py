"""The pages of reports in a real browser: in every look, and all the way by keyboard."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser import complaints
from tests.cases.world import OPERATOR
from tests.console.reported import (
    ENGLISH,
    begun,
    confirmed_in,
    desk_in,
    reporting_house,
    rested,
    sent_report,
    stopped_report,
)
from tests.console.walking import Walker, walking
from tutela.accounts.permissions import Role
from tutela.cases.facts import Fact
from tutela.reporting.delivery.doubting import doubt_unsent
from tutela.reporting.drafts.reading import draft_of
from tutela.reporting.finding import find_report
from tutela.reporting.model import ReportId
from tutela.reporting.signing.signing import sign_report
from tutela.reporting.states import State
from tutela.storage.settings import Approval


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    folder = tmp_path_factory.mktemp("house")
    with (
        reporting_house(folder / "data", approval=Approval.UNLISTED) as house,
        walking(house) as walker,
    ):
        yield walker


def test_empty_lists_teach(walker: Walker) -> None:
    walker.enter_as(Role.REVIEWER, name="Anna Reviewer")
    walker.walk("/reports", "reports-none")
    for tab in ("to-approve", "waiting", "stopped", "sent"):
        walker.go(f"/reports?tab={tab}&lang=en")
        walker.wait_for(".empty h2", ENGLISH[f"reports_none_{tab.replace('-', '_')}"])


def test_every_page_in_every_look(walker: Walker) -> None:
    house = walker.house
    bare = confirmed_in(house, b"a landscape", subject="user-9")
    case = confirmed_in(
        house,
        b"one landscape",
        b"another landscape",
        words="words of the chat",
        facts=(Fact.IMMINENT_DANGER,),
    )
    walker.enter_as(Role.LEAD, name="Robin Lead")
    walker.walk(f"/cases/{bare}", "case-to-report")
    walker.walk("/reports", "reports-unbegun")
    report = begun(house, case, OPERATOR)
    walker.walk(f"/reports/{report}", "report-draft")
    walker.walk(f"/reports/{report}?add=victims", "report-draft-victim")
    sign_report(desk_in(house), report, OPERATOR)
    with house.service.database.writing() as connection:
        # Restored from a backup that knows none of the cases of other tests.
        doubt_unsent(connection, datetime(2020, 1, 1, tzinfo=UTC))
    walker.walk(f"/reports/{report}", "report-signed")
    walker.walk("/reports?tab=to-approve", "reports-to-approve")
    stopped = stopped_report(house, confirmed_in(house, b"a third landscape", subject="user-3"))
    walker.walk(f"/reports/{stopped}", "report-stopped")
    walker.walk("/reports?tab=stopped", "reports-stopped")
    sent = sent_report(house, confirmed_in(house, b"a fourth landscape", subject="user-4"))
    walker.walk(f"/reports/{sent}", "report-sent")
    walker.walk(f"/reports/{sent}/feedback", "feedback-new")
    walker.walk("/reports?tab=sent", "reports-sent")
    rested(house)
    walker.walk("/reports?tab=waiting", "reports-outage")
    walker.walk("/reports/live", "reports-live")
    walker.enter_as(Role.ADMINISTRATOR, name="Sam Keys")
    walker.walk("/jobs/ways", "report-ways")


def test_a_confirmed_case_is_reported_by_keyboard_alone(walker: Walker) -> None:
    house = walker.house
    case = confirmed_in(house, b"a fifth landscape", subject="user-5", listed=True)
    walker.enter_as(Role.REVIEWER, name="Anna Reviewer")
    walker.go(f"/cases/{case}?lang=en")
    walker.press("d")
    walker.wait_for("#said", "is begun")
    report = ReportId(int(walker.browser.current_url.rpartition("/")[2]))
    # To what is missing first, one more entry there, and what is typed is kept.
    walker.press("m")
    walker.wait_for(":target button:focus")
    walker.press(Keys.ENTER)
    walker.wait_for(":target fieldset")
    walker.wait_for("input:focus")
    walker.press("192.0.2.7", Keys.ENTER)
    walker.wait_for("#said", ENGLISH["said_report_saved"])
    with house.service.database.reading() as connection:
        draft = draft_of(connection, desk_in(house).secrets, report)
    reported = draft.values["person_or_user_reported"]
    assert reported["ip_capture_events"] == [{"ip_address": "192.0.2.7"}]
    walker.wait_for(".preview pre", "<ipAddress>192.0.2.7</ipAddress>")
    walker.press(Keys.ESCAPE, "s")
    walker.wait_for("#said", ENGLISH["said_report_signed"].format(about=report))

    def is_queued(_browser: object) -> bool:
        with house.service.database.reading() as connection:
            return find_report(connection, report).state is State.QUEUED

    WebDriverWait(walker.browser, 30).until(is_queued)
    walker.go(f"/reports/{report}?lang=en")
    walker.wait_for(".acts", ENGLISH["report_next_queued"])
    assert complaints(walker.browser) == []


def test_nothing_is_signed_before_it_is_saved(walker: Walker) -> None:
    case = confirmed_in(walker.house, b"a sixth landscape", subject="user-6")
    report = begun(walker.house, case, OPERATOR)
    walker.enter_as(Role.REVIEWER, name="Anna Reviewer")
    walker.go(f"/reports/{report}?lang=en")
    walker.find("#f-incident_summary-incident_date_time_description").send_keys(" More words.")
    assert not walker.find(".signing button").is_enabled()
    walker.press(Keys.ESCAPE, "w")
    walker.wait_for("#said", ENGLISH["said_report_saved"])
    assert walker.find(".signing button").is_enabled()
