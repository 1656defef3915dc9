"""Archives as the system's libarchive reads them: 7z, RAR and others. In a cell alone.

The library is no package of Python's and may be missing on a machine. Formats and filters are
chosen one by one: some filters of libarchive start other programs. Nothing is written to a disk and
no link is followed, since no more than names and bytes are asked for. What it calls back is made
before the cell is sealed, since that takes memory that can be run.
"""

import ctypes
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tutela.fingerprints.model import Unreadable
from tutela.sandbox.model import UnreadableError
from tutela.sandbox.unpacking import Budget, SpentError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LIBRARY = "libarchive.so.13"
"""The only name that it has had on Linux since 2013."""

_FORMATS = {
    "7z": ("format_7zip",),
    "RAR": ("format_rar", "format_rar5"),
    "CAB": ("format_cab",),
    "LHA": ("format_lha",),
    "XAR": ("format_xar",),
    "ISO 9660": ("format_iso9660",),
    "cpio": ("format_cpio",),
    "ar": ("format_ar",),
    "RPM": (
        *("format_cpio", "filter_rpm"),
        *("filter_gzip", "filter_bzip2", "filter_xz", "filter_lzma", "filter_zstd"),
    ),
    "Zstandard": ("format_raw", "filter_zstd"),
    "LZ4": ("format_raw", "filter_lz4"),
    "lzip": ("format_raw", "filter_lzip"),
    "compress": ("format_raw", "filter_compress"),
}
STREAMS = frozenset(name for name, parts in _FORMATS.items() if "format_raw" in parts)
"""Those that are one packed stream, without names."""

_OK, _EOF, _RETRY, _WARN, _FATAL = 0, 1, -10, -20, -30
_REGULAR, _KIND_UNKNOWN = 0o100000, 0
_PIECE = 1 << 16
_MOST_RETRIES = 10
# No archive without a file in it is longer.
_MOST_EMPTY = 128

# What it says went wrong, as we have it; whatever else it says is that something is damaged.
_MEANINGS = (
    (re.compile(r"crypt", re.IGNORECASE), Unreadable.ENCRYPTED),
    (re.compile(r"memory|allocate", re.IGNORECASE), Unreadable.TOO_MUCH_MEMORY),
    (
        re.compile(
            r"support|(unknown|unexpected) codec|with many filters|split in multivolume",
            re.IGNORECASE,
        ),
        Unreadable.NOT_SUPPORTED,
    ),
    (
        re.compile(r"truncated|too small|ends? early|premature", re.IGNORECASE),
        Unreadable.ENDS_EARLY,
    ),
)

_readers: dict[int, "_Reader"] = {}


class Source(Protocol):
    """Where an archive comes from."""

    def read1(self, size: int, /) -> bytes:
        """Some bytes, at most so many; none at the end."""


class Sought:
    """An archive in a file that can be sought in, from some place in it on."""

    def __init__(self, file: io.BytesIO | io.BufferedReader, start: int = 0) -> None:
        self._file = file
        self._start = self._position = start

    def read1(self, size: int, /) -> bytes:
        """Read on, whoever else seeks in it meanwhile."""
        self._file.seek(self._position)
        piece = self._file.read(size)
        self._position += len(piece)
        return piece

    def seek(self, offset: int, whence: int) -> int:
        """Go to a place."""
        end = self._file.seek(0, io.SEEK_END)
        base = {io.SEEK_SET: self._start, io.SEEK_CUR: self._position, io.SEEK_END: end}[whence]
        self._position = min(max(base + offset, self._start), end)
        return self._position - self._start


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Attributes:
        name: Its path; empty if it has none that could be read.
        is_encrypted: Whether its bytes cannot be had for want of a password.
        stream: Its bytes, until the next one is asked for.
    """

    name: str
    is_encrypted: bool
    stream: io.RawIOBase


def can_open() -> bool:
    """Whether the machine has the library."""
    return _library is not None


def version() -> str:
    """Which one it has, such as ``libarchive 3.6.2``; empty if none."""
    if _library is None:
        return ""
    text: bytes = _library.archive_version_string()
    return text.decode("ascii", "replace")


@contextmanager
def opened(source: Source, name: str, budget: Budget) -> Iterator[Iterator[Member]]:
    """The files in an archive, or what a packed stream unpacks to.

    Args:
        source: A ``Sought`` if the format needs to seek.
        name: Its format.
        budget: What it may cost.

    Raises:
        UnreadableError: There is no library, or it cannot be read, or not on; likewise as the files
            are asked for and read.
    """
    reader = _Reader(source, name, budget)
    try:
        yield reader.members()
    finally:
        reader.close()


class _Reader:
    def __init__(self, source: Source, name: str, budget: Budget) -> None:
        if _library is None:
            raise _unreadable(Unreadable.NOT_SUPPORTED)
        self.source = source
        self.piece = b""
        self.seen = 0
        self.failure: BaseException | None = None
        self._budget = budget
        self._key = max(_readers, default=0) + 1
        self._archive = _library.archive_read_new()
        if not self._archive:
            raise MemoryError
        _readers[self._key] = self
        for part in _FORMATS[name]:
            # Some that it was not built with it would start another program for, and warns.
            if getattr(_library, f"archive_read_support_{part}")(self._archive) != _OK:
                self.close()
                raise _unreadable(Unreadable.NOT_SUPPORTED)
        _library.archive_read_set_read_callback(self._archive, _read_back)
        if isinstance(source, Sought):
            _library.archive_read_set_seek_callback(self._archive, _seek_back)
        _library.archive_read_set_callback_data(self._archive, self._key)

    def members(self) -> Iterator[Member]:
        self._check(_library.archive_read_open1(self._archive))
        entry = ctypes.c_void_p()
        retries = count = 0
        while True:
            self._budget.see_time()
            answer = _library.archive_read_next_header(self._archive, ctypes.byref(entry))
            if answer == _EOF:
                break
            if answer == _RETRY and retries < _MOST_RETRIES:
                retries += 1
                continue
            self._check(answer)
            count += 1
            stream = _Data(self)
            if _library.archive_entry_filetype(entry) in (_REGULAR, _KIND_UNKNOWN):
                is_encrypted = bool(_library.archive_entry_is_encrypted(entry))
                yield Member(_name_of(entry), is_encrypted, stream)
            # Passing over the rest costs as much as reading it, and nobody would count it.
            stream.drain()
        if _library.archive_read_has_encrypted_entries(self._archive) > 0:
            raise _unreadable(Unreadable.ENCRYPTED)
        if not count and self.seen > _MOST_EMPTY:
            # There are others that look for more than libarchive does.
            raise _unreadable(Unreadable.DAMAGED)

    def next_block(self, position: int) -> bytes | None:
        """The bytes of a member from a position on; ``None`` at its end."""
        start, size, offset = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_int64()
        while True:
            answer = _library.archive_read_data_block(
                self._archive, ctypes.byref(start), ctypes.byref(size), ctypes.byref(offset)
            )
            self._check(answer, least=_OK)
            # What it says of the place of the end, and so ``archive_read_data``, is wrong in XAR.
            if answer == _EOF:
                return None
            if size.value:
                break
            self._budget.see_time()
        gap = max(offset.value - position, 0)
        self._budget.spend(gap + size.value)
        return bytes(gap) + ctypes.string_at(start.value or 0, size.value)

    def see_failure(self) -> None:
        """Raise what came of reading the archive's own bytes, which is not libarchive's to tell."""
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        _readers.pop(self._key, None)
        _library.archive_read_free(self._archive)

    def _check(self, answer: int, *, least: int = _WARN) -> None:
        self.see_failure()
        if answer < least:
            said = (_library.archive_error_string(self._archive) or b"").decode("utf-8", "replace")
            raise _unreadable(_meaning(said))


class _Data(io.RawIOBase):
    """The bytes of a member."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._position = 0
        self._rest = memoryview(b"")
        self._is_over = False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read some more.

        Raises:
            UnreadableError: It is damaged, or costs too much.
        """
        room = memoryview(buffer).cast("B")
        if not self._rest and not self._is_over:
            # What went wrong once is not tried again.
            self._is_over = True
            block = self._reader.next_block(self._position)
            self._is_over = block is None
            self._rest = memoryview(block or b"")
            self._position += len(self._rest)
        piece = self._rest[: len(room)]
        room[: len(piece)] = piece
        self._rest = self._rest[len(piece) :]
        return len(piece)

    def drain(self) -> None:
        """Read it as far as it goes.

        Raises:
            SpentError: That costs too much.
        """
        room = bytearray(_PIECE)
        try:
            while self.readinto(room):
                pass
        except SpentError:
            raise
        except UnreadableError:
            self._reader.see_failure()


def _name_of(entry: Any) -> str:
    text: bytes | None = _library.archive_entry_pathname_utf8(entry)
    if text is None:
        text = _library.archive_entry_pathname(entry)
    return (text or b"").decode("utf-8", "replace")


def _meaning(said: str) -> Unreadable:
    return next((each for words, each in _MEANINGS if words.search(said)), Unreadable.DAMAGED)


def _unreadable(reason: Unreadable) -> UnreadableError:
    return UnreadableError(reason, reason.words)


def _read(_archive: int, key: int, piece: Any) -> int:
    reader = _readers[key]
    try:
        reader.piece = reader.source.read1(_PIECE)
    except BaseException as error:
        reader.failure = error
        return _FATAL
    reader.seen += len(reader.piece)
    piece[0] = ctypes.cast(ctypes.c_char_p(reader.piece), ctypes.c_void_p)
    return len(reader.piece)


def _seek(_archive: int, key: int, offset: int, whence: int) -> int:
    reader = _readers[key]
    try:
        return reader.source.seek(offset, whence) if isinstance(reader.source, Sought) else _FATAL
    except BaseException as error:
        reader.failure = error
        return _FATAL


_read_back = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
)(_read)
_seek_back = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
)(_seek)


def _loaded() -> Any:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "archive_version_string": (text, ()),
        "archive_read_new": (pointer, ()),
        "archive_read_free": (ctypes.c_int, (pointer,)),
        "archive_read_set_read_callback": (ctypes.c_int, (pointer, type(_read_back))),
        "archive_read_set_seek_callback": (ctypes.c_int, (pointer, type(_seek_back))),
        "archive_read_set_callback_data": (ctypes.c_int, (pointer, pointer)),
        "archive_read_open1": (ctypes.c_int, (pointer,)),
        "archive_read_next_header": (ctypes.c_int, (pointer, ctypes.POINTER(pointer))),
        "archive_read_has_encrypted_entries": (ctypes.c_int, (pointer,)),
        "archive_read_data_block": (
            ctypes.c_int,
            (
                pointer,
                ctypes.POINTER(pointer),
                ctypes.POINTER(ctypes.c_size_t),
                ctypes.POINTER(ctypes.c_int64),
            ),
        ),
        "archive_error_string": (text, (pointer,)),
        "archive_entry_filetype": (ctypes.c_uint, (pointer,)),
        "archive_entry_is_encrypted": (ctypes.c_int, (pointer,)),
        "archive_entry_pathname": (text, (pointer,)),
        "archive_entry_pathname_utf8": (text, (pointer,)),
        **{
            f"archive_read_support_{part}": (ctypes.c_int, (pointer,))
            for parts in _FORMATS.values()
            for part in parts
        },
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_library: Any = _loaded()
