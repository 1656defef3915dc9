"""What comes by RTMP is understood, and whatever else comes is refused."""

import io
import math
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.streams.allowing import Allowed, Calls
from tutela.streams.amf import read_values, write_values
from tutela.streams.rtmp import _Gathered, _Player

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


def head(size: int, kind: int = 9) -> bytes:
    """The first bytes of a message."""
    return b"\x03" + bytes(3) + size.to_bytes(3) + bytes([kind]) + bytes(4)


def test_who_sends_much_in_messages_of_nearly_nothing_is_heard_with_rests() -> None:
    rests: list[float] = []
    small = io.BufferedReader(io.BytesIO(3000 * (head(1) + b"a")))  # type: ignore[arg-type]
    line, other = socket.socketpair()
    with line, other:
        player = _Player(line, small, rests.append)
        for _ in range(3000):
            assert player._chunk() is not None
        assert len(rests) == 3
        player._reader = io.BufferedReader(io.BytesIO(3000 * (head(100) + bytes(100))))  # type: ignore[arg-type]
        for _ in range(3000):
            player._chunk()
        assert len(rests) == 3
        player._reader = io.BufferedReader(io.BytesIO(head(4, kind=1) + b"\0\0\0\1"))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="no chunk"):
            player._next()


def test_what_comes_a_byte_at_a_time_is_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(Allowed())
    waited: list[float] = []
    monkeypatch.setattr(calls, "rest", waited.append)
    line, other = socket.socketpair()
    with line, other:
        gathered = _Gathered(line, calls)
        other.sendall(b"a")
        assert gathered.readinto(bytearray(9)) == 1
        assert len(waited) == 1
        other.sendall(bytes(5000))
        assert gathered.readinto(bytearray(9000)) == 5000
        assert len(waited) == 1


@given(st.lists(VALUES, max_size=4))
def test_values_come_back_as_they_were_written(values) -> None:
    assert read_values(write_values(values)) == values


@given(st.binary(max_size=60))
def test_whatever_comes_is_values_or_makes_no_sense(content: bytes) -> None:
    try:
        values = read_values(content)
    except ValueError:
        return
    assert len(values) <= len(content)


def test_what_is_deeper_or_longer_than_any_command_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="no command"):
        read_values(b"\x0a\x00\x00\x00\x01" * 20)
    with pytest.raises(ValueError, match="no command"):
        read_values(b"\x05" * 2000)
    assert read_values(b"\x00" + b"\x7f\xf0" + bytes(6)) == [math.inf]


def test_a_message_that_is_begun_anew_shorter_is_read_no_further_than_it_goes() -> None:
    # More of the first one is there than the second one is long.
    sent = io.BytesIO(head(129) + b"a" * 128 + head(127) + b"b" * 127 + b"c" * 1000)
    line, other = socket.socketpair()
    with line, other:
        player = _Player(line, io.BufferedReader(sent), lambda _: None)
        assert player._chunk() is None
        message = player._chunk()
    assert message is not None
    assert message.body == b"b" * 127
    assert player._half_done == 0
