"""The part that matched is the one that is shown first."""

import pytest

from tutela.cases.matched_parts import matched_parts
from tutela.cases.model import Match
from tutela.fingerprints.model import Kind


@pytest.mark.parametrize(
    ("kind", "place", "parts"),
    [
        (Kind.MD5, "", (None,)),
        (Kind.MD5, "a/b.jpg", ("a/b.jpg",)),
        (Kind.PDQ, "", ("",)),
        (Kind.PDQ, "frame 3", ("frame 3",)),
        (Kind.VPDQ, "00:01:12 to 00:01:31", ("00:01:12",)),
        (Kind.VPDQ, "00:00:05", ("00:00:05",)),
        (Kind.VPDQ, "b c.mp4 00:00:01 to 00:00:03, 00:01:00, and 3 more",
         ("b c.mp4 00:00:01", "b c.mp4 00:01:00")),
    ],
)  # fmt: skip
def test_it_is_found_from_what_matched(
    kind: Kind, place: str, parts: tuple[str | None, ...]
) -> None:
    percent = 80 if kind is Kind.VPDQ else None
    match = Match(1, "partner", 1, kind, 0, place, percent, percent)
    assert matched_parts([match, match]) == parts


def test_the_nearest_comes_first() -> None:
    near, far = (Match(1, "partner", 1, Kind.PDQ, n, f"frame {n}") for n in (2, 30))
    assert matched_parts([near, far]) == ("frame 2", "frame 30")
