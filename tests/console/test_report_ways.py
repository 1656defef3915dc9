"""How the ways to authorities are, having one go on, and saying once that reports are real."""

from collections.abc import Iterator
from html import unescape

import pytest

from tests.console.reported import (
    ENGLISH,
    confirmed_in,
    reporting_house,
    rested,
    sent_report,
    world_of,
)
from tests.console.visitors import signed_in
from tests.house import House
from tests.reporting.world import NCMEC
from tutela.accounts.permissions import Role
from tutela.ledger.reading import newest_entries
from tutela.reporting.delivery.going_live import PHRASE
from tutela.reporting.delivery.resting import channel_state, stop_channel
from tutela.reporting.model import ChannelKind
from tutela.storage.settings import CyberTipline, ReportsTo

WAY = {"channel": ChannelKind.CYBERTIPLINE, "authority": NCMEC}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    live = CyberTipline(environment=ReportsTo.LIVE)
    with reporting_house(folder / "data", cybertipline=live) as house:
        yield house


def test_a_stopped_way_goes_on_by_an_administrators_click(house: House) -> None:
    world = world_of(house)
    administrator, _ = signed_in(house, Role.ADMINISTRATOR)
    assert "/jobs/ways" in administrator.get("/jobs").text
    rested(house)
    with world.database.writing() as connection:
        why = "the user or the password is wrong"
        stop_channel(connection, ChannelKind.CYBERTIPLINE, NCMEC, why, world.clock)
    for role, may in ((Role.AUDITOR, False), (Role.ADMINISTRATOR, True)):
        page = unescape(signed_in(house, role)[0].get("/jobs/ways").text)
        assert (why in page, ENGLISH["ways_resume_text"] in page) == (True, may)
    told = unescape(signed_in(house, Role.LEAD)[0].get("/reports").text)
    assert (why in told, ENGLISH["channel_stopped_text"] in told) == (True, True)
    done = administrator.post("/jobs/ways/resume", data=WAY)
    assert done.headers["location"] == "/jobs/ways"
    page = unescape(administrator.get("/jobs/ways").text)
    assert (ENGLISH["channel_well"] in page, why in page) == (True, False)
    with world.database.reading() as connection:
        assert "report.channel-resumed" in [each.act for each in newest_entries(connection, 5)]
    by_hand = administrator.post("/jobs/ways/resume", data=WAY | {"channel": "form"})
    assert by_hand.status_code == 422


def test_reports_are_live_once_somebody_has_typed_it(house: House) -> None:
    world = world_of(house)
    sent_report(house, confirmed_in(house, b"a landscape"))
    late, _ = signed_in(house, Role.LEAD, proved=False)
    assert late.get("/reports/live").headers["location"].startswith("/prove?next=")
    lead, person = signed_in(house, Role.LEAD)
    assert "/reports/live" in lead.get("/reports").text
    assert PHRASE in lead.get("/reports/live").text
    wrong = lead.post("/reports/live", data={"typed": "yes"})
    assert (wrong.status_code, 'value="yes"' in wrong.text) == (422, True)
    rehearsed = lead.post("/reports/live", data={"typed": PHRASE})
    assert rehearsed.status_code == 409
    sure = {"typed": PHRASE, "although_rehearsed": "true"}
    assert lead.post("/reports/live", data=sure).headers["location"] == "/reports"
    with world.database.reading() as connection:
        state = channel_state(connection, ChannelKind.CYBERTIPLINE, NCMEC)
    assert state.live_by == f"person:{person.id}"
    assert ENGLISH["live_said"] in unescape(lead.get("/reports/live").text)
    assert "/reports/live" not in lead.get("/reports").text
