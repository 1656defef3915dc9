"""Which parts of an item are to be seen for what it matched. Pure."""

import re
from collections.abc import Iterable, Iterator

from tutela.cases.model import Match

# As ``screening.videos`` tells of the stretches of a video that are in a listed one.
_SPAN = r"\d+:\d\d:\d\d(?: to \d+:\d\d:\d\d)?"
_STRETCHES = re.compile(rf"(?P<within>.*?) ?(?P<spans>{_SPAN}(?:, {_SPAN})*)(?:, and \d+ more)?")


def matched_parts(matches: Iterable[Match]) -> tuple[str | None, ...]:
    """The places that matched, the nearest match first, each once.

    Where the very file matched, that is the file as a whole, ``None``; where its first picture did,
    ``""``. Of a stretch of a video it is the frame that it begins with.
    """
    return tuple(dict.fromkeys(place for match in matches for place in _places_of(match)))


def _places_of(match: Match) -> Iterator[str | None]:
    if match.query_percent is None:
        yield None if match.is_the_very_file else match.place
        return
    found = _STRETCHES.fullmatch(match.place)
    if found is None:
        yield match.place
        return
    for span in found["spans"].split(", "):
        yield f"{found['within']} {span.partition(' to ')[0]}".strip()
