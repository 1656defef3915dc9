"""Reading a file line by line, in bounded memory whatever it holds."""

from collections.abc import Iterator
from typing import BinaryIO

from tutela.hashlists.formats.columns import rejected
from tutela.hashlists.model import RejectedRow

LONGEST_LINE = 1 << 23
"""Bytes. The vPDQ hash of a long video has some millions."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_lines(file: BinaryIO) -> Iterator[tuple[int, str] | RejectedRow]:
    """The lines with their numbers from 1, or why a line is not text."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            _skip_line(file)
            yield rejected(number, f"the line is longer than {LONGEST_LINE:,} bytes", _shown(line))
            continue
        try:
            text = line.decode()
        except UnicodeDecodeError:
            yield rejected(number, "the line is not UTF-8 text", _shown(line))
            continue
        if "\0" in text:
            yield rejected(number, "the line holds NUL bytes", _shown(line))
        else:
            yield number, text.rstrip("\r\n")


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


def _shown(line: bytes) -> str:
    return line[:1000].rstrip(b"\r\n").decode("utf-8", "backslashreplace")
