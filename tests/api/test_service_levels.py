"""How long authorities wait is told over HTTP and to Prometheus, by scope, and of no person."""

from collections.abc import Iterator

import pytest

from tests.house import House
from tests.reporting.following.answered import came, sent
from tests.reporting.world import World
from tutela.accounts.permissions import Permission
from tutela.reporting.following.levels import count_levels
from tutela.reporting.following.model import FeedbackKind
from tutela.reporting.model import Environment


@pytest.fixture
def house(make_house) -> Iterator[House]:
    with make_house() as running:
        yield running


def test_levels_are_told_as_they_were_counted(house: House) -> None:
    service = house.service
    world = World(service.settings, service.database, service.screening.vault, service.clock)
    reader = house.client_with(Permission.NUMBERS_READ)
    assert reader.get("/v1/reports/service-levels").json()["counted_at"] is None
    sent(world)
    world.case(b"a lake")
    came(world, FeedbackKind.MORE_WANTED)
    count_levels(service.database, Environment.SANDBOX, service.clock)
    told = reader.get("/v1/reports/service-levels?days=7").json()
    (level,) = told["authorities"]
    assert (level["authority"], level["environment"], level["sent"]) == ("us-ncmec", "live", 1)
    assert level["from_opened"] == {"median": 0, "slow": 0}
    assert level["from_confirmed"] == {"median": None, "slow": None}
    assert len(told["days"]) == 1
    assert house.client_with(Permission.SCREEN).get("/v1/reports/service-levels").status_code == 403
    series = house.client_with(Permission.METRICS_READ).get("/metrics").text
    assert (
        'tutela_report_seconds{authority="us-ncmec",environment="live",quantile="0.95",'
        'since="opened"} 0.0' in series
    )
    assert "tutela_report_feedback_open 1.0" in series
    assert "tutela_report" not in house.stranger().get("/metrics").text
