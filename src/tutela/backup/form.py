"""The form of a backup, inside its encryption: a row of frames that describe themselves.

A frame is the length of its head (4 bytes, big end first), its head (a JSON object), and the parts
whose sizes the head lists. In this order come: the contents; for each table its shape and its rows;
the blobs; what was destroyed meanwhile, if anything was; the end.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tutela.backup.model import (
    BackupId,
    Blob,
    Column,
    Contents,
    DestroyedMeanwhile,
    End,
    Kind,
    Lack,
    LackingBlob,
    LedgerHead,
    LostBlobError,
    Piece,
    Rows,
    TableShape,
)
from tutela.errors import InvalidInputError

_LENGTH = struct.Struct(">I")
_LONGEST_HEAD = 1 << 24


def encode(pieces: Iterable[Piece]) -> Iterator[bytes]:
    """The bytes of a backup, made while its pieces come.

    A blob whose chunks end with ``LostBlobError`` is written down as lacking.
    """
    for piece in pieces:
        match piece:
            case Contents():
                yield _frame({"contents": _contents_fields(piece)})
            case TableShape():
                columns = [[column.name, column.kind] for column in piece.columns]
                yield _frame({"table": piece.name, "columns": columns})
            case Rows():
                yield _frame({"rows": piece.count}, *piece.columns)
            case Blob():
                yield from _encode_blob(piece)
            case LackingBlob():
                yield _frame({"lacking": piece.id, "lack": piece.lack})
            case DestroyedMeanwhile():
                yield _frame({"destroyed": piece.items})
            case End():
                yield _frame({"end": asdict(piece)})


def decode(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """The pieces of a backup, in order. Its end is reached, or an error raised.

    Raises:
        InvalidInputError: The backup was never finished, or is of a form that is not understood.
        LostBlobError: By a blob's chunks.
    """
    source = _Source(chunks)
    while True:
        head, parts = _read_frame(source)
        match head:
            case {"contents": fields}:
                yield _contents(fields)
            case {"table": name, "columns": columns}:
                yield TableShape(name, tuple(Column(each, Kind(kind)) for each, kind in columns))
            case {"rows": count}:
                yield Rows(count, parts)
            case {"blob": name}:
                yield from _decode_blob(source, name)
            case {"lacking": name, "lack": lack}:
                yield LackingBlob(name, Lack(lack))
            case {"destroyed": items}:
                yield DestroyedMeanwhile(tuple(items))
            case {"end": fields}:
                if not source.is_at_end():
                    raise _not_understood()
                yield End(**fields)
                return
            case _:
                raise _not_understood()


def _encode_blob(blob: Blob) -> Iterator[bytes]:
    size = 0
    yield _frame({"blob": blob.id})
    try:
        for chunk in blob.chunks:
            yield _frame({}, chunk)
            size += len(chunk)
    except LostBlobError as error:
        yield _frame({"lacking": error.lacking.id, "lack": error.lacking.lack})
    else:
        yield _frame({"whole": size})


def _decode_blob(source: "_Source", name: str) -> Iterator[Piece]:
    chunks = _chunks(source, name)
    yield Blob(name, chunks)
    try:
        # Whoever did not want it has not walked through it.
        for _ in chunks:
            pass
    except LostBlobError:
        pass


def _chunks(source: "_Source", name: str) -> Iterator[bytes]:
    size = 0
    while True:
        head, parts = _read_frame(source)
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


def _frame(head: Mapping[str, Any], *parts: bytes) -> bytes:
    if parts:
        head = {**head, "parts": [len(part) for part in parts]}
    encoded = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join((_LENGTH.pack(len(encoded)), encoded, *parts))


def _read_frame(source: "_Source") -> tuple[dict[str, Any], tuple[bytes, ...]]:
    (length,) = _LENGTH.unpack(source.exactly(_LENGTH.size))
    if length > _LONGEST_HEAD:
        raise _not_understood()
    head = json.loads(source.exactly(length))
    return head, tuple(source.exactly(size) for size in head.get("parts", ()))


class _Source:
    """Bytes that come in pieces, read in others."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._here = memoryview(b"")

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
        found = []
        while size:
            if self.is_at_end():
                raise InvalidInputError(
                    "the backup was never finished: its end is missing; take another"
                )
            piece, self._here = self._here[:size], self._here[size:]
            found.append(piece)
            size -= len(piece)
        return b"".join(found)

    def is_at_end(self) -> bool:
        """Whether nothing more comes. Only then is it known that nothing was cut off."""
        while not self._here:
            chunk = next(self._chunks, None)
            if chunk is None:
                return True
            self._here = memoryview(chunk)
        return False


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
