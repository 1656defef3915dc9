"""Judging the frames of one stream: looked up one by one, and together as a video."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tutela.cases.facts import Fact
from tutela.cases.model import CaseId, Match
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import FingerprintSet, Kind, Part, Pdq
from tutela.fingerprints.vpdq import LEAST_QUALITY, clock_words
from tutela.ledger.model import SYSTEM, Actor
from tutela.sandbox.model import Sampled
from tutela.screening.model import Known, Verdict
from tutela.screening.screening import Findings, Screener, Submission, request_name
from tutela.storage.clock import Clock

# A stream is compared with listed videos by its last so many frames. One or two frames are not
# enough: a title or a logo would do.
_LATEST = 16
_FEWEST = 5

Entry = tuple[int, int]
"""A list and an entry of it."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a stream when it is begun.

    Attributes:
        name: What people call it.
        origin: Where it came from, as in ``cases.model.Item``.
        actor: Who had it watched, for the ledger.
        subject: Whom it is about, as the platform calls them.
        reference: What the platform calls it.
        is_live: Whether it is sent while it is watched, and not a file.
    """

    name: str
    origin: str
    actor: Actor = SYSTEM
    subject: str | None = None
    reference: str | None = None
    is_live: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found of one frame.

    Attributes:
        at: When it came in.
        seconds: Its instant, from when the stream was taken up.
        verdict: What the platform is told.
        case: The case that it is in.
        matches: What of it was new.
        waited: Seconds from when it came in until it was judged.
    """

    at: datetime
    seconds: float
    verdict: Verdict
    case: CaseId
    matches: tuple[Match, ...]
    waited: float

    @property
    def place(self) -> str:
        """Its instant, for people."""
        return clock_words(self.seconds)


Beside = Callable[[Connection, CaseId, datetime, tuple[Match, ...], Verdict], None]
"""What is written together with a match: of which case, of a frame of when, what it matched, and
what the platform is told."""


@dataclass(slots=True)
class Told:
    """What was told of a stream already.

    Attributes:
        entries: The entries that it matched, and when.
        case: The case that its frames are in.
    """

    entries: dict[Entry, datetime] = field(default_factory=dict)
    case: CaseId | None = None


class Judge:
    """Judges the frames of one stream, in their order.

    Args:
        screener: Looks them up.
        about: What is known of the stream.
        clock: The time.
        again: After so long the same entry is told of again.
        told: What was told already.
        beside: What is to be done in the transaction of a match.
    """

    def __init__(
        self,
        screener: Screener,
        about: About,
        clock: Clock,
        *,
        again: timedelta,
        told: Told | None = None,
        beside: Beside | None = None,
    ) -> None:
        self._screener = screener
        self._about = about
        self._clock = clock
        self._again = again
        self._told = told or Told()
        self._beside = beside
        self._latest: defaultdict[int, deque[tuple[float, Pdq]]] = defaultdict(
            lambda: deque(maxlen=_LATEST)
        )
        self._acted_on: tuple[Sampled, datetime] | None = None

    def begin(self) -> None:
        """What follows is another run: it is no video together with what was before."""
        self._latest.clear()

    def judge(self, frame: Sampled, picture: Callable[[Sampled], bytes]) -> Judged | None:
        """Judge a frame.

        Args:
            frame: It.
            picture: Gives it as a PNG. Asked for only if it matches.

        Returns:
            What is new of it; ``None`` if that is nothing, and then nothing remains of it.

        Raises:
            StorageError: The database or the vault fails. The same frame can be judged again.
        """
        known = _known([Part(clock_words(frame.seconds), pdq=frame.pdq)])
        findings = self._screener.look_up([known])
        latest = self._latest[frame.track]
        if not latest or latest[-1] != (frame.seconds, frame.pdq):
            latest.append((frame.seconds, frame.pdq))
        if findings.nothing:
            return None
        matches = [
            *self._screener.matches_of([known], findings)[0],
            *self._matches_as_video(findings, latest),
        ]
        now = self._clock()
        new = tuple(each for each in matches if self._is_new(each, now))
        if not new:
            return None
        return self._act(frame, new, findings, picture)

    def _matches_as_video(
        self, findings: Findings, latest: Collection[tuple[float, Pdq]]
    ) -> Iterable[Match]:
        kinds = {kind for hits in findings.hits for _, kind in hits.pairs()}
        good = {pdq.value for _, pdq in latest if pdq.quality >= LEAST_QUALITY}
        if Kind.VPDQ not in kinds or len(good) < _FEWEST:
            return ()
        known = _known([Part(clock_words(at), pdq=pdq, seconds=at) for at, pdq in latest])
        matches = self._screener.matches_of([known], self._screener.look_up([known]))[0]
        return [each for each in matches if each.kind is Kind.VPDQ]

    def _is_new(self, match: Match, now: datetime) -> bool:
        last = self._told.entries.get((match.hash_list, match.entry))
        return last is None or not timedelta() <= now - last < self._again

    def _act(
        self,
        frame: Sampled,
        matches: tuple[Match, ...],
        findings: Findings,
        picture: Callable[[Sampled], bytes],
    ) -> Judged | None:
        content = picture(frame)
        at = self._came_in_at(frame)
        fingerprints = FingerprintSet(pdq=frame.pdq.value, pdq_quality=frame.pdq.quality)
        if content:
            fingerprints = FingerprintSet.of(digests_of(content), frame.pdq)
        about, beside = self._about, self._beside
        verdict = self._screener.verdict_of(matches, findings.rules)

        def write_beside(connection: Connection, case: CaseId) -> None:
            if beside is not None:
                beside(connection, case, at, matches, verdict)

        submission = Submission(
            known=Known(fingerprints),
            name=f"{about.name}, {at:%Y-%m-%d %H:%M:%S} UTC.png",
            origin=about.origin,
            # A frame that is judged once more, since nobody knows how it went, is the same one.
            request=request_name(about.name, at.isoformat(), str(frame.number)),
            content=(lambda: [content]) if content else None,
            actor=about.actor,
            subject=about.subject,
            reference=about.reference,
            facts=frozenset({Fact.LIVE_STREAM} if about.is_live else ()),
            joins=self._told.case,
            beside=write_beside,
        )
        screened = self._screener.act([submission], [matches], findings.rules)[0]
        now = self._clock()
        self._told.entries |= {(each.hash_list, each.entry): now for each in matches}
        if screened.case is None:
            return None
        self._told.case = screened.case
        waited = max(0.0, time.monotonic() - frame.arrived)
        return Judged(at, frame.seconds, verdict, screened.case, matches, waited)

    def _came_in_at(self, frame: Sampled) -> datetime:
        """When a frame came in: the same, however often it is asked for and whatever clocks do."""
        if self._acted_on is None or self._acted_on[0] is not frame:
            waited = timedelta(seconds=max(0.0, time.monotonic() - frame.arrived))
            self._acted_on = frame, self._clock() - waited
        return self._acted_on[1]


def _known(parts: list[Part]) -> Known:
    return Known(FingerprintSet(), parts=tuple(parts))
