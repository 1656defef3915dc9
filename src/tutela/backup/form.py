"""The form of a backup, inside its encryption: a row of frames that describe themselves.

A frame is the length of its head (4 bytes, big end first), its head (a JSON object), and the parts
whose sizes the head lists. In this order come: the contents; for each table its shape and its rows;
the blobs; the end.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, BinaryIO

from tutela.backup.model import (
    BackupId,
    Blob,
    Column,
    Contents,
    End,
    Kind,
    Lack,
    LackingBlob,
    LedgerHead,
    Piece,
    Rows,
    TableShape,
)
from tutela.errors import InvalidInputError, TutelaError

_LENGTH = struct.Struct(">I")
_LONGEST_HEAD = 1 << 24


class LostBlobError(TutelaError):
    """A blob vanished while it was being read, or had vanished so when it was backed up."""

    def __init__(self, lacking: LackingBlob) -> None:
        super().__init__(f"the blob {lacking.id} is {lacking.lack}")
        self.lacking = lacking


def write_piece(stream: BinaryIO, piece: Contents | TableShape | Rows | LackingBlob | End) -> None:
    """Write anything but a blob."""
    match piece:
        case Contents():
            _write(stream, {"contents": _contents_fields(piece)})
        case TableShape():
            columns = [[column.name, column.kind] for column in piece.columns]
            _write(stream, {"table": piece.name, "columns": columns})
        case Rows():
            _write(stream, {"rows": piece.count}, *piece.columns)
        case LackingBlob():
            _write(stream, {"lacking": piece.id, "lack": piece.lack})
        case End():
            _write(stream, {"end": asdict(piece)})


def write_blob(stream: BinaryIO, blob: str, chunks: Iterable[bytes]) -> int:
    """Write a blob while its chunks come; gives its size.

    Raises:
        LostBlobError: As the chunks raised it; the backup holds what it says, and can go on.
    """
    size = 0
    _write(stream, {"blob": blob})
    try:
        for chunk in chunks:
            if chunk:
                _write(stream, {}, chunk)
                size += len(chunk)
    except LostBlobError as error:
        write_piece(stream, error.lacking)
        raise
    _write(stream, {"whole": size})
    return size


def read_pieces(stream: BinaryIO) -> Iterator[Piece]:
    """All that a backup holds, in order. The end is reached, or an error raised.

    Raises:
        InvalidInputError: The backup is of a form that is not understood, or ends too soon.
    """
    while True:
        head, parts = _read(stream)
        match head:
            case {"contents": fields}:
                yield _contents(fields)
            case {"table": name, "columns": columns}:
                yield TableShape(name, tuple(Column(each, Kind(kind)) for each, kind in columns))
            case {"rows": count}:
                yield Rows(count, parts)
            case {"blob": name}:
                chunks = _chunks(stream, name)
                yield Blob(name, chunks)
                # Whoever did not want it has not walked through it.
                for _ in chunks:
                    pass
            case {"lacking": name, "lack": lack}:
                yield LackingBlob(name, Lack(lack))
            case {"end": fields}:
                if stream.read(1):
                    raise _not_understood()
                yield End(**fields)
                return
            case _:
                raise _not_understood()


def _chunks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    size = 0
    while True:
        head, parts = _read(stream)
        match head:
            case {"whole": whole}:
                if whole != size:
                    raise _not_understood()
                return
            case {"lacking": _, "lack": lack}:
                raise LostBlobError(LackingBlob(name, Lack(lack)))
            case _:
                for part in parts:
                    size += len(part)
                    yield part


def _write(stream: BinaryIO, head: Mapping[str, Any], *parts: bytes) -> None:
    if parts:
        head = {**head, "parts": [len(part) for part in parts]}
    encoded = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    stream.write(_LENGTH.pack(len(encoded)) + encoded)
    for part in parts:
        stream.write(part)


def _read(stream: BinaryIO) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > _LONGEST_HEAD:
        raise _not_understood()
    head = json.loads(_exactly(stream, length))
    return head, tuple(_exactly(stream, size) for size in head.get("parts", ()))


def _exactly(stream: BinaryIO, size: int) -> bytes:
    found = stream.read(size)
    if len(found) != size:
        raise InvalidInputError("the backup was never finished: its end is missing; use another")
    return found


def _contents_fields(contents: Contents) -> dict[str, Any]:
    return {
        "id": contents.id,
        "made_at": contents.made_at.isoformat(),
        "version": contents.version,
        "revision": contents.revision,
        "database": contents.database,
        "rows": dict(contents.rows),
        "blobs": contents.blobs,
        "ledger": {"size": contents.ledger.size, "root": contents.ledger.root.hex()},
        "settings": dict(contents.settings),
    }


def _contents(fields: Mapping[str, Any]) -> Contents:
    ledger = fields["ledger"]
    return Contents(
        id=BackupId(fields["id"]),
        made_at=datetime.fromisoformat(fields["made_at"]),
        version=fields["version"],
        revision=fields["revision"],
        database=fields["database"],
        rows=fields["rows"],
        blobs=fields["blobs"],
        ledger=LedgerHead(ledger["size"], bytes.fromhex(ledger["root"])),
        settings=fields["settings"],
    )


def _not_understood() -> InvalidInputError:
    return InvalidInputError(
        "the backup is of a form that this Tutela does not understand: a newer Tutela made it; "
        "install that version"
    )
