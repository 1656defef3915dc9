"""Streams are watched by one process at a time, whatever happens to processes, and told of."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import httpx
import pytest
from sqlalchemy import select, update

from tests.actors import actor_called
from tests.cli.command import TUTELA, environment
from tests.hashlists.filling import add, new_list
from tests.house import House
from tests.streams.serving import Web, segments, still, web_server
from tests.waiting import comes_true
from tutela.accounts.keys import add_key
from tutela.accounts.permissions import Permission
from tutela.cases.tables import case_items
from tutela.errors import InvalidInputError, NotFoundError, OutOfTurnError
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.keyring import Keyring
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.ledger.tables import ledger_entries
from tutela.sandbox.model import Sampling
from tutela.screening.opening import ScreeningRoom, open_screening
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings, Streams, Webhooks
from tutela.streams.beginning import begin_stream, stop_stream
from tutela.streams.forgetting import FORGET
from tutela.streams.keeping import HELD_SECONDS, MOST_TOLD, Keeper, _may_tell
from tutela.streams.listing import Stream, all_streams, find_stream, tallies
from tutela.streams.model import Standing, State, StreamId
from tutela.streams.tables import stream_matches, streams
from tutela.webhooks.endpoints import add_endpoint
from tutela.webhooks.model import EventKind
from tutela.webhooks.tables import webhook_events
from tutela.work import all_kinds

ACTOR = actor_called("key:platform")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    streams = Streams(sources=("127.0.0.0/8",), ports=("1-65535",))
    webhooks = Webhooks(private_networks=("127.0.0.0/8",))
    return settings.model_copy(update={"streams": streams, "webhooks": webhooks})


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as web:
        yield web


@pytest.fixture
def room(settings: Settings, database: Database, clock) -> Iterator[ScreeningRoom]:
    prepare_keys(Keyring(settings), database, tell=lambda _: None)
    pdq = str(House.fingerprints(still(frame=8))["pdq"])
    add(database, new_list(database, clock), clock, Fingerprint.from_text(Kind.PDQ, pdq))
    with open_screening(settings, database, clock) as room:
        room.screener.refresh()
        yield room


@pytest.fixture
def keeper(settings: Settings, database: Database, room: ScreeningRoom, clock) -> Iterator:
    """Makes processes that watch streams, each as if it were another one."""
    told: list[tuple[StreamId, State]] = []

    def tell(stream: StreamId, standing: Standing) -> None:
        told.append((stream, standing.state))

    with ExitStack() as stack:

        def make() -> Keeper:
            keeper = Keeper(
                settings, database, room.screener, clock,
                tell=tell, failed=lambda what, error: pytest.fail(f"{what}: {error}"), seconds=0.05,
            )  # fmt: skip
            return stack.enter_context(keeper)

        make.told = told  # type: ignore[attr-defined]
        yield make


def begin(database: Database, settings: Settings, clock, source: str, **said: str) -> Stream:
    # Of key frames it is known how many there are.
    given = {"sampling": Sampling.KEY_FRAMES, "source": source} | said
    with database.writing() as connection:
        return begin_stream(connection, settings, ACTOR, clock, **given)  # type: ignore[arg-type]


def now(database: Database, stream: Stream) -> Stream:
    with database.reading() as connection:
        return find_stream(connection, stream.id)


def acts(database: Database) -> list[str]:
    with database.reading() as connection:
        found = connection.execute(select(ledger_entries.c.act).order_by(ledger_entries.c.number))
        return [each for each in found.scalars() if each.startswith(("stream", "case"))]


def test_a_match_opens_a_case_is_told_by_webhook_and_stays_when_the_stream_is_over(
    settings: Settings, database: Database, clock, keeper, web: Web
) -> None:
    with database.writing() as connection:
        url = "http://127.0.0.1:9/hook"
        kinds = [EventKind.STREAM_MATCHED]
        add_endpoint(connection, settings, ACTOR, clock, name="one", url=url, events=kinds)
    web.publish("/one.m3u8", segments()[1:2])
    stream = begin(database, settings, clock, web.url("/one.m3u8"), reference="7", subject="a")
    keeper()
    assert comes_true(lambda: now(database, stream).case is not None)
    web.publish("/one.m3u8", segments()[1:2], ended=True)
    assert comes_true(lambda: now(database, stream).standing.state is State.ENDED)
    ended = now(database, stream)
    assert (ended.reference, ended.subject, ended.standing.matches) == ("7", "a", 1)
    with database.reading() as connection:
        event = connection.execute(select(webhook_events)).one()
        item = connection.execute(select(case_items)).one()
        source = connection.execute(select(streams.c.source)).scalar_one()
    assert (event.kind, event.case_id, item.reference) == ("stream.matched", ended.case, "7")
    assert event.data["at"] <= clock().isoformat()
    told = {name: value for name, value in event.data.items() if name != "at"}
    assert told == {"stream": stream.id, "reference": "7", "subject": "a", "held_back": 0}
    assert (item.origin, item.case_id, source) == (f"stream:{stream.id}", ended.case, None)
    assert acts(database) == ["stream.begun", "case.opened"]
    assert keeper.told[0] == (stream.id, State.STARTING)
    assert keeper.told[-1] == (stream.id, State.ENDED)


def test_a_stream_that_matches_again_and_again_is_told_of_so_often_and_then_how_often_it_was_not(
    settings: Settings, database: Database, clock
) -> None:
    stream = begin(database, settings, clock, "rtmp://127.0.0.1/live")
    again = timedelta(minutes=10)

    def match() -> tuple[bool, int]:
        with database.writing() as connection:
            row = connection.execute(select(streams)).mappings().one()
            return _may_tell(connection, row, again, clock()), row["held_back"]

    assert [match() for _ in range(MOST_TOLD)] == [(True, 0)] * MOST_TOLD
    assert [match() for _ in range(3)] == [(False, 0), (False, 1), (False, 2)]
    clock.turn(minutes=10)
    assert (match(), match()) == ((True, 3), (True, 0))
    assert now(database, stream).standing.matches == 0


def test_of_a_stream_that_matched_nothing_only_counts_remain_and_those_for_a_month(
    settings: Settings, database: Database, clock, keeper, web: Web
) -> None:
    web.publish("/one.m3u8", segments(seed=5)[:1])
    source = web.url("/one.m3u8?token=secret-word")
    stream = begin(database, settings, clock, source, reference="ref-7", subject="account-1")
    keeper()
    assert comes_true(lambda: now(database, stream).standing.frames == 1)
    web.publish("/one.m3u8", segments(seed=5)[:1], ended=True)
    assert comes_true(lambda: now(database, stream).ended_at is not None)
    over = now(database, stream)
    assert (over.shown, over.reference, over.subject, over.case) == (None, None, None, None)
    assert over.standing.frames == 1
    assert acts(database) == ["stream.begun"]
    forget = all_kinds(settings, database, clock)[FORGET].run
    forget(None)
    assert now(database, stream) == over
    clock.turn(days=31)
    forget(None)
    with database.reading() as connection:
        assert all_streams(connection) == []


def test_one_process_watches_a_stream_and_another_has_it_when_that_one_is_silent(
    settings: Settings, database: Database, clock, keeper, web: Web
) -> None:
    web.publish("/one.m3u8", segments(seed=5)[:1])
    stream = begin(database, settings, clock, web.url("/one.m3u8"))
    one = keeper()
    assert comes_true(lambda: one.held == 1)
    other = keeper()
    other.keep()
    assert other.held == 0
    # It is silent, as a process is that hangs; then it finds that it is not its own any more.
    one._keeping.__exit__(None, None, None)
    clock.turn(seconds=HELD_SECONDS + 1)
    assert comes_true(lambda: other.held == 1)
    one.keep()
    assert one.held == 0
    assert now(database, stream).is_held


def test_a_stream_is_decoded_whole_when_it_is_its_turn_and_is_at_once_where_there_is_room(
    settings: Settings, database: Database, clock, keeper, web: Web
) -> None:
    web.publish("/one.m3u8", segments(seed=5)[:1])
    with database.writing() as connection:
        source = web.url("/one.m3u8")
        stream = begin_stream(connection, settings, ACTOR, clock, source=source)
    one = keeper()
    assert comes_true(lambda: now(database, stream).standing.frames > 0)
    watching = one._held[stream.id].watching
    assert comes_true(lambda: watching._is_whole)
    assert stream.sampling is Sampling.SECONDS
    one._turns._rests[stream.id] = float("inf")
    one._turns._begun.clear()
    assert comes_true(lambda: not watching._is_whole)


def test_a_killed_process_of_this_machine_is_followed_at_once(
    settings: Settings, database: Database, clock, keeper, web: Web
) -> None:
    web.publish("/one.m3u8", segments(seed=5)[:1])
    begin(database, settings, clock, web.url("/one.m3u8"))
    gone = subprocess.Popen(["true"])
    gone.wait()
    one = keeper()
    assert comes_true(lambda: one.held == 1)
    one._keeping.__exit__(None, None, None)
    with database.writing() as connection:
        connection.execute(update(streams).values(holder=f"{one._here}:{gone.pid}"))
    other = keeper()
    assert comes_true(lambda: other.held == 1)


def test_what_is_stopped_is_let_go_and_can_write_nothing_any_more(
    settings: Settings, database: Database, clock, keeper, web: Web
) -> None:
    web.publish("/one.m3u8", segments(seed=5)[:1])
    stream = begin(database, settings, clock, web.url("/one.m3u8"), reference="7")
    one = keeper()
    assert comes_true(lambda: now(database, stream).standing.state is State.WATCHED)
    with database.reading() as connection:
        assert [each.streams for each in tallies(connection)] == [1]
    with database.writing() as connection:
        stopped = stop_stream(connection, stream.id, ACTOR, clock, reason="over")
    assert (stopped.standing.state, stopped.shown, stopped.reference) == (State.STOPPED, None, None)
    assert comes_true(lambda: one.held == 0)
    assert now(database, stream) == stopped
    with database.writing() as connection, pytest.raises(OutOfTurnError):
        stop_stream(connection, stream.id, ACTOR, clock)
    with database.writing() as connection, pytest.raises(NotFoundError):
        stop_stream(connection, StreamId(99), ACTOR, clock)
    assert acts(database) == ["stream.begun", "stream.stopped"]


def test_a_match_of_a_stream_that_was_stopped_meanwhile_opens_nothing(
    settings: Settings, database: Database, clock, keeper, web: Web, room: ScreeningRoom
) -> None:
    web.publish("/one.m3u8", segments(seed=5)[:1])
    stream = begin(database, settings, clock, web.url("/one.m3u8"))
    one = keeper()
    assert comes_true(lambda: now(database, stream).standing.frames == 1)
    one._keeping.__exit__(None, None, None)
    with database.writing() as connection:
        stop_stream(connection, stream.id, ACTOR, clock)
    held = one._held[stream.id]
    web.publish("/one.m3u8", segments()[1:2], first=1)
    assert comes_true(lambda: held.watching.standing.state is State.LOST)
    with database.reading() as connection:
        assert connection.execute(select(stream_matches)).all() == []
        assert connection.execute(select(case_items)).all() == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"source": "rtmp://198.51.100.7/live"}, "name it in streams.sources"),
        ({"source": "rtmp://127.0.0.1:22/live"}, "name it in streams.ports"),
        ({"source": "/etc/passwd"}, "looks like"),
        ({"source": "rtmp://127.0.0.1/live", "subject": "\n"}, "can be seen"),
        ({"source": "rtmp://127.0.0.1/live", "sampling": "scenes"}, "key_frames or seconds"),
    ],
)
def test_what_cannot_be_watched_is_refused(database, settings, clock, said, why) -> None:
    settings = settings.model_copy(update={"streams": Streams(sources=("127.0.0.1",))})
    with database.writing() as connection, pytest.raises(InvalidInputError, match=why):
        begin_stream(connection, settings, ACTOR, clock, **said)


def test_without_hosts_no_stream_is_watched(database: Database, settings: Settings, clock) -> None:
    settings = settings.model_copy(update={"streams": Streams()})
    with database.writing() as connection, pytest.raises(InvalidInputError, match="no streams"):
        begin_stream(connection, settings, ACTOR, clock, source="rtmp://127.0.0.1/live")


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", timeout=60).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def serve(settings: Settings) -> Iterator[Callable[[], tuple[subprocess.Popen[str], str]]]:
    """Starts the real service, as often as it is killed."""
    started: list[subprocess.Popen[str]] = []
    where = environment(settings) | {
        "TUTELA_STREAMS__SOURCES": '["127.0.0.0/8"]',
        "TUTELA_STREAMS__PORTS": '["1-65535"]',
    }

    def start() -> tuple[subprocess.Popen[str], str]:
        words = [TUTELA, "serve", "--port", "0", "--workers", "1"]
        served = subprocess.Popen(words, env=where, stderr=subprocess.PIPE, text=True)
        started.append(served)
        assert served.stderr is not None
        for line in served.stderr:
            if "Tutela is at" in line:
                address = line.split()[3]
                assert comes_true(partial(answers, address), 240)
                return served, address
        raise AssertionError

    yield start
    for served in started:
        served.kill()
        served.communicate()


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_service_that_is_killed_takes_its_streams_up_again(
    settings: Settings, database: Database, serve, web: Web
) -> None:
    scopes = [Permission.STREAMS_READ, Permission.STREAMS_WRITE, Permission.METRICS_READ]
    with database.writing() as connection:
        key = add_key(connection, "platform", scopes, ACTOR, system_clock)
    headers = {"Authorization": f"Bearer {key}"}
    web.publish("/one.m3u8", segments(seed=5)[:1])

    def stands(client: httpx.Client) -> dict:
        return dict(client.get("/v1/streams/1", headers=headers).json())

    served, address = serve()
    with httpx.Client(base_url=address, timeout=60) as client:
        sent = {"source": web.url("/one.m3u8"), "reference": "7", "sampling": "key_frames"}
        assert client.post("/v1/streams", json=sent, headers=headers).status_code == 201
        assert comes_true(lambda: stands(client)["state"] == "watched")
        assert client.get("/v1/streams", headers=headers).json()["streams"][0] == stands(client)
        told = client.get("/metrics", headers=headers).text
        assert 'tutela_streams{state="watched"} 1.0' in told
    served.send_signal(signal.SIGKILL)
    served.wait()
    web.publish("/one.m3u8", segments(seed=5)[1:2], first=1)
    _, address = serve()
    with httpx.Client(base_url=address, timeout=60) as client:
        assert comes_true(lambda: stands(client)["frames"] == 2)
        stopped = client.delete("/v1/streams/1", headers=headers).json()
        assert (stopped["state"], stopped["source"]) == ("stopped", None)
        assert client.delete("/v1/streams/1", headers=headers).status_code == 409
