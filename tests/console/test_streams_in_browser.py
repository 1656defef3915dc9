"""The page of live streams, as a browser shows it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.console.walking import Walker, walking
from tests.house import running_house
from tutela.accounts.permissions import Role
from tutela.storage.clock import system_clock
from tutela.storage.settings import Streams, load_settings
from tutela.streams.model import State
from tutela.streams.tables import streams

HOST = "192.0.2.1"
STANDING = (
    {"state": State.WATCHED, "frames": 5_210, "lag_seconds": 0.8},
    {
        "state": State.LAGGING,
        "frames": 12_345,
        "dropped": 31,
        "skipped_seconds": 12.0,
        "lag_seconds": 7.4,
        "key_frames_seconds": 310.2,
        "case_id": "7K3M-9QPD-2X4H",
        "matches": 2,
    },
    {"state": State.LOST, "frames": 88, "reason": "nothing can be seen of it any more"},
    {"state": State.ENDED, "frames": 3_600},
)


@pytest.fixture
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data",
        cells=1,
        job_threads=0,
        # Nobody takes them up here.
        streams=Streams(sources=(HOST,), at_once=0),
    )
    with running_house(settings, system_clock) as house, walking(house) as walker:
        yield walker


def test_operators_see_how_streams_stand(walker: Walker) -> None:
    walker.enter_as(Role.ADMINISTRATOR)
    walker.walk("/streams", "streams-none")
    house = walker.house
    for number, stands in enumerate(STANDING, 1):
        wanted = {
            "source": f"rtmp://{HOST}/live/{number}",
            "reference": f"evening-{number}",
            "subject": f"account-{number}",
        }
        assert house.client.post("/v1/streams", json=wanted).status_code == 201
        with house.service.database.writing() as connection:
            seen = {"seen_at": system_clock() - timedelta(seconds=number)}
            changed = update(streams).where(streams.c.id == number)
            connection.execute(changed.values(stands | seen))
    walker.walk("/streams", "streams")
    walker.go("/streams")
    assert "evening-2" in walker.find("tbody").text
