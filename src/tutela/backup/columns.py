"""A column's values as bytes, exactly and alike for every database, and back.

Numbers lie side by side in 64 bits, little end first; texts and bytes as their lengths and then
their bytes. Values that are absent are left out, and a mask says which those are. All but bytes,
which are hashes and ciphertexts, is deflated: a column of small numbers shrinks to almost nothing.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from tutela.backup.model import Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INTEGER, _REAL, _LENGTH = np.dtype("<i8"), np.dtype("<f8"), np.dtype("<u4")
_ALL, _SOME = b"\0", b"\1"


def encode(kind: Kind, values: Sequence[Any]) -> bytes:
    """The values of one column as bytes.

    Raises:
        OverflowError: A number needs more than 64 bits, which neither database can hold.
    """
    mask = b""
    if None in values:
        mask = np.fromiter((value is not None for value in values), np.bool_).tobytes()
        values = [value for value in values if value is not None]
    encoded = mask + _encode_present(kind, values)
    return (_SOME if mask else _ALL) + (
        encoded if kind is Kind.BYTES else zlib.compress(encoded, 1)
    )


def decode(kind: Kind, encoded: bytes, count: int) -> list[Any]:
    """The values again.

    Raises:
        ValueError: These bytes do not hold so many values of this kind.
    """
    try:
        content = encoded[1:] if kind is Kind.BYTES else zlib.decompress(encoded[1:])
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if encoded[:1] == _ALL:
        return _decode_present(kind, content, count)
    mask = np.frombuffer(content, np.bool_, count).tolist()
    present = iter(_decode_present(kind, content[count:], sum(mask)))
    return [next(present) if there else None for there in mask]


def _encode_present(kind: Kind, values: Sequence[Any]) -> bytes:
    if kind in _NUMBERS:
        stored, convert, _ = _NUMBERS[kind]
        return np.array([convert(each) for each in values] if convert else values, stored).tobytes()
    to_bytes, _ = _STRINGS[kind]
    return _joined([to_bytes(each) for each in values])


def _decode_present(kind: Kind, content: bytes, count: int) -> list[Any]:
    if kind in _NUMBERS:
        stored, _, convert = _NUMBERS[kind]
        numbers = _numbers(content, stored, count)
        return [convert(each) for each in numbers] if convert else numbers
    _, from_bytes = _STRINGS[kind]
    return [from_bytes(each) for each in _parted(content, count)]


def _numbers(content: bytes, kind: np.dtype[Any], count: int) -> list[Any]:
    return list(np.frombuffer(content, kind, count).tolist())


def _joined(values: Sequence[bytes]) -> bytes:
    return np.fromiter(map(len, values), _LENGTH, len(values)).tobytes() + b"".join(values)


def _parted(content: bytes, count: int) -> Iterator[bytes]:
    begin = _LENGTH.itemsize * count
    for length in _numbers(content, _LENGTH, count):
        yield content[begin : begin + length]
        begin += length


_Convert = Callable[[Any], Any]
_NUMBERS: dict[Kind, tuple[np.dtype[Any], _Convert | None, _Convert | None]] = {
    Kind.INTEGER: (_INTEGER, None, None),
    Kind.REAL: (_REAL, None, None),
    Kind.BOOLEAN: (np.dtype(np.bool_), None, None),
    Kind.MOMENT: (
        _INTEGER,
        lambda at: (at - _EPOCH) // _MICROSECOND,
        lambda at: _EPOCH + at * _MICROSECOND,
    ),
    Kind.DAY: (_INTEGER, date.toordinal, date.fromordinal),
}
_STRINGS: dict[Kind, tuple[_Convert, _Convert]] = {
    Kind.TEXT: (str.encode, bytes.decode),
    Kind.JSON: (lambda value: json.dumps(value).encode(), json.loads),
    Kind.BYTES: (bytes, bytes),
}
