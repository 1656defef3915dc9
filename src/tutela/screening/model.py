"""The nouns: a verdict, and what was found."""

from dataclasses import dataclass
from enum import StrEnum

from tutela.cases.model import CaseId, ItemKind, Match
from tutela.fingerprints.model import Fingerprint, FingerprintSet, Part, Unreadable
from tutela.storage.settings import OnUnreadable


class Verdict(StrEnum):
    """What the caller is told of a file."""

    CLEAR = "clear"
    """No list has it. Nothing of the file remains."""
    MATCH = "match"
    """A list has it, and the policy says to keep it back."""
    UNREADABLE = "unreadable"
    """It could not be looked at, so nobody knows."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file, or something in it, could not be looked at.

    Attributes:
        cause: For policy and counters.
        reason: The same in words, with the place.
        place: Where in it that is; ``""`` is the file itself.
        decoder: The format that could not be looked at, if it is known; for counters.
    """

    cause: Unreadable
    reason: str
    place: str = ""
    decoder: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a file that is to be judged.

    Attributes:
        fingerprints: As many as there are. A PDQ quality that is not known counts as good.
        parts: What else was found in it that has fingerprints of its own. The file is judged by
            the best of all.
        failures: Why its picture, or something else in it, could not be looked at: the first thing
            for each cause; none if everything could.
        is_video: Whether the file itself is a video.
        listed_as: Of an address or a text: all that lists may have of it, the narrowest first.
        words: ``ItemKind.URL`` or ``ItemKind.TEXT`` if it is one, and no file.
    """

    fingerprints: FingerprintSet
    parts: tuple[Part, ...] = ()
    failures: tuple[Failure, ...] = ()
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
        failure: Why the file is unreadable.
        answer: What the policy says of a file that is unreadable.
        cut_short: Of a file that matches: from when on a video in it was not looked at, as
            ``fingerprints.model.Part`` has it, since it matched before; ``""`` if all of it was.
    """

    verdict: Verdict
    case: CaseId | None = None
    matches: tuple[Match, ...] = ()
    failure: Failure | None = None
    answer: OnUnreadable | None = None
    cut_short: str = ""

    @property
    def is_let_pass(self) -> bool:
        """Whether the file could not be looked at, and the policy lets it pass all the same."""
        return self.verdict is Verdict.UNREADABLE and self.answer is OnUnreadable.PASS

    @property
    def reason(self) -> str | None:
        """Why the file is unreadable, in words."""
        return None if self.failure is None else self.failure.reason
