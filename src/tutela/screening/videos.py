"""Judging videos by all their frames."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection, select

from tutela.cases.model import Match
from tutela.fingerprints.model import Kind, Part, VideoFrame, look_of_frame, place_of_video
from tutela.fingerprints.vpdq import Likeness, likeness, unpack
from tutela.hashlists.tables import entries, entry_frames
from tutela.matching.hits import Hits
from tutela.matching.model import entry_of_frame
from tutela.screening.policy import Rules

_ENTRIES_AT_ONCE = 50
# A place is for people to read.
_MOST_SPANS = 5


@dataclass(slots=True)
class Video:
    """The frames of one video, as a file is stored or as it is shown.

    Attributes:
        within: The place of the file within the file that it is, and which video of that, if it
            is not the first; ``""`` for the file itself.
        frames: Its frames.
        numbers: The places of these frames among the parts of the file.
    """

    within: str
    frames: list[VideoFrame] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


def videos_among(parts: Sequence[Part]) -> list[Video]:
    """The videos that parts are the frames of; one that is turned is there both ways."""
    found: dict[tuple[str, str, bool], Video] = {}
    for number, part in enumerate(parts):
        if part.seconds is not None and part.pdq is not None and not part.is_between:
            place = place_of_video(part.place)
            look = look_of_frame(part.place)
            video = found.setdefault((place, look, part.is_turned), Video(place))
            video.frames.append(VideoFrame(part.pdq, part.seconds))
            video.numbers.append(number)
    return list(found.values())


def matches_of_video(
    connection: Connection, video: Video, hits: Iterable[Hits], rules: Mapping[int, Rules]
) -> list[Match]:
    """Which entries of lists a video matches: of each list the one that it has most in common with.

    A video matches an entry if at least ``min_video_percent`` of its frames are in the entry, or as
    much of the entry is in it, as ``fingerprints.vpdq.likeness`` has it: so a clip of a known video
    is found, and so is a known video in a longer one.

    Args:
        connection: Where the entries are.
        video: The video.
        hits: What the index found of each of its frames.
        rules: The rules of every live list, by the list's number.
    """
    candidates = _candidates(hits, rules)
    best: dict[int, tuple[tuple[float, float], Match]] = {}
    for entry, frames in _frames_of(connection, candidates):
        number = candidates[entry]
        rule = rules[number]
        alike = likeness(video.frames, frames, rule.max_distance, rule.min_quality)
        less, more = sorted((alike.query_percent, alike.compared_percent))
        if more < rule.min_video_percent:
            continue
        if number not in best or (more, less) > best[number][0]:
            best[number] = (more, less), _match(video, entry, number, rule, alike)
    return [match for _, match in best.values()]


def _candidates(hits: Iterable[Hits], rules: Mapping[int, Rules]) -> dict[int, int]:
    """The entries that any frame is near to, each with its list."""
    found: dict[int, int] = {}
    for each in hits:
        if not any(kind is Kind.VPDQ for _, kind in each.pairs()):
            continue
        for hit in each:
            if hit.kind is Kind.VPDQ and hit.hash_list in rules:
                found[entry_of_frame(hit.entry)] = hit.hash_list
    return found


def _frames_of(
    connection: Connection, candidates: Iterable[int]
) -> Iterator[tuple[int, tuple[VideoFrame, ...]]]:
    remaining = iter(sorted(candidates))
    while portion := list(islice(remaining, _ENTRIES_AT_ONCE)):
        rows = connection.execute(
            select(entries.c.id, entry_frames.c.frames)
            .join_from(entries, entry_frames)
            # The index may not yet know that one was withdrawn.
            .where(entries.c.id.in_(portion), entries.c.live)
            .order_by(entries.c.id)
        )
        for row in rows:
            yield row.id, unpack(row.frames)


def _match(video: Video, entry: int, number: int, rule: Rules, alike: Likeness) -> Match:
    return Match(
        number,
        rule.name,
        entry,
        Kind.VPDQ,
        round(alike.distance),
        _place(video, alike),
        query_percent=int(alike.query_percent),
        compared_percent=int(alike.compared_percent),
    )


def _place(video: Video, alike: Likeness) -> str:
    words = [span.words for span in alike.spans[:_MOST_SPANS]]
    if (more := len(alike.spans) - len(words)) > 0:
        words.append(f"and {more} more")
    return f"{video.within} {', '.join(words)}".lstrip()
