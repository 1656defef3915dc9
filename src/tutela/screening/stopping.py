"""Seeing when nothing more has to be looked at in a video, since what was seen of its file decides.

What was found stays found: a digest, a frame that a list of pictures has, so much of a listed video
that is in this one. So a file that is kept back for one of these is kept back whatever comes. The
share of this video that is in a listed one is no such thing, for it falls with each frame that is
not: by that alone nothing is left out.
"""

from collections.abc import Sequence

from tutela.errors import StorageError
from tutela.fingerprints.model import Digests, FingerprintSet, Kind, Part, place_of_video
from tutela.screening.model import Known, Verdict
from tutela.screening.screening import Findings, Screener

# It is asked again after so many frames more as are this part of those before: what is looked at
# in vain stays small beside what was needed, and so does the asking.
_AGAIN_AFTER = 8


class Stopping:
    """Hears what is found in one file, as ``sandbox.pool.HasEnough``.

    Args:
        screener: By whose lists the file is judged.
    """

    def __init__(self, screener: Screener) -> None:
        self._screener = screener
        self._decided = False
        self._asked = 0
        self._may_be_a_listed_video = False
        # Of the video that is under way. Before the first there is none.
        self._parts, self._video = -1, ""
        self._seen = self._next = 0

    def __call__(self, digests: Digests, parts: Sequence[Part]) -> bool:
        """Whether no more is wanted of the video that the last part is a frame of."""
        place = place_of_video(parts[-1].place)
        if len(parts) != self._parts + 1 or place != self._video:
            self._seen, self._next = 0, max(1, self._screener.video_frames_if_matched)
        self._parts, self._video = len(parts), place
        self._seen += not (parts[-1].is_turned or parts[-1].is_between)
        if self._seen < self._next:
            return False
        self._next = self._seen + max(1, self._seen // _AGAIN_AFTER)
        if not self._decided:
            # Without an answer nothing is left out.
            try:
                self._decided = self._is_decided(digests, parts)
            except StorageError:
                return False
        return self._decided

    def _is_decided(self, digests: Digests, parts: Sequence[Part]) -> bool:
        known = FingerprintSet.of(digests)
        file = Known(known, tuple(parts[self._asked :]))
        self._asked = len(parts)
        findings = self._screener.look_up([file])
        self._may_be_a_listed_video |= _has_video(findings)
        if self._may_be_a_listed_video:
            # Which is seen from all of its frames.
            file = Known(known, tuple(parts))
            findings = self._screener.look_up([file])
        (matches,) = self._screener.matches_of([file], findings)
        stay = [
            match
            for match in matches
            if match.compared_percent is None
            or match.compared_percent >= findings.rules[match.hash_list].min_video_percent
        ]
        return self._screener.verdict_of(stay, findings.rules) is Verdict.MATCH


def _has_video(findings: Findings) -> bool:
    return any(kind is Kind.VPDQ for hits in findings.hits for _, kind in hits.pairs())
