"""Reading lines: CSV with or without a header, checksum files, Meta's plain text files.

Without a header a line may be, as the programs named write them:

- a hash alone (``pdq/data/reg-test-input`` in Meta's ThreatExchange repository);
- ``hash,quality`` and anything behind it (Meta's ``pdq-photo-hasher``);
- ``hash=...,norm=...,delta=...,quality=...,filename=...`` (its ``--details``);
- ``kind hash`` (local signal files of Meta's ``threatexchange`` command);
- an address, or ``domain host.example`` and the like (ours, of addresses and texts);
- ``hash  file name`` (``md5sum`` and its like) or ``KIND (file name) = hash`` (``md5sum --tag``).

File names are passed over.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.hashlists.formats.columns import (
    UNKNOWN_KIND,
    Columns,
    find_columns,
    read_quality,
    rejected,
    rows_of,
)
from tutela.hashlists.formats.hashes import (
    KindHint,
    read_hash,
    read_kind,
    read_video,
    read_words,
)
from tutela.hashlists.formats.lines import LONGEST_LINE, read_lines
from tutela.hashlists.formats.rows import checked_row
from tutela.hashlists.model import ListRow, RejectedRow

_DELIMITERS = (",", ";", "\t")
# A vPDQ hash is longer than Python's own limit.
csv.field_size_limit(LONGEST_LINE)
_MOST_LINES_IN_A_VALUE = 20


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a CSV file.

    Attributes:
        number: The line that it is.
        delimiter: What separates the values.
        columns: What they mean.
    """

    number: int
    delimiter: str
    columns: Columns


def find_header(file: BinaryIO) -> Header | None:
    """The header, if the first line that is neither empty nor a comment is one."""
    for line in read_lines(file):
        if isinstance(line, RejectedRow):
            return None
        number, text = line
        if _is_blank(text):
            continue
        for delimiter in _DELIMITERS:
            columns = find_columns(tuple(name.strip(' "') for name in text.split(delimiter)))
            if columns:
                return Header(number, delimiter, columns)
        return None
    return None


def read_table(file: BinaryIO, header: Header, hint: KindHint) -> Iterator[ListRow | RejectedRow]:
    """Read CSV with a header."""
    for record in _records(file, header.delimiter):
        if isinstance(record, RejectedRow):
            yield record
            continue
        number, values, text = record
        if header.columns.width == 1 and '"' not in text:
            # An address may have the delimiter in it.
            values = [text.strip()]
        if number > header.number:
            yield from rows_of(number, values, header.columns, hint, text)


def read_plain(file: BinaryIO, hint: KindHint) -> Iterator[ListRow | RejectedRow]:
    """Read lines without a header."""
    for line in read_lines(file):
        if isinstance(line, RejectedRow):
            yield line
            continue
        number, text = line
        if _is_blank(text):
            continue
        try:
            yield _plain_row(number, text.strip(), hint)
        except InvalidInputError as error:
            yield rejected(number, error.message, text)


_WORDS = re.compile(
    r"""
    (?: (?P<kind> (?![0-9a-fA-F]+\b) [A-Za-z][\w-]{2,15} )
        (?: [ ] \( .* \) [ ] = [ ] | [\s,;]+ ) (?= [0-9a-zA-Z] ) )?
    \\? "? (?:hash=)? (?P<hash>[^\s,;"]+) "?
    (?: \s*[,;\t]\s* (?:norm=\d+,delta=-?\d+,quality=)? "? (?P<quality>\d{1,3}) "? (?=[,;\t]|$) )?
    """,
    re.VERBOSE,
)


_VIDEO = re.compile(r"(\w+)\s+([\[{].*[\]}])")
_OF_WORDS = re.compile(r"(\w+)\s+(.+)")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def _plain_row(number: int, text: str, hint: KindHint) -> ListRow:
    if hint.every is not None and hint.every.is_of_words:
        return checked_row(number, read_words(hint.every, text))
    if text.isalnum():
        # Most are so: they are asked nothing more.
        return checked_row(number, read_hash(text, None, hint))
    if hint.every is None and _ADDRESS.match(text):
        return checked_row(number, read_words(Kind.URL, text))
    named = _OF_WORDS.fullmatch(text)
    if named is not None and (of_words := read_kind(named[1])) and of_words.is_of_words:
        return checked_row(number, read_words(of_words, named[2]))
    video = _VIDEO.fullmatch(text)
    if video is not None and read_kind(video[1]) is Kind.VPDQ:
        fingerprint, frames = read_video(video[2])
        return checked_row(number, fingerprint, frames=frames)
    words = _WORDS.match(text)
    if words is None:
        raise InvalidInputError("is not a hash: it is not hexadecimal digits alone")
    kind, found = None, words["hash"]
    if words["kind"]:
        kind = read_kind(words["kind"])
        if kind is None:
            raise InvalidInputError(UNKNOWN_KIND)
    fingerprint = read_hash(found, kind, hint)
    quality = None
    if fingerprint.kind is Kind.PDQ and words["quality"]:
        quality = read_quality(words["quality"])
    return checked_row(number, fingerprint, quality)


def _records(file: BinaryIO, delimiter: str) -> Iterator[tuple[int, list[str], str] | RejectedRow]:
    """The values of each line, or of several where a quoted value holds line breaks.

    A quotation mark that is not closed nearby costs its own line only.
    """
    lines = read_lines(file)
    waiting: deque[tuple[int, str] | RejectedRow] = deque()
    while line := waiting.popleft() if waiting else next(lines, None):
        if isinstance(line, RejectedRow):
            yield line
            continue
        number, text = line
        if _is_blank(text):
            continue
        if '"' not in text:
            yield number, [value.strip() for value in text.split(delimiter)], text
            continue
        try:
            values, text, taken = _quoted(text, delimiter, waiting, lines)
            for _ in range(taken):
                waiting.popleft()
            yield number, values, text
        except csv.Error as error:
            yield rejected(number, f"the quotation marks are wrong: {error}", text)


def _quoted(
    text: str,
    delimiter: str,
    waiting: deque[tuple[int, str] | RejectedRow],
    lines: Iterator[tuple[int, str] | RejectedRow],
) -> tuple[list[str], str, int]:
    taken = 0
    while True:
        try:
            return _split(text, delimiter), text, taken
        except csv.Error as error:
            if "unexpected end" not in str(error) or taken == _MOST_LINES_IN_A_VALUE - 1:
                raise
            if taken == len(waiting) and (line := next(lines, None)):
                waiting.append(line)
            following = waiting[taken] if taken < len(waiting) else None
            if not isinstance(following, tuple) or len(text) > LONGEST_LINE:
                raise
            text += "\n" + following[1]
            taken += 1


def _split(text: str, delimiter: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    return [value.strip() for value in next(csv.reader(lines, delimiter=delimiter, strict=True))]


def _is_blank(text: str) -> bool:
    return not text or text.isspace() or text.startswith("#")
