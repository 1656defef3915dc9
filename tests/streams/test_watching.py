"""A stream is watched while it lasts, from wherever it comes and whatever happens to it."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from sqlalchemy import select

from tests.hashlists.filling import ACTOR, add, new_list
from tests.house import House
from tests.moving import side_by_side
from tests.streams.serving import (
    Web,
    fragments,
    give_out_by_rtmp,
    moving,
    segments,
    srt_server,
    still,
    web_server,
)
from tests.waiting import comes_true
from tutela.cases.reading import find_case
from tutela.cases.tables import case_items, cases
from tutela.errors import StorageError
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.keyring import Keyring
from tutela.evidence.model import ItemId
from tutela.fingerprints.model import Fingerprint, Kind, Pdq, VideoFrame
from tutela.fingerprints.vpdq import clock_words
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.formats.hashes import of_frames
from tutela.hashlists.model import ListRow, Provenance
from tutela.sandbox.model import Sampled, Sampling
from tutela.sandbox.watching_pool import Watcher, WatcherLostError, WatchingPool
from tutela.screening.model import Verdict
from tutela.screening.opening import ScreeningRoom, open_screening
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import load_settings
from tutela.streams.allowing import Allowed
from tutela.streams.judging import About, Judge, Judged
from tutela.streams.model import State, source_of
from tutela.streams.watching import Plan, Standing, Watching

HERE = Allowed.of(["127.0.0.0/8"])
KNOWN_AT = 2
"""The second of the clip at which it shows a picture that a list has."""


def shown_at(second: int) -> Fingerprint:
    """The hash of what the clip shows then."""
    return Fingerprint.from_text(Kind.PDQ, str(House.fingerprints(still(frame=8 * second))["pdq"]))


@dataclass
class Room:
    """A house that knows one frame of one clip, and where streams are decoded."""

    screening: ScreeningRoom
    database: Database
    cells: WatchingPool


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    settings = load_settings(data=tmp_path_factory.mktemp("streams") / "data", cells=1)
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    prepare_keys(Keyring(settings), database, tell=lambda _: None)
    known = new_list(database, system_clock, "pictures")
    add(database, known, system_clock, shown_at(KNOWN_AT))
    with (
        open_screening(settings, database, system_clock) as screening,
        WatchingPool() as cells,
    ):
        screening.screener.refresh()
        yield Room(screening, database, cells)
    database.close()


@dataclass
class Watched:
    """A stream that is watched in a thread, and what came of it."""

    watching: Watching
    matches: list[Judged] = field(default_factory=list)

    @property
    def now(self) -> Standing:
        return self.watching.standing

    def over(self) -> Standing:
        """How it stood at its end."""
        assert comes_true(lambda: self.now.state.is_over), self.now
        return self.now


@pytest.fixture
def watch(room: Room) -> Iterator:
    begun: list[tuple[Watched, threading.Thread]] = []

    def watch(source: str, judge: Judge | None = None, **plan: object) -> Watched:
        found = source_of(source, files=True)
        about = About(found.shown, "test", ACTOR, reference="upload 7")
        judge = judge or Judge(room.screening.screener, about, system_clock, again=timedelta(1))
        given = {"give_up_seconds": 0.0, "every": 0.9, "sampling": Sampling.KEY_FRAMES} | plan
        planned = Plan(**given)  # type: ignore[arg-type]
        watching = Watching(found, HERE, room.cells, judge, planned, system_clock)
        watched = Watched(watching)
        watching._tell = watched.matches.append
        thread = threading.Thread(target=watching.run, daemon=True)
        begun.append((watched, thread))
        thread.start()
        return watched

    yield watch
    for watched, thread in begun:
        watched.watching.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as web:
        yield web


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


def found(watched: Watched) -> list[str]:
    return [each.place for each in watched.matches]


def test_a_playlist_that_goes_on_is_followed_from_its_newest_segment_to_its_end(
    room: Room, watch, web: Web
) -> None:
    cut = segments()
    web.files["/live/all.m3u8"] = (
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=1920x1080\nlarge.m3u8\n"
        b"#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=320x240\none.m3u8\n"
    )
    web.publish("/live/one.m3u8", cut[:1])
    watched = watch(web.url("/live/all.m3u8"))
    for end in range(2, 5):
        assert comes_true(lambda end=end: f"/live/one.m3u8-{end - 2}.ts" in web.asked)
        web.publish("/live/one.m3u8", cut[end - 2 : end], first=end - 2, ended=end == 4)
    standing = watched.over()
    assert (standing.reason, standing.frames, standing.dropped) == (None, 4, 0)
    assert found(watched) == [clock_words(KNOWN_AT)]
    with room.database.reading() as connection:
        case = find_case(connection, watched.matches[0].case)
        facts = connection.execute(select(cases.c.facts).where(cases.c.id == case.id)).scalar_one()
    assert "live_stream" in facts
    assert case.items[0].item.reference == "upload 7"


def test_the_frame_that_matched_is_sealed_and_of_the_others_nothing_is_left(
    room: Room, watch, web: Web
) -> None:
    web.files["/clip.ts"] = moving()
    watched = watch(web.url("/clip.ts"))
    assert watched.over().frames == 8
    with room.database.reading() as connection:
        rows = connection.execute(
            select(case_items).where(case_items.c.case_id == watched.matches[0].case)
        ).all()
    assert [row.kind for row in rows] == ["picture"]
    sealed = b"".join(room.screening.vault.open(ItemId(rows[0].evidence_id)))
    assert House.fingerprints(sealed)["pdq"] == rows[0].pdq.hex()
    assert House.fingerprints(sealed)["sha256"] == rows[0].sha256.hex()


def test_a_stream_by_rtmp_is_received_and_tried_again_when_it_is_lost(watch) -> None:
    port = free_port()
    first = give_out_by_rtmp(port, moving(4), 0.02)
    watched = watch(f"rtmp://127.0.0.1:{port}/live/one", give_up_seconds=60.0)
    assert comes_true(lambda: watched.now.frames > 0)
    first.join(10)
    assert comes_true(lambda: watched.now.state is State.LOST)
    assert watched.now.reason in (
        "the connection was ended",
        "there is no connection to its server",
    )
    before = watched.now.frames
    assert before + watched.now.dropped <= 4
    give_out_by_rtmp(port, moving(4, seed=5), 0.02)
    assert comes_true(lambda: watched.now.frames > before)


def test_a_stream_by_srt_is_received_and_what_lets_it_in_is_told_to_nobody(watch) -> None:
    with srt_server(moving(), "&passphrase=a-word-for-tests") as port:
        watched = watch(
            f"srt://127.0.0.1:{port}?streamid=#!::r=live/7&passphrase=a-word-for-tests&latency=60",
            give_up_seconds=60.0,
        )
        assert comes_true(lambda: found(watched) == [clock_words(KNOWN_AT)]), watched.now
    assert comes_true(lambda: watched.now.state is State.LOST)
    assert "a-word-for-tests" not in repr((watched.now, watched.matches))


def test_the_same_entry_is_told_of_once_and_what_is_found_later_is_in_the_same_case(
    room: Room, watch, tmp_path
) -> None:
    clip = tmp_path / "clip.ts"
    clip.write_bytes(moving() + moving())
    other = new_list(room.database, system_clock, "others")
    add(room.database, other, system_clock, shown_at(5))
    room.screening.screener.refresh()
    watched = watch(str(clip))
    assert watched.over().frames == 16
    assert len(watched.matches) == 2
    assert len({each.case for each in watched.matches}) == 1


def test_frames_that_are_those_of_a_listed_video_match_it_together(
    room: Room, watch, web: Web
) -> None:
    frames: list[VideoFrame] = []

    class Listening(Judge):
        def judge(self, frame: Sampled, picture: object) -> None:
            frames.append(VideoFrame(frame.pdq, frame.seconds))

    web.files["/clip.ts"] = moving(10, seed=9)
    assert watch(web.url("/clip.ts"), Listening(None, None, None, again=None)).over().frames == 10
    videos = new_list(room.database, system_clock, "videos")
    fingerprint, packed = of_frames(frames)
    row = ListRow(1, fingerprint, frames=packed)
    with room.database.writing() as connection:
        add_with_provenance(
            connection, videos, Provenance("tests"), [row], actor=ACTOR, clock=system_clock
        )
    room.screening.screener.refresh()
    # Beside another one, too, whose frames come in between.
    web.files["/both.ts"] = side_by_side([moving(10, seed=8), moving(10, seed=9)], "mpegts")
    for path in ("/clip.ts", "/both.ts"):
        watched = watch(web.url(path))
        watched.over()
        assert [each.matches[0].kind for each in watched.matches] == [Kind.VPDQ], path


def test_what_a_stream_shows_beside_another_video_is_found(watch, web: Web) -> None:
    web.files["/clip.ts"] = side_by_side([moving(seed=6), moving()], "mpegts")
    watched = watch(web.url("/clip.ts"))
    assert watched.over().frames == 16
    assert clock_words(KNOWN_AT) in found(watched)


def test_a_playlist_that_makes_its_numbers_begin_anew_or_leaves_segments_out_goes_on(
    watch, web: Web
) -> None:
    cut = segments()
    web.publish("/one.m3u8", cut[:1], first=100)
    watched = watch(web.url("/one.m3u8"))
    assert comes_true(lambda: watched.now.frames == 1)
    web.publish("/one.m3u8", cut[4:5], first=104)
    assert comes_true(lambda: watched.now.frames == 2)
    assert watched.now.skipped == 3.0
    assert watched.now.state is State.LAGGING
    web.publish("/one.m3u8", cut[6:7], first=3, ended=True)
    assert watched.over().frames == 3


def test_a_playlist_of_fragments_that_begins_anew_is_followed(watch, web: Web) -> None:
    head, *pieces = fragments()
    other, *others = fragments(seed=5)
    web.files |= {"/head.mp4": head, "/other.mp4": other, "/all.mp4": b"".join(pieces)}
    web.files |= {f"/{place}.m4s": piece for place, piece in enumerate(others)}
    lines, at = ["#EXTM3U", '#EXT-X-MAP:URI="head.mp4"'], 0
    for piece in pieces:
        lines += ["#EXTINF:1,", f"#EXT-X-BYTERANGE:{len(piece)}@{at}", "all.mp4"]
        at += len(piece)
    lines += ["#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="other.mp4"']
    for place in range(len(others)):
        lines += ["#EXTINF:1,", f"{place}.m4s"]
    web.files["/all.m3u8"] = "\n".join([*lines, "#EXT-X-ENDLIST"]).encode()
    watched = watch(web.url("/all.m3u8"))
    assert (watched.over().reason, watched.now.frames) == (None, len(pieces) + len(others))
    assert found(watched)[0] == clock_words(KNOWN_AT)


def test_encrypted_segments_are_opened_with_the_key_that_the_playlist_names(
    watch, web: Web
) -> None:
    key, vector = bytes(range(16)), bytes(15) + b"\x07"
    padding = PKCS7(128).padder()
    padded = padding.update(segments()[KNOWN_AT]) + padding.finalize()
    encryptor = Cipher(algorithms.AES128(key), modes.CBC(vector)).encryptor()
    web.files |= {"/key": key, "/a.ts": encryptor.update(padded) + encryptor.finalize()}
    how = '#EXT-X-KEY:METHOD=AES-128,URI="/key",IV=0x7'
    web.files["/all.m3u8"] = f"#EXTM3U\n{how}\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST".encode()
    watched = watch(web.url("/all.m3u8"))
    assert (watched.over().reason, len(watched.matches)) == (None, 1)
    web.files["/all.m3u8"] = web.files["/all.m3u8"].replace(b"AES-128", b"SAMPLE-AES")
    assert "encrypted in a way" in (watch(web.url("/all.m3u8")).over().reason or "")


@pytest.mark.parametrize(
    ("playlist", "said"),
    [
        ("#EXTINF:1,\nfile:///etc/passwd", '"file:"'),
        ("#EXTINF:1,\nhttp://169.254.169.254/latest", "169.254.169.254"),
        ("#EXTINF:1,\nhttp://[::ffff:169.254.169.254]/latest", "::ffff:169.254.169.254"),
        ("#EXTINF:1,\n//192.0.2.1/a.ts", "192.0.2.1"),
        ("#EXTINF:1,\n/moved.ts", "198.51.100.1"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\ndata:,x", '"data:"'),
        ('#EXT-X-MAP:URI="concat:/etc/passwd"\n#EXTINF:1,\na.ts', '"concat:"'),
        ('#EXT-X-KEY:METHOD=AES-128,URI="file:///k"\n#EXTINF:1,\na.ts', '"file:"'),
        ("#EXTINF:1,\n/all.m3u8", "no video"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\n/all.m3u8", "playlists of playlists"),
        ("#EXTINF:one,\na.ts", "makes no sense"),
    ],
)
def test_a_playlist_leads_nowhere_but_to_hosts_that_are_allowed(
    watch, web: Web, playlist: str, said: str
) -> None:
    web.files["/all.m3u8"] = f"#EXTM3U\n{playlist}\n#EXT-X-ENDLIST\n".encode()
    web.files["/a.ts"] = segments()[0]
    web.moved["/moved.ts"] = "http://198.51.100.1/a.ts"
    watched = watch(web.url("/all.m3u8"))
    assert said in (watched.over().reason or "")
    assert watched.now.frames == 0


def test_a_frame_that_cannot_be_kept_now_waits_until_it_can(room: Room, watch, web: Web) -> None:
    class Failing(Judge):
        failures = 0

        def judge(self, frame: Sampled, picture: object) -> Judged | None:
            if round(frame.seconds) == KNOWN_AT and self.failures < 1:
                self.failures += 1
                raise StorageError("the database does not answer")
            return super().judge(frame, picture)  # type: ignore[arg-type]

    web.files["/clip.ts"] = moving()
    about = About("one", "test", ACTOR)
    judge = Failing(room.screening.screener, about, system_clock, again=timedelta(1))
    watched = watch(web.url("/clip.ts"), judge)
    assert comes_true(lambda: watched.now.reason == "the database does not answer")
    assert watched.over().frames == 8
    assert found(watched)[0] == clock_words(KNOWN_AT)


def test_a_stream_without_key_frames_is_begun_anew_and_decoded_whole(watch, web: Web) -> None:
    web.files["/clip.ts"] = moving(18, group=1000)
    watched = watch(web.url("/clip.ts"), every=0.1)
    assert watched.over().every_frame
    # Which frames, is left to chance; of these there are eight a second.
    assert watched.now.frames > 18
    assert found(watched)[0] in [clock_words(KNOWN_AT + each) for each in (-1, 0, 1)]


def test_what_a_list_lets_pass_is_told_of_and_is_not_counted_as_a_match(
    room: Room, watch, web: Web
) -> None:
    class Passing(Judge):
        def judge(self, frame, picture):
            judged = super().judge(frame, picture)
            return judged and replace(judged, verdict=Verdict.CLEAR)

    web.files["/clip.ts"] = moving()
    about = About("one", "test", ACTOR)
    judge = Passing(room.screening.screener, about, system_clock, again=timedelta(1))
    watched = watch(web.url("/clip.ts"), judge)
    assert watched.over().matches == 0
    assert watched.matches


def test_what_is_shown_between_key_frames_alone_is_found(
    room: Room, watch, web: Web, tmp_path
) -> None:
    clip = tmp_path / "clip.ts"
    # Its one key frame is its first frame; what a list knows is shown later.
    clip.write_bytes(moving(8, group=1000))
    by_keys = watch(str(clip))
    assert (by_keys.over().frames, by_keys.matches) == (1, [])
    watched = watch(str(clip), every=0.1, sampling=Plan().sampling)
    assert watched.over().frames > 8
    assert watched.matches
    assert watched.now.by_key_frames == 0.0


def test_where_it_is_the_turn_of_others_it_is_said_that_only_key_frames_are_looked_at(
    watch, web: Web
) -> None:
    web.publish("/one.m3u8", segments(seed=5)[:3])
    watched = watch(web.url("/one.m3u8"), sampling=Sampling.SECONDS, give_up_seconds=60)
    watched.watching.turn(whole=False)
    assert comes_true(lambda: watched.now.frames > 0)
    assert watched.watching.wants_turns
    web.publish("/one.m3u8", segments(seed=5)[3:6], first=3, ended=True)
    watched.over()
    assert 2.0 <= watched.now.by_key_frames <= 4.0
    assert not watched.watching.wants_turns


def test_a_server_that_is_not_there_is_told_of_in_the_same_words_as_one_that_speaks_no_tls(
    watch,
) -> None:
    gone = watch(f"rtmp://127.0.0.1:{free_port()}/live/one").over()
    with socket.create_server(("127.0.0.1", 0)) as server:
        watched = watch(f"rtmps://127.0.0.1:{server.getsockname()[1]}/live/one")
        line, _ = server.accept()
        with line:
            line.sendall(b"\x03")
        other = watched.over()
    assert gone.reason == other.reason == "there is no connection to its server"
    # Those who run the house read more of it, in the log.
    assert "refused" in gone.detail
    assert "encrypted" in other.detail


def test_what_says_nothing_is_stopped_at_once(watch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        watched = watch(f"rtmp://127.0.0.1:{silent.getsockname()[1]}/live/one", give_up_seconds=60)
        line, _ = silent.accept()
        with line:
            watched.watching.stop()
            assert comes_true(lambda: line.recv(1 << 16) == b"")


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 400 Bad\r\n\r\n", b"\x03" + bytes(4000)])
def test_what_speaks_no_rtmp_is_lost_with_a_reason(watch, sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        watched = watch(f"rtmp://127.0.0.1:{server.getsockname()[1]}/live/one")
        line, _ = server.accept()
        with line:
            line.sendall(sent)
        assert watched.over().reason
        assert watched.now.frames == 0


def test_what_nobody_can_see_anything_of_is_lost_whatever_it_sends(
    watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutela.streams.watching._BLIND_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        watched = watch(source, every=0.1, give_up_seconds=60)
        line, _ = server.accept()
        with line:
            line.sendall(bytes(4))
            assert comes_true(lambda: watched.now.state is State.LOST)
    assert watched.now.reason == "nothing can be seen of it any more"


def test_whatever_goes_wrong_the_stream_is_tried_again(watch, web: Web, room: Room) -> None:
    web.publish("/one.m3u8", segments()[:1])

    class Broken(Judge):
        broken = True

        def judge(self, frame, picture):
            if self.broken:
                raise RuntimeError("nobody foresaw it")
            return super().judge(frame, picture)

    about = About("one", "test", ACTOR)
    judge = Broken(room.screening.screener, about, system_clock, again=timedelta(1))
    watched = watch(web.url("/one.m3u8"), judge, give_up_seconds=60)
    assert comes_true(lambda: watched.now.state is State.LOST)
    assert "RuntimeError" in str(watched.now.reason)
    judge.broken = False
    assert comes_true(lambda: watched.now.frames == 1)


def test_numbers_that_leap_leave_out_no_more_than_can_be(watch, web: Web) -> None:
    web.publish("/one.m3u8", segments(seed=5)[:1])
    watched = watch(web.url("/one.m3u8"))
    assert comes_true(lambda: watched.now.frames == 1)
    web.publish("/one.m3u8", segments(seed=5)[1:2], first=10**300)
    assert comes_true(lambda: watched.now.frames == 2)
    assert watched.now.skipped == 10_000


def test_what_is_stopped_while_a_frame_is_judged_has_not_ended(web: Web, room: Room) -> None:
    web.publish("/one.m3u8", segments(seed=5)[:1])

    class Stopping(Judge):
        def judge(self, frame, picture):
            watching.stop()
            return super().judge(frame, picture)

    source = source_of(web.url("/one.m3u8"))
    judge = Stopping(
        room.screening.screener, About("one", "test", ACTOR), system_clock, again=timedelta(1)
    )
    watching = Watching(source, HERE, room.cells, judge, Plan(), system_clock)
    assert watching.run().state is State.WATCHED


def test_a_frame_that_matches_and_whose_picture_cannot_be_made_has_a_case_all_the_same(
    watch, web: Web, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(watcher: Watcher, frame: Sampled) -> bytes:
        watcher.end()
        raise WatcherLostError

    monkeypatch.setattr(Watcher, "picture", lost)
    web.files["/clip.ts"] = moving()
    watched = watch(web.url("/clip.ts"))
    assert watched.over().reason == "it broke its decoder"
    (judged,) = watched.matches
    with room.database.reading() as connection:
        item = connection.execute(
            select(case_items).where(case_items.c.case_id == judged.case)
        ).one()
    assert item.evidence_id is None
    assert watched.now.matches == 1


def test_a_frame_that_is_judged_once_more_is_the_same_one_whatever_the_clock_says(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def act(submissions, *_):
        asked.append(submissions[0].request)
        raise StorageError("nobody knows how it went")

    monkeypatch.setattr(room.screening.screener, "act", act)
    moments = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=each) for each in range(99))
    judge = Judge(
        room.screening.screener,
        About("one", "test", ACTOR),
        partial(next, moments),
        again=timedelta(1),
    )
    frame = Sampled(1, Pdq(shown_at(KNOWN_AT).value, 100), 0.0, 0.0, 0, 320, 240)
    for _ in range(2):
        with pytest.raises(StorageError):
            judge.judge(frame, lambda _: b"")
    assert len(asked) == 2
    assert asked[0] == asked[1] is not None
