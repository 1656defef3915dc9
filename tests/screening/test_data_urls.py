"""What a ``data:`` address holds is read as browsers read it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.errors import InvalidInputError
from tutela.screening.data_urls import Held, is_data_url, read_data_url


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("data:,A%20b#c", Held(b"A b", "")),
        ("data:text/plain;charset=utf-8,%41", Held(b"A", "text/plain")),
        ("DATA:Image/PNG;base64,QUI=", Held(b"AB", "image/png")),
        (" da\nta:image/png; base64,QU\tI", Held(b"AB", "image/png")),
        ("data:image/png;base64,QU I%3D", Held(b"AB", "image/png")),
        ("data:;BASE64,", Held(b"", "")),
        ("data:image/png;base64;x=y,QUI=", Held(b"QUI=", "image/png")),
        ("data:,\u00e9%zz ", Held(b"\xc3\xa9%zz", "")),
        ("data:,a,b?c", Held(b"a,b?c", "")),
    ],
)
def test_it_is_read_as_a_browser_reads_it(text: str, held: Held) -> None:
    assert is_data_url(text)
    assert read_data_url(text) == held


@pytest.mark.parametrize("text", ["data:image/png", "data:;base64,QUI*", "data:;base64,Q", "x"])
def test_what_holds_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        read_data_url(text)


@given(st.binary(max_size=50), st.sampled_from(["", "=="]))
def test_any_bytes_come_back(content: bytes, padding: str) -> None:
    packed = base64.b64encode(content).decode().rstrip("=")
    packed += "=" * (-len(packed) % 4) if padding else ""
    assert read_data_url(f"data:x/y;base64,{packed}").content == content
    written = "".join(f"%{byte:02x}" for byte in content)
    assert read_data_url(f"data:,{written}").content == content
