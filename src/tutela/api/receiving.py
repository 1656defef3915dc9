"""Taking in a request's body, never more of it than is allowed, and never to a disk."""

import os
from asyncio import timeout
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from tutela.api.capacity import Place
from tutela.errors import InvalidInputError, TooLargeError, TooSlowError

_MULTIPART = b"multipart/form-data"
# Boundaries, part headers and the line ends around the files themselves.
_ENVELOPE = 64 << 10
# Fields that callers may send beside the files; they are passed over.
_FIELDS = 100
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent.

    Attributes:
        name: What the sender calls it; may be empty.
        content: Its bytes.
    """

    name: str
    content: bytes

    def pieces(self) -> Iterator[bytes]:
        """The content in pieces of a size that one thing can be done with at a time."""
        for start in range(0, len(self.content), _PIECE):
            yield self.content[start : start + _PIECE]

    @contextmanager
    def as_descriptor(self) -> Iterator[int]:
        """An open file in memory that holds the content, for a cell to read."""
        descriptor = os.memfd_create("upload", os.MFD_CLOEXEC)
        try:
            view = memoryview(self.content)
            while view:
                view = view[os.write(descriptor, view) :]
            os.lseek(descriptor, 0, os.SEEK_SET)
            yield descriptor
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent as multipart.

    Attributes:
        files: The files in its ``file`` fields, in their order.
        fields: The words in its other fields, in their order, by the field's name.
    """

    files: list[Upload]
    fields: Mapping[str, list[str]]

    def word(self, name: str) -> str | None:
        """The words of a field that is there once.

        Raises:
            InvalidInputError: It is there more often.
        """
        words = self.fields.get(name, [])
        if len(words) > 1:
            raise InvalidInputError(f'the field "{name}" was sent more than once')
        return words[0] if words else None


def is_multipart(content_type: bytes) -> bool:
    """Whether a request of this content type sends files."""
    return content_type.lower().startswith(_MULTIPART)


async def receive_body(
    receive: Receive, announced: bytes, limit: int, place: Place, seconds: float
) -> bytes:
    """The whole body of a request.

    Args:
        receive: The request's messages.
        announced: Its header ``Content-Length``; may be empty.
        limit: How many bytes it may have. No more are read.
        place: Where they are counted.
        seconds: How long it may take to come.

    Raises:
        TooLargeError: It is longer.
        TooSlowError: It did not come in time.
        OverCapacityError: Too many bytes are held already.
        ClientDisconnect: The sender hung up.
    """
    if announced.isdigit() and int(announced) > limit:
        raise _too_much_json(limit)
    body = bytearray()
    try:
        async with timeout(seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                part = message.get("body", b"")
                if len(body) + len(part) > limit:
                    raise _too_much_json(limit)
                place.hold(len(part))
                more = message.get("more_body", False)
                if not more and not body:
                    return bytes(part)
                body += part
    except TimeoutError:
        raise _too_slow(seconds) from None
    return bytes(body)


async def receive_form(
    request: Request, limit: int, most: int, place: Place, seconds: float
) -> Form:
    """What a request sends as multipart, with or without files.

    Raises:
        TooLargeError, InvalidInputError, TooSlowError, OverCapacityError: As ``receive_files``.
    """
    return await _receive(request, limit, most, place, seconds)


async def receive_files(
    request: Request, limit: int, most: int, place: Place, seconds: float
) -> Form:
    """The files in a request's ``file`` fields, and the words in its others.

    Raises:
        TooLargeError: They are longer than ``limit`` bytes together, or more than ``most``.
        InvalidInputError: The body is not well formed, or has no ``file`` field.
        TooSlowError: They did not come within so many seconds.
        OverCapacityError: Too many bytes are held already.
    """
    form = await _receive(request, limit, most, place, seconds)
    if not form.files:
        raise InvalidInputError(
            'no file was sent: put it in a multipart field called "file" with a file name, '
            'as "curl -F file=@picture.jpg" does'
        )
    return form


async def _receive(request: Request, limit: int, most: int, place: Place, seconds: float) -> Form:
    too_large = TooLargeError(
        f"more than {limit >> 20} MiB was sent: send less, or raise max_upload_mib"
    )
    parser = MultiPartParser(
        request.headers,
        _limited(request, limit + _ENVELOPE, place, too_large),
        max_files=most,
        max_fields=_FIELDS,
    )
    # Never reached, so that nothing is written to a temporary file.
    parser.spool_max_size = limit + _ENVELOPE + 1
    try:
        async with timeout(seconds):
            form = await parser.parse()
    except TimeoutError:
        raise _too_slow(seconds) from None
    except MultiPartException as error:
        if "Too many files" in error.message:
            raise TooLargeError(f"too many files at once: send at most {most}") from None
        raise InvalidInputError(f"the upload is not well formed: {error.message}") from None
    try:
        files = [each for each in form.getlist("file") if isinstance(each, UploadFile)]
        uploads = [Upload(file.filename or "", await file.read()) for file in files]
        fields: dict[str, list[str]] = {}
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields.setdefault(name, []).append(value)
    finally:
        await form.close()
    if sum(len(upload.content) for upload in uploads) > limit:
        raise too_large
    return Form(uploads, fields)


async def _limited(
    request: Request, limit: int, place: Place, too_large: TooLargeError
) -> AsyncGenerator[bytes, None]:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    received = 0
    async for part in request.stream():
        received += len(part)
        if received > limit:
            raise too_large
        place.hold(len(part))
        yield part


def _too_much_json(limit: int) -> TooLargeError:
    return TooLargeError(
        f"more than {limit >> 10} KiB of JSON was sent; "
        'send files as multipart/form-data, field "file", and long lists in several batches'
    )


def _too_slow(seconds: float) -> TooSlowError:
    return TooSlowError(f"the request did not come within {seconds:g} seconds: send it again")
