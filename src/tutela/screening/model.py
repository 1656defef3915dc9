"""The nouns: a verdict, and what was found."""

from dataclasses import dataclass
from enum import StrEnum

from tutela.cases.model import CaseId, ItemKind, Match
from tutela.fingerprints.model import Fingerprint, FingerprintSet, Part, Unreadable


class Verdict(StrEnum):
    """What the caller is told of a file."""

    CLEAR = "clear"
    """No list has it. Nothing of the file remains."""
    MATCH = "match"
    """A list has it, and the policy says to keep it back."""
    UNREADABLE = "unreadable"
    """It could not be looked at, so nobody knows."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a file that is to be judged.

    Attributes:
        fingerprints: As many as there are. A PDQ quality that is not known counts as good.
        unreadable: Why its picture, or something else in it, could not be looked at, in words;
            ``None`` if everything could.
        parts: What else was found in it that has fingerprints of its own. The file is judged by
            the best of all.
        cause: The same as ``unreadable``, for policy and counters.
        is_video: Whether the file itself is a video.
        listed_as: Of an address or a text: all that lists may have of it, the narrowest first.
        words: ``ItemKind.URL`` or ``ItemKind.TEXT`` if it is one, and no file.
    """

    fingerprints: FingerprintSet
    unreadable: str | None = None
    parts: tuple[Part, ...] = ()
    cause: Unreadable | None = None
    is_video: bool = False
    listed_as: tuple[Fingerprint, ...] = ()
    words: ItemKind | None = None


@dataclass(frozen=True, slots=True)
class Screened:
    """The outcome of screening one file.

    Attributes:
        verdict: What the caller is told.
        case: The case that was opened, if one was.
        matches: What matched, as ``policy.best_of`` has it, nearest first. For trusted callers
            only.
        reason: Why the file is unreadable.
    """

    verdict: Verdict
    case: CaseId | None = None
    matches: tuple[Match, ...] = ()
    reason: str | None = None
