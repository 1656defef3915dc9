"""What a cell says of a file: written by the cell, read by the house.

All packets are JSON of less than ``PACKET_BYTES``. The digests come first, so that they are known
even if a decoder crashes; then one packet for each part, as it is found; and last what came of the
file's own picture. Neither pixels nor the file's name pass, in either direction.
"""

import json
import re
from typing import Any

from tutela.fingerprints.model import Digests, Part, Pdq, Picture, PictureState, Unreadable
from tutela.fingerprints.vpdq import LATEST_SECONDS
from tutela.sandbox.formats import KNOWN_FORMATS
from tutela.sandbox.model import MOST_TRACKS, Ended, Sampled

# Cut in the middle, since both ends of a path tell most.
_LONGEST_PLACE = 1000

_MOST_BYTES = 2**63 - 1
# Half letters too: no database takes them.
# Between a file and what is in it, or how it is shown.
_SEPARATORS = ("/", " ")
_STEERING = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# What is counted of several processes is added up, and kept in a number of 64 bits.
_MOST_DROPPED = 2**32

Packet = dict[str, Any]
"""Read from a cell: to be believed as far as it makes sense. What makes none is a ``KeyError``,
``TypeError`` or ``ValueError``."""


def write_digests(digests: Digests, picture_format: str | None, archive: str | None) -> bytes:
    """The first packet: the digests, and what the file begins as."""
    begins_as = {"format": picture_format, "archive": archive}
    return json.dumps({**_digests_fields(digests), **begins_as}).encode()


def write_not_read(number: int) -> bytes:
    """The only packet of a file that cannot be read.

    Args:
        number: The system's for the error.
    """
    return json.dumps({"errno": number}).encode()


def write_found(found: Part | Picture) -> bytes:
    """The packet of a part; or the last one, of the file's own picture."""
    if isinstance(found, Picture):
        return json.dumps(
            {
                "state": found.state,
                "reason": found.reason,
                "unreadable": found.unreadable,
                "hashes": [
                    [pdq.text, pdq.quality] for pdq in found.dihedrals or (found.pdq,) if pdq
                ],
            }
        ).encode()
    part: dict[str, object] = {"place": _cut(found.place)}
    if found.digests is not None:
        part["digests"] = _digests_fields(found.digests)
    if found.pdq is not None:
        part["pdq"] = [found.pdq.text, found.pdq.quality]
    if found.unreadable is not None:
        part |= {"unreadable": found.unreadable, "decoder": found.decoder}
    if found.seconds is not None:
        part |= {"seconds": found.seconds, "turned": found.is_turned}
        if found.is_between:
            part["between"] = True
    return json.dumps({"part": part}).encode()


def read_digests(packet: Packet) -> tuple[Digests, str | None, str | None]:
    """What the first packet says."""
    return _digests(packet), _format(packet["format"]), _format(packet["archive"])


def read_found(packet: Packet) -> Part | Picture:
    """What one of the others says; ``Picture`` comes last."""
    if "part" not in packet:
        hashes = tuple(_pdq(each) for each in packet["hashes"])
        return Picture(
            PictureState(packet["state"]),
            pdq=hashes[0] if hashes else None,
            reason=None if packet["reason"] is None else _text(packet["reason"]),
            dihedrals=hashes if len(hashes) > 1 else (),
            unreadable=_unreadable(packet["unreadable"]),
        )
    part = packet["part"]
    if not isinstance(part, dict):
        raise TypeError("a part is an object")
    digests, pdq = part.get("digests"), part.get("pdq")
    return Part(
        place=_text(part["place"]),
        digests=None if digests is None else _digests(digests),
        pdq=None if pdq is None else _pdq(pdq),
        unreadable=_unreadable(part.get("unreadable")),
        seconds=_seconds(part.get("seconds")),
        is_turned=part.get("turned") is True,
        is_between=part.get("between") is True,
        decoder=_format(part.get("decoder")),
    )


def as_told(place: str) -> str:
    """A place as the house hears of it."""
    return _text(place)


def lies_in(place: str, within: str) -> bool:
    """Whether a place is another one, or one in it, or a look of it: both as the house hears."""
    return place == within or place.startswith(tuple(within + each for each in _SEPARATORS))


def write_watched(told: Sampled | Ended) -> bytes:
    """The packet of a frame of a stream, or of the end of a run."""
    if isinstance(told, Ended):
        return json.dumps({"ended": told.run, "reason": told.reason, "blind": told.blind}).encode()
    return json.dumps(
        {
            "frame": told.number,
            "pdq": [told.pdq.text, told.pdq.quality],
            "seconds": told.seconds,
            "arrived": told.arrived,
            "dropped": told.dropped,
            "size": [told.width, told.height],
            "whole": told.whole,
            "track": told.track,
        }
    ).encode()


def read_watched(packet: Packet) -> Sampled | Ended:
    """What it says."""
    if "ended" in packet:
        reason = packet["reason"]
        return Ended(
            _number(packet["ended"], _MOST_BYTES),
            None if reason is None else _text(reason),
            packet["blind"] is True,
        )
    arrived = packet["arrived"]
    if not isinstance(arrived, int | float) or not 0 <= arrived < _MOST_BYTES:
        raise ValueError("there is no such instant")
    width, height = packet["size"]
    return Sampled(
        number=_number(packet["frame"], _MOST_BYTES),
        pdq=_pdq(packet["pdq"]),
        seconds=_seconds(packet["seconds"]) or 0.0,
        arrived=float(arrived),
        dropped=_number(packet["dropped"], _MOST_DROPPED),
        width=_number(width, _MOST_BYTES),
        height=_number(height, _MOST_BYTES),
        whole=packet["whole"] is True,
        track=_number(packet["track"], MOST_TRACKS - 1),
    )


def _digests_fields(digests: Digests) -> dict[str, object]:
    return {
        "size": digests.size,
        "md5": digests.md5.hex(),
        "sha1": digests.sha1.hex(),
        "sha256": digests.sha256.hex(),
    }


def _digests(fields: Packet) -> Digests:
    md5, sha1, sha256 = (
        _bytes(fields[name], length) for name, length in (("md5", 16), ("sha1", 20), ("sha256", 32))
    )
    return Digests(_number(fields["size"], _MOST_BYTES), md5, sha1, sha256)


def _pdq(fields: list[Any]) -> Pdq:
    text, quality = fields
    return Pdq(_bytes(text, 32), _number(quality, 100))


def _bytes(text: str, length: int) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != length:
        raise ValueError("not as long as such a hash is")
    return value


def _number(value: int, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("not a number that can be")
    return value


def _text(value: str) -> str:
    """A text that may come from whoever made the file: it steers no terminal and no database."""
    return _cut(_STEERING.sub("\ufffd", value))


def _format(name: str | None) -> str | None:
    """A format that there is: counters go by it, so that no other word may come through."""
    if name is not None and name not in KNOWN_FORMATS:
        raise ValueError("there is no such format")
    return name


def _seconds(number: object) -> float | None:
    if number is None:
        return None
    if not isinstance(number, int | float) or not 0 <= number <= LATEST_SECONDS:
        raise ValueError("there is no such instant")
    return float(number)


def _unreadable(text: str | None) -> Unreadable | None:
    return None if text is None else Unreadable(text)


def _cut(place: str) -> str:
    if len(place) <= _LONGEST_PLACE:
        return place
    half = _LONGEST_PLACE // 2
    return f"{place[: half - 1]}…{place[-half:]}"
