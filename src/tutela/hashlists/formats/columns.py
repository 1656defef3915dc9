"""Turning named values, from a CSV line or a JSON object, into rows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.hashlists.formats.hashes import (
    KindHint,
    is_video,
    read_hash,
    read_kind,
    read_video,
)
from tutela.hashlists.formats.rows import checked_row
from tutela.hashlists.model import ListRow, RejectedRow

UNKNOWN_KIND = (
    "hashes of this kind cannot be used; the kinds are md5, sha1, sha256, pdq and vpdq, and url, "
    "url_prefix, domain and text"
)
_LONGEST_SHOWN = 200
_HASH = {"hash", "hashvalue", "value", "fingerprint", "signal", "indicator"}
_KIND = {"kind", "type", "hashtype", "hashkind", "algorithm", "signaltype"}
_QUALITY = {"quality", "pdqquality"}
_LABEL = {"label", "category", "classification"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which values of a row mean what, by their positions.

    Attributes:
        hashes: Where hashes are, each with its kind if the column's name says it.
        kind: Where the kind of the other hashes is.
        quality: Where the PDQ quality is.
        label: Where the row's own label is.
        width: How many columns there are.
    """

    hashes: tuple[tuple[int, Kind | None], ...]
    kind: int | None = None
    quality: int | None = None
    label: int | None = None
    width: int = 1


@lru_cache(maxsize=64)
def find_columns(names: tuple[str, ...]) -> Columns | None:
    """Recognise columns by their names, in any case; ``None`` if none of them is for hashes.

    Addresses and texts beside hashes say where a file was found: they are no entries themselves.
    """
    plain = [re.sub(r"[-_ ]", "", name.strip().lower()) for name in names]
    hashes = tuple(
        (position, read_kind(name))
        for position, name in enumerate(plain)
        if name in _HASH or read_kind(name)
    )
    if not hashes:
        return None
    of_files = tuple(each for each in hashes if each[1] is None or not each[1].is_of_words)
    return Columns(
        of_files or hashes,
        _position(plain, _KIND),
        _position(plain, _QUALITY),
        _position(plain, _LABEL),
        len(names),
    )


def rows_of(
    number: int, values: Sequence[str], columns: Columns, hint: KindHint, source: str
) -> Iterator[ListRow | RejectedRow]:
    """The rows that one line or object makes: one for each hash that it holds.

    Args:
        number: The line or record.
        values: Its values, stripped, as far as there are any.
        columns: What they mean.
        hint: What is known of hashes that do not say their kind.
        source: The line or object as it stands, for rejected rows.
    """
    found = [
        (values[position], kind)
        for position, kind in columns.hashes
        if position < len(values) and values[position]
    ]
    if not found:
        yield rejected(number, "there is no hash in it", source)
        return
    for text, named in found:
        try:
            # A column of pictures' types, say, is no matter where the hash's own names its kind.
            kind = named or _kind(_value(values, columns.kind))
            label = _value(values, columns.label)
            if is_video(text, kind, hint):
                fingerprint, frames = read_video(text)
                yield checked_row(number, fingerprint, None, label, frames)
                continue
            expected = kind or hint.every
            if expected is not None and expected.is_of_words and len(values) > columns.width:
                raise InvalidInputError(
                    "has more values than there are columns: put it in quotation marks"
                )
            fingerprint = read_hash(text, kind, hint)
            quality = None
            if fingerprint.kind is Kind.PDQ:
                quality = read_quality(_value(values, columns.quality))
            yield checked_row(number, fingerprint, quality, label)
        except InvalidInputError as error:
            yield rejected(number, error.message, source)


def read_quality(text: str) -> int | None:
    """A PDQ quality; ``None`` if the text is empty.

    Raises:
        InvalidInputError: It is not a whole number from 0 to 100.
    """
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > 100:
        raise InvalidInputError("the quality is not a whole number from 0 to 100")
    return int(text)


def rejected(number: int, reason: str, text: str) -> RejectedRow:
    """A row that could not be understood, its text shortened and safe to print."""
    if len(text) > _LONGEST_SHOWN:
        text = text[:_LONGEST_SHOWN] + "..."
    shown = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    return RejectedRow(number, reason, shown)


def _position(names: Sequence[str], known: set[str]) -> int | None:
    return next((position for position, name in enumerate(names) if name in known), None)


def _value(values: Sequence[str], position: int | None) -> str:
    return values[position] if position is not None and position < len(values) else ""


def _kind(word: str) -> Kind | None:
    if not word:
        return None
    kind = read_kind(word)
    if kind is None:
        raise InvalidInputError(UNKNOWN_KIND)
    return kind
