"""A form with one file, in pieces that are sent as they come: it is never whole in memory."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Form:
    """A form that is sent.

    Attributes:
        content_type: What its header says.
        size: How many bytes it has.
        pieces: Its bytes, once.
    """

    content_type: str
    size: int
    pieces: Iterator[bytes]


def form(
    fields: Mapping[str, str],
    *,
    file: Iterable[bytes] = (),
    file_name: str | None = None,
    file_size: int = 0,
) -> Form:
    """A form of RFC 7578.

    Args:
        fields: What it says.
        file: The bytes of its file, in the field ``file``.
        file_name: What the file is called; without it there is none.
        file_size: How many bytes the file has.
    """
    boundary = secrets.token_hex(20)
    head = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    )
    tail = b""
    if file_name is not None:
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
            f'filename="{_escaped(file_name)}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        ).encode()
        tail = b"\r\n"
    tail += f"--{boundary}--\r\n".encode()
    return Form(
        f"multipart/form-data; boundary={boundary}",
        len(head) + file_size + len(tail),
        _pieces(head, file if file_name is not None else (), tail),
    )


def _pieces(head: bytes, file: Iterable[bytes], tail: bytes) -> Iterator[bytes]:
    yield head
    yield from file
    yield tail


def _escaped(name: str) -> str:
    """The last part of a name, as browsers write it; of a very long one its end."""
    last = PurePosixPath(name.replace("\\", "/")).name or "file"
    readable = last.encode("utf-8", "replace").decode()
    shown = "".join(letter if letter.isprintable() else "_" for letter in readable)
    return shown[-_LONGEST_NAME:].replace('"', "%22")
