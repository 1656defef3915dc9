"""Deciding what a match means. Pure: no database, no files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tutela.cases.model import Match
from tutela.fingerprints.model import Kind, Part
from tutela.matching.model import Hit
from tutela.screening.model import Failure, Verdict
from tutela.storage.settings import (
    ListPolicy,
    OnEachUnreadable,
    OnMatch,
    OnUnreadable,
    Policy,
)

_STRICTEST_FIRST = (OnUnreadable.REFUSE, OnUnreadable.QUEUE, OnUnreadable.PASS)


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy for one list, with nothing left out.

    Attributes:
        name: The list's name.
        on_match: What a match means.
        max_distance: Greatest number of differing PDQ bits that is a match.
        min_quality: PDQ quality below which pictures are not compared.
        min_video_percent: Share of the frames of either of two videos, in percent, that has to be
            in the other.
    """

    name: str
    on_match: OnMatch
    max_distance: int
    min_quality: int
    min_video_percent: int = 80


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done with a file.

    Attributes:
        verdict: What the caller is told.
        open_case: Whether a case is opened.
    """

    verdict: Verdict
    open_case: bool


def rules_for(policy: Policy, name: str) -> Rules:
    """The policy for the list of this name: its own settings where given, else the general ones."""
    own = policy.lists.get(name, ListPolicy())
    return Rules(
        name=name,
        on_match=policy.on_match if own.on_match is None else own.on_match,
        max_distance=policy.max_distance if own.max_distance is None else own.max_distance,
        min_quality=policy.min_quality if own.min_quality is None else own.min_quality,
        min_video_percent=policy.min_video_percent
        if own.min_video_percent is None
        else own.min_video_percent,
    )


def matches_among(
    hits: Iterable[Hit],
    rules: Mapping[int, Rules],
    quality: int | None,
    entry_quality: Mapping[int, int | None],
) -> tuple[Match, ...]:
    """Which hits are matches under the rules: the nearest of each list and kind.

    A PDQ hit counts if it is within its list's distance and neither side is below its list's
    quality gate; a quality that nobody stated counts as good.

    Args:
        hits: What the index found, the nearest first.
        rules: The rules of every live list, by the list's number. Other lists do not count.
        quality: The PDQ quality of the screened picture, if known.
        entry_quality: The quality that its list states of each live entry, by the entry's number.
            Entries that are not in here have been withdrawn.
    """
    nearest: dict[tuple[int, Kind], Match] = {}
    for hit in hits:
        rule = rules.get(hit.hash_list)
        if rule is None or hit.kind is Kind.VPDQ or hit.entry not in entry_quality:
            # A video is judged by all its frames.
            continue
        if hit.kind is Kind.PDQ and not (
            hit.distance <= rule.max_distance
            and _good(quality, rule)
            and _good(entry_quality[hit.entry], rule)
        ):
            continue
        nearest.setdefault(
            (hit.hash_list, hit.kind),
            Match(hit.hash_list, rule.name, hit.entry, hit.kind, hit.distance),
        )
    return tuple(nearest.values())


MOST_MATCHES = 100
"""So many of a file are kept, besides the nearest of each list and kind."""


def best_of(own: Sequence[Match], parts: Iterable[tuple[Part, Sequence[Match]]]) -> list[Match]:
    """Of what a file and its parts match, what it is judged by and what people are told.

    That is the nearest of each list and kind for the file itself and for every file within it,
    each with what is in it in turn, as its frames are: so it is told which of the files in an
    archive matched, and not of each frame of one that hardly moves. If there are very many, not
    all of them.

    Args:
        own: What the file itself matches. Of each list and kind the first one counts.
        parts: Each part in the order in which it was found, with what it matches.

    Returns:
        The nearest first, and of those that are equally near, the one that was found first.
    """
    nearest: dict[tuple[str, int, Kind], Match] = {}
    for match in own:
        nearest.setdefault(("", match.hash_list, match.kind), match)
    within = ""
    for part, matches in parts:
        within = within_which(part, within)
        for match in matches:
            key = (within, match.hash_list, match.kind)
            if key not in nearest or match.distance < nearest[key].distance:
                nearest[key] = match if match.place else replace(match, place=part.place)
    ordered = sorted(nearest.values(), key=lambda match: match.distance)
    if len(ordered) <= MOST_MATCHES:
        return ordered
    # The strictest list decides, so none is to be left out.
    first = {(match.hash_list, match.kind): match for match in reversed(ordered)}
    kept = set(first.values()) | set(ordered[:MOST_MATCHES])
    return [match for match in ordered if match in kept]


def within_which(part: Part, within: str) -> str:
    """The place of the file that a part is, or is in; ``""`` if that is the file itself.

    Args:
        part: The part.
        within: What this was of the part before it.
    """
    if part.digests is not None:
        return part.place
    is_within = part.place == within or part.place.startswith(f"{within} ")
    return within if is_within else ""


def answer_to(
    failures: Iterable[Failure], on_each: OnEachUnreadable
) -> tuple[Failure, OnUnreadable] | None:
    """What becomes of a file that could not be looked at, the strictest reason deciding.

    Args:
        failures: Why it, and things in it, could not be looked at.
        on_each: What becomes of a file for each reason.

    Returns:
        The first of the reasons that decide, and what becomes of it; ``None`` without any.
    """
    answers = [(failure, on_each.of(failure.cause)) for failure in failures]
    return min(answers, key=lambda each: _STRICTEST_FIRST.index(each[1]), default=None)


def decide(
    matches: Iterable[Match],
    rules: Mapping[int, Rules],
    unreadable: OnUnreadable | None = None,
) -> Action:
    """What is to be done, the strictest list deciding.

    Args:
        matches: What matched.
        rules: The rules of every list that matched, by the list's number.
        unreadable: What becomes of the file if it, or something in it, could not be looked at;
            ``None`` if everything could.
    """
    meanings = {rules[match.hash_list].on_match for match in matches}
    if OnMatch.BLOCK in meanings:
        return Action(Verdict.MATCH, open_case=True)
    open_case = OnMatch.PASS in meanings or unreadable is OnUnreadable.QUEUE
    return Action(Verdict.CLEAR if unreadable is None else Verdict.UNREADABLE, open_case)


def _good(quality: int | None, rule: Rules) -> bool:
    return quality is None or quality >= rule.min_quality
