"""An SRT address says what a caller may say, and nothing that would have it do something else."""

import pytest

from tutela.errors import InvalidInputError
from tutela.streams.srt_options import srt_options

HOST = "srt://media.example.org:9000"


@pytest.mark.parametrize(
    ("said", "options"),
    [
        ("", {}),
        ("/?", {}),
        ("?streamid=#!::r=live/7,m=request", {"streamid": "#!::r=live/7,m=request"}),
        ("?streamid=%23!::r=live/7", {"streamid": "#!::r=live/7"}),
        (
            "?latency=200&passphrase=a-word-for-tests&pbkeylen=32",
            {"latency": "200", "passphrase": "a-word-for-tests", "pbkeylen": "32"},
        ),
    ],
)
def test_what_a_caller_may_say_is_understood(said: str, options: dict[str, str]) -> None:
    assert srt_options(HOST + said) == options


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("?mode=listener", "may say streamid, latency, passphrase, pbkeylen"),
        ("?streamid=7&bind=192.0.2.1:9", "may say"),
        ("?latency=9&latency=8", "may say"),
        ("?streamid", "may say"),
        ("/live", "may say"),
        ("#live", "may say"),
        ("?latency=8001", "of an SRT source"),
        ("?latency=-1", "of an SRT source"),
        ("?pbkeylen=8", "of an SRT source"),
        ("?passphrase=short", "of an SRT source"),
        ("?streamid=a%26mode=listener", "of an SRT source"),
        ("?streamid=a%2526mode=listener", "of an SRT source"),
        ("?streamid=%C3%A9", "of an SRT source"),
        ("?streamid=" + "a" * 513, "of an SRT source"),
    ],
)
def test_all_else_is_refused_with_what_may_be_said(said: str, wrong: str) -> None:
    with pytest.raises(InvalidInputError, match=wrong):
        srt_options(HOST + said)
