"""Action Message Format 0, as far as RTMP commands have it (Adobe, amf0-file-format-specification).

What comes is not trusted: it is read no deeper and no longer than commands are.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

Value: TypeAlias = "float | bool | str | Mapping[str, Value] | Sequence[Value] | None"

_NUMBER, _BOOLEAN, _TEXT, _OBJECT, _NULL, _UNDEFINED = 0, 1, 2, 3, 5, 6
_ARRAY_WITH_NAMES, _END, _ARRAY, _DATE, _LONG_TEXT = 8, 9, 10, 11, 12
_DEEPEST = 8
_MOST_VALUES = 1000


def write_values(values: Sequence[Value]) -> bytes:
    """Values, one after the other."""
    return b"".join(_written(each) for each in values)


def read_values(content: bytes) -> list[Value]:
    """All values of a command.

    Raises:
        ValueError: It makes no sense.
    """
    reading = _Reading(content)
    values = []
    try:
        while reading.at < len(content):
            values.append(reading.value(0))
    except (IndexError, struct.error, UnicodeDecodeError):
        raise ValueError("it ends early") from None
    return values


def _written(value: Value) -> bytes:
    if value is None:
        return bytes([_NULL])
    if isinstance(value, bool):
        return bytes([_BOOLEAN, value])
    if isinstance(value, int | float):
        return bytes([_NUMBER]) + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode()
        short = len(text) < 1 << 16
        size = struct.pack(">H" if short else ">I", len(text))
        return bytes([_TEXT if short else _LONG_TEXT]) + size + text
    if isinstance(value, Mapping):
        fields = b"".join(
            struct.pack(">H", len(name.encode())) + name.encode() + _written(each)
            for name, each in value.items()
        )
        return bytes([_OBJECT]) + fields + bytes([0, 0, _END])
    items = b"".join(map(_written, value))
    return bytes([_ARRAY]) + struct.pack(">I", len(value)) + items


class _Reading:
    def __init__(self, content: bytes) -> None:
        self.at = 0
        self._content = content
        self._count = 0

    def value(self, depth: int) -> Value:
        self._count += 1
        if depth > _DEEPEST or self._count > _MOST_VALUES:
            raise ValueError("it is no command")
        kind = self._take(1)[0]
        readers: dict[int, Callable[[], Value]] = {
            _NUMBER: lambda: float(struct.unpack(">d", self._take(8))[0]),
            _BOOLEAN: lambda: self._take(1) != b"\0",
            _TEXT: lambda: self._text(2),
            _LONG_TEXT: lambda: self._text(4),
            _NULL: lambda: None,
            _UNDEFINED: lambda: None,
            _DATE: lambda: float(struct.unpack(">d", self._take(10)[:8])[0]),
            _OBJECT: lambda: self._fields(depth),
            _ARRAY_WITH_NAMES: lambda: self._take(4) and self._fields(depth),
            _ARRAY: lambda: self._items(depth),
        }
        if kind not in readers:
            raise ValueError("it is of a kind that commands do not have")
        return readers[kind]()

    def _items(self, depth: int) -> list[Value]:
        count = int.from_bytes(self._take(4))
        if count > _MOST_VALUES:
            raise ValueError("it is no command")
        return [self.value(depth + 1) for _ in range(count)]

    def _fields(self, depth: int) -> dict[str, Value]:
        fields: dict[str, Value] = {}
        while True:
            name = self._text(2)
            if not name and self._content[self.at] == _END:
                self.at += 1
                return fields
            fields[name] = self.value(depth + 1)

    def _text(self, width: int) -> str:
        size = int.from_bytes(self._take(width))
        return self._take(size).decode("utf-8", "replace")

    def _take(self, size: int) -> bytes:
        taken = self._content[self.at : self.at + size]
        if len(taken) < size:
            raise ValueError("it ends early")
        self.at += size
        return taken
