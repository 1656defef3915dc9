"""Having a file opened up in a cell, and what is then known of it."""

from tutela.fingerprints.model import FileFingerprints, FingerprintSet, PictureState, Unreadable
from tutela.sandbox.pool import CellPool
from tutela.screening.model import Known


def known_of(cells: CellPool, descriptor: int, suffix: str) -> Known:
    """The fingerprints of an open file.

    Args:
        cells: Where it is opened up.
        descriptor: The open file, read from its beginning.
        suffix: What its name ends in, such as ``.jpg``: a file that calls itself a picture and
            is none is unreadable.

    Raises:
        OSError: The file cannot be read.
    """
    found = cells.fingerprint(descriptor, suffix=suffix)
    digests, picture = found.digests, found.picture
    fingerprints = FingerprintSet(
        size=digests.size,
        md5=digests.md5,
        sha1=digests.sha1,
        sha256=digests.sha256,
        pdq=picture.pdq.value if picture.pdq else None,
        pdq_quality=picture.pdq.quality if picture.pdq else None,
    )
    words, cause = _unreadable(found)
    return Known(fingerprints, words, found.parts, cause, found.is_video)


def _unreadable(found: FileFingerprints) -> tuple[str | None, Unreadable | None]:
    """Why a file, or the first thing in it that could not be looked at, could not be."""
    if found.picture.state is PictureState.UNREADABLE:
        return found.picture.reason, found.picture.unreadable
    for part in found.parts:
        if part.unreadable is not None:
            return f"{part.place}: {part.unreadable.words}", part.unreadable
    return None, None
