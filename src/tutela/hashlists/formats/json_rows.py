"""Reading JSON: one value a line, or an array of any length without holding it in memory.

An array stands alone, or in an object as Project VIC writes it: under ``value`` in a hash set
(``...DataModels/1.3.xml#Media``, ``.../2.0.xml/US/$metadata#Media``), under ``Media`` in a case
file (``#Cases``). No published schema could be looked up; these shapes are those that open-source
readers and writers of such files use (IPED, LED, forensic exporters). Other keys, file names and
PhotoDNA values among them, are passed over.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from tutela.errors import InvalidInputError
from tutela.hashlists.formats.columns import Columns, find_columns, rejected, rows_of
from tutela.hashlists.formats.hashes import KindHint
from tutela.hashlists.formats.lines import read_lines
from tutela.hashlists.model import ListRow, RejectedRow

LONGEST_RECORD = 1 << 23
_CHUNK = 1 << 18
_ANY = Columns(((0, None),))
_decoder = json.JSONDecoder()


def read_json_lines(file: BinaryIO, hint: KindHint) -> Iterator[ListRow | RejectedRow]:
    """Read an object or a string a line."""
    for line in read_lines(file):
        if isinstance(line, RejectedRow):
            yield line
            continue
        number, text = line
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            yield rejected(number, "the line is not JSON", text)
            continue
        yield from _rows(number, value, hint, text)


def read_json_array(
    file: BinaryIO, key: str | None, hint: KindHint
) -> Iterator[ListRow | RejectedRow]:
    """Read the records of arrays, numbered from 1.

    Args:
        file: The JSON.
        key: The name of the arrays, or ``None`` if the file is one array.
        hint: What is known of hashes that do not say their kind.
    """
    start = re.compile(rf'"{key}"\s*:\s*\[' if key else r"\[")
    text = _Text(file)
    number = 0
    while text.skip_past(start):
        while (record := text.record()) is not None:
            number += 1
            if isinstance(record, str):
                yield rejected(number, "the record is not JSON", record)
            else:
                value, source = record
                yield from _rows(number, value, hint, source)
        if text.cut_off:
            yield rejected(number + 1, "the file ends in the middle of its list", "")
        if key is None:
            return


class _Text:
    """The part of a JSON file that is in memory, and where in it the reading is.

    Attributes:
        broken: Whether a record could not be read.
        cut_off: Whether the file ended before its array did.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        # What is no UTF-8 turns into an escape that JSON does not have, so its record is rejected.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("backslashreplace")
        self._text = ""
        self._at = 0
        self._ended = False
        # Behind a broken record nothing tells the end of the array from that of one within it.
        self.broken = False
        self.cut_off = False

    def skip_past(self, pattern: re.Pattern[str]) -> bool:
        """Go behind the next place that looks so; false if there is none."""
        while not (found := pattern.search(self._text, self._at)):
            if self._ended:
                return False
            # The place may lie across the end of what is in memory.
            self._at = max(self._at, len(self._text) - 100)
            self._read_on()
        self._at = found.end()
        return True

    def record(self) -> tuple[object, str] | str | None:
        """The next value of the array and its text, or the text of a broken one, or the end."""
        while True:
            self._skip(_BETWEEN_BROKEN if self.broken else _BETWEEN)
            if self._at < len(self._text):
                if self._text[self._at] == "]":
                    self._at += 1
                    return None
                try:
                    value, end = _decoder.raw_decode(self._text, self._at)
                except (ValueError, RecursionError):
                    if self._ended or len(self._text) - self._at > LONGEST_RECORD:
                        return self._broken()
                else:
                    source = self._text[self._at : end]
                    self._at = end
                    return value, source
            elif self._ended:
                self.cut_off = not self.broken
                return None
            self._read_on()

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _broken(self) -> str:
        self.broken = True
        shown = self._text[self._at : self._at + 1000]
        if not self.skip_past(_END_OF_RECORD):
            self._at = len(self._text)
        return shown

    def _read_on(self) -> None:
        chunk = self._file.read(_CHUNK)
        self._ended = not chunk
        self._text = self._text[self._at :] + self._decoder.decode(chunk, final=self._ended)
        self._at = 0


_BETWEEN = re.compile(r"[\s,]*")
_BETWEEN_BROKEN = re.compile(r"[\s,\]}]*")
_END_OF_RECORD = re.compile(r"\}\s*,(?=\s*\{)")


def _rows(
    number: int, value: object, hint: KindHint, source: str
) -> Iterator[ListRow | RejectedRow]:
    if isinstance(value, str):
        yield from rows_of(number, [value.strip()], _ANY, hint, source)
        return
    if isinstance(value, list):
        # One vPDQ hash: a text for each frame.
        yield from rows_of(number, [source.strip()], _ANY, hint, source)
        return
    columns = find_columns(tuple(value)) if isinstance(value, dict) else None
    if columns is None or not isinstance(value, dict):
        yield rejected(number, "there is no hash in it", source)
        return
    try:
        values = [_text_of(each) for each in value.values()]
    except InvalidInputError as error:
        yield rejected(number, error.message, source)
        return
    yield from rows_of(number, values, columns, hint, source)


def _text_of(value: object) -> str:
    match value:
        case str():
            return value.strip()
        case bool() | None:
            return ""
        case int() | float():
            return str(value)
        case [str(), *_]:
            return json.dumps(value)
        case _:
            return ""
