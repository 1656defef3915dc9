"""Streams are received by SRT, by a process that may do little and does not outlive them."""

import os
import threading
from pathlib import Path

import pytest

from tests.streams.serving import moving, srt_server
from tests.waiting import comes_true
from tutela.streams import srt
from tutela.streams.allowing import Allowed, Calls
from tutela.streams.model import RefusedSourceError, SourceError, StoppedError, source_of

HERE = Allowed.of(["127.0.0.0/8"])
WORD = "a-word-for-tests"


def receivers() -> list[Path]:
    """The processes of this one that receive."""
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    return [
        Path("/proc", each)
        for each in children
        if b"mode=caller" in Path("/proc", each, "cmdline").read_bytes()
    ]


def test_the_process_that_receives_may_do_little_and_ends_with_the_connection() -> None:
    with srt_server(moving(4)) as port:
        source = source_of(f"srt://127.0.0.1:{port}?streamid=live/7")
        calls = Calls(HERE)
        with srt.connection(source, calls) as (line, first):
            assert first
            process = receivers()[0]
            names = {
                each.partition(b"=")[0] for each in (process / "environ").read_bytes().split(b"\0")
            }
            assert names == {b"PATH", b""}
            status = dict(
                each.split(":\t", 1) for each in (process / "status").read_text().splitlines()
            )
            assert (status["NoNewPrivs"], int(status["CapPrm"], 16)) == ("1", 0)
            limits = (process / "limits").read_text()
            assert "Max core file size        0 " in limits
            assert f"Max address space         {1 << 30} " in limits
            assert os.getsid(int(process.name)) != os.getsid(0)
            calls.cut()
            # Past what had come in by then.
            while line.recv(1 << 16):
                pass
        assert receivers() == []


def test_why_a_server_refuses_is_told_to_those_alone_who_run_the_house() -> None:
    with (
        srt_server(moving(4), f"&passphrase={WORD}") as port,
        pytest.raises(SourceError) as refused,
        srt.connection(source_of(f"srt://127.0.0.1:{port}?latency=60"), Calls(HERE)),
    ):
        pass
    assert refused.value.reason == "there is no connection to its server"
    assert refused.value.detail == "its server refuses the connection: see streamid and passphrase"


def test_without_the_program_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with (
        pytest.raises(SourceError, match="apt-get install srt-tools"),
        srt.connection(source_of("srt://127.0.0.1:9"), Calls(HERE)),
    ):
        pass


def test_nothing_is_started_for_an_address_that_is_not_allowed() -> None:
    for allowed in (Allowed.of(["10.0.0.0/8"]), Allowed.of(["127.0.0.0/8"], [1935])):
        with (
            pytest.raises(RefusedSourceError),
            srt.connection(source_of("srt://127.0.0.1:9"), Calls(allowed)),
        ):
            pass
    calls = Calls(HERE)
    calls.cut()
    with pytest.raises(StoppedError), srt.connection(source_of("srt://127.0.0.1:9"), calls):
        pass
    assert comes_true(lambda: receivers() == [])
