"""Deciding what a match means. Pure: no database, no files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tutela.cases.model import Match
from tutela.fingerprints.model import Kind
from tutela.matching.model import Hit
from tutela.screening.model import Verdict
from tutela.storage.settings import ListPolicy, OnMatch, Policy


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy for one list, with nothing left out.

    Attributes:
        name: The list's name.
        on_match: What a match means.
        max_distance: Greatest number of differing PDQ bits that is a match.
        min_quality: PDQ quality below which pictures are not compared.
    """

    name: str
    on_match: OnMatch
    max_distance: int
    min_quality: int


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
        if rule is None or hit.entry not in entry_quality:
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


def decide(
    matches: Iterable[Match], rules: Mapping[int, Rules], unreadable: bool = False
) -> Action:
    """What is to be done, the strictest list deciding.

    Args:
        matches: What matched.
        rules: The rules of every list that matched, by the list's number.
        unreadable: Whether the file has a picture that could not be decoded.
    """
    meanings = {rules[match.hash_list].on_match for match in matches}
    if OnMatch.BLOCK in meanings:
        return Action(Verdict.MATCH, open_case=True)
    return Action(
        Verdict.UNREADABLE if unreadable else Verdict.CLEAR, open_case=OnMatch.PASS in meanings
    )


def _good(quality: int | None, rule: Rules) -> bool:
    return quality is None or quality >= rule.min_quality
