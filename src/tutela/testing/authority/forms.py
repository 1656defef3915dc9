"""Reading what comes in by a form: its fields, and a file that is hashed as it arrives.

A file may be real evidence of whoever tries the sandbox. So its bytes go through the hashes and
nowhere else, neither to memory as a whole nor to disk.
"""

import hashlib
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from tutela.testing.authority.model import Code, Refused

MOST_FIELDS_BYTES = 64 * 1024
"""How much everything but the file may be."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that came in whole.

    Attributes:
        name: As its sender called it.
        size: In bytes.
        md5: In hex.
        sha256: In hex.
    """

    name: str
    size: int
    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Form:
    """What a form said.

    Attributes:
        fields: Its fields but for the file.
        file: The file, if there was one.
    """

    fields: dict[str, str]
    file: Arrived | None = None

    def number(self) -> int:
        """The report that it is about.

        Raises:
            Refused: It names none.
        """
        word = self.fields.get("id", "").strip()
        if not (word.isascii() and word.isdigit()):
            raise Refused(Code.INVALID_REQUEST, "The field id has to be a report's number")
        if len(word) > 18:
            raise Refused(Code.NO_SUCH_REPORT, "There is no report with so high a number")
        return int(word)


async def read_form(request: Request, most_file_bytes: int) -> Form:
    """Read a form of either kind.

    Args:
        request: What came in.
        most_file_bytes: How large a file may be.

    Raises:
        Refused: It is no form, broken, or too large.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"application/x-www-form-urlencoded":
        return Form(dict(parse_qsl((await read_whole(request, MOST_FIELDS_BYTES)).decode())))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Refused(Code.INVALID_REQUEST, "This has to be a form, multipart/form-data")
    parts = _Parts(most_file_bytes)
    try:
        parser = MultipartParser(boundary, parts.callbacks())  # type: ignore[arg-type]
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise Refused(Code.INVALID_REQUEST, f"The form is broken: {error}") from None
    if not parts.ended:
        raise Refused(Code.INVALID_REQUEST, "The form has no end")
    return Form(parts.fields, parts.file)


async def read_whole(request: Request, most_bytes: int) -> bytes:
    """Read a body that fits into memory.

    Raises:
        Refused: It is larger than that.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise Refused(Code.INVALID_REQUEST, f"More than {most_bytes} bytes were sent")
    return bytes(body)


@dataclass
class _Parts:
    """Takes up the parts of a form one after the other."""

    most_file_bytes: int
    fields: dict[str, str] = field(default_factory=dict)
    file: Arrived | None = None
    ended: bool = False

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._end_all,
        }

    def _begin(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._options: dict[bytes, bytes] = {}
        self._text = bytearray()
        self._size = 0
        self._hashes = hashlib.md5(usedforsecurity=False), hashlib.sha256()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _headers_end(self) -> None:
        _, self._options = parse_options_header(self._headers.get(b"content-disposition", b""))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._is_file():
            if self._size > self.most_file_bytes:
                raise Refused(
                    Code.MALFORMED_FILE, f"A file has at most {self.most_file_bytes} bytes"
                )
            piece = memoryview(data)[start:end]
            for each in self._hashes:
                each.update(piece)
            return
        self._text += data[start:end]
        if len(self._text) > MOST_FIELDS_BYTES:
            raise Refused(Code.INVALID_REQUEST, "A field is too long")

    def _end(self) -> None:
        if self._is_file():
            md5, sha256 = (each.hexdigest() for each in self._hashes)
            self.file = Arrived(_text(self._options[b"filename"]), self._size, md5, sha256)
        else:
            self.fields[_text(self._options.get(b"name", b""))] = _text(bytes(self._text))

    def _end_all(self) -> None:
        self.ended = True

    def _is_file(self) -> bool:
        return self._options.get(b"name") == b"file" and b"filename" in self._options


def _text(given: bytes) -> str:
    return given.decode("utf-8", errors="replace")
