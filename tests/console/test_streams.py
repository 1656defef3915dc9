"""The page of live streams: how each stands, one more, and stopping one, in every language."""

from collections.abc import Iterator
from html import unescape

import pytest
from sqlalchemy import update

from tests.console.visitors import signed_in
from tests.house import House, running_house
from tutela.accounts.permissions import Role
from tutela.console.language import languages
from tutela.storage.clock import system_clock
from tutela.storage.settings import Streams, load_settings
from tutela.streams.model import State
from tutela.streams.tables import streams

NEXT = {"source": "rtmp://127.0.0.1/live/secret-word", "reference": "evening", "subject": "<b>"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = load_settings(
        data=tmp_path_factory.mktemp("house") / "data",
        cells=1,
        job_threads=0,
        # Nobody takes them up here.
        streams=Streams(sources=("127.0.0.1",), at_once=0),
    )
    with running_house(settings, system_clock) as house:
        yield house


def test_a_stream_is_begun_seen_and_stopped_by_whoever_may(house: House) -> None:
    administrator = signed_in(house, Role.ADMINISTRATOR)[0]
    assert "No stream is watched" in administrator.get("/streams").text
    wrong = administrator.post(
        "/streams", data=NEXT | {"source": "srt://127.0.0.1:9?mode=listener"}
    )
    assert (wrong.status_code, "it may say streamid, latency" in unescape(wrong.text)) == (
        422,
        True,
    )
    begun = administrator.post("/streams", data=NEXT)
    assert (begun.status_code, begun.headers["location"]) == (303, "/streams")
    with house.service.database.writing() as connection:
        stands = {"state": State.LAGGING, "frames": 1234, "dropped": 7, "skipped_seconds": 3.4}
        case = {"case_id": "7K3M-9QPD-2X4H", "matches": 2, "reason": "the connection was ended"}
        connection.execute(update(streams).values(stands | case))
    page = unescape(administrator.get("/streams").text)
    for said in ("evening", "lagging", "234", "+ 3 s", "7K3M-9QPD-2X4H", "rtmp://127.0.0.1:1935"):
        assert said in page
    assert "secret-word" not in page
    assert "&lt;b&gt;</span>" in administrator.get("/streams").text
    auditor = signed_in(house, Role.AUDITOR)[0]
    assert "evening" in auditor.get("/streams").text
    assert 'action="/streams' not in auditor.get("/streams").text
    assert signed_in(house, Role.REVIEWER)[0].get("/streams").status_code == 403
    assert administrator.post("/streams/1/stop", data={}).status_code == 303
    assert "stopped" in administrator.get("/streams").text
    assert administrator.post("/streams/1/stop", data={}).status_code == 409


@pytest.mark.parametrize("tag", sorted(languages()))
def test_the_page_speaks_every_language(house: House, tag: str) -> None:
    visitor = signed_in(house, Role.ADMINISTRATOR)[0]
    visitor.headers["Accept-Language"] = tag
    texts = languages()[tag].texts
    page = unescape(visitor.get("/streams").text)
    for name in ("streams_text", "nav_streams", "stream_begin", "stream_source_hint"):
        assert texts[name] in page
