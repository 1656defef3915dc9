"""Having a file opened up in a cell, and what is then known of it."""

from collections.abc import Iterator

from tutela.fingerprints.model import FileFingerprints, FingerprintSet, PictureState, Unreadable
from tutela.sandbox.pool import CellPool
from tutela.screening.model import Failure, Known
from tutela.screening.screening import Screener
from tutela.screening.stopping import Stopping


def known_of(
    cells: CellPool, descriptor: int, suffix: str, screener: Screener | None = None
) -> Known:
    """The fingerprints of an open file.

    Args:
        cells: Where it is opened up.
        descriptor: The open file, read from its beginning.
        suffix: What its name ends in, such as ``.jpg``: a file that calls itself a picture and
            is none is unreadable.
        screener: By whose lists it is judged, so that the rest of a long video is left out when it
            can change nothing; ``None`` if everything is wanted.

    Raises:
        OSError: The file cannot be read.
    """
    found = cells.fingerprint(
        descriptor, suffix=suffix, has_enough=None if screener is None else Stopping(screener)
    )
    fingerprints = FingerprintSet.of(found.digests, found.picture.pdq)
    first: dict[Unreadable, Failure] = {}
    for failure in _failures(found):
        first.setdefault(failure.cause, failure)
    return Known(fingerprints, found.parts, tuple(first.values()), is_video=found.is_video)


def _failures(found: FileFingerprints) -> Iterator[Failure]:
    """Why a file, and whatever in it could not be looked at, could not be."""
    own = found.format or found.archive
    picture = found.picture
    if picture.state is PictureState.UNREADABLE and picture.unreadable is not None:
        yield Failure(picture.unreadable, picture.reason or "", decoder=own)
    for part in found.parts:
        if (cause := part.unreadable) is not None:
            yield Failure(cause, f"{part.place}: {cause.words}", part.place, part.decoder or own)
