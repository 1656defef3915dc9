"""The files within archives and documents, told by content and never by name. Runs in a cell.

ZIP (and what is built on it: office files, EPUB, APK), TAR, gzip, bzip2 and xz are read here; PDF
by ``documents``; 7z, RAR and others by the system's libarchive, where there is one. Members are
unpacked as streams. Those that may hold something are held, up to a size, one at each depth.
"""

import codecs
import io
import struct
import tarfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

from tutela.fingerprints.model import Digests, Part, Picture, PictureState, Unreadable, file_of
from tutela.sandbox import jpegxl, libarchive, rar
from tutela.sandbox.covers import COVER, covers_of
from tutela.sandbox.decoding import Room
from tutela.sandbox.documents import Around, may_be_pdf, parts_of_pdf
from tutela.sandbox.drawings import pictures_in_drawing
from tutela.sandbox.enough import Enough
from tutela.sandbox.formats import (
    ARCHIVE_BEGINNINGS,
    COMPOUND,
    EMF,
    HEAD_BYTES,
    ISO,
    MAIL,
    PDF,
    RAR,
    RAR_VOLUME,
    RTF,
    TAR,
    WMF,
    ZIP,
    PictureFormat,
    VideoFormat,
    recognise_visible,
)
from tutela.sandbox.mail import parts_of_mail, parts_of_rtf
from tutela.sandbox.model import SHARE_OF_TIME, Limits, UnreadableError
from tutela.sandbox.motion import videos_within
from tutela.sandbox.office import parts_of_compound, parts_of_drawing
from tutela.sandbox.pictures import look
from tutela.sandbox.sights import Wanted
from tutela.sandbox.unpacking import (
    AnyUnpacker,
    Budget,
    Digested,
    Piece,
    SpentError,
    Unpacking,
    bzip2,
    deflate,
    gzip,
    lzma_alone,
    xz,
    zip_lzma,
)
from tutela.sandbox.video import behind_tags, look_at_video

UNPACKED = "unpacked"
"""The place of what a compressed file that is no archive holds."""

# Names in old ZIP archives are in this one; in a sealed cell it could not be loaded any more.
codecs.lookup("cp437")

Stream = io.BytesIO | io.BufferedReader
_BUFFER_BYTES = 1 << 16
_CHUNK = 1 << 18
_MOST_HELD_BYTES = 1 << 26
_LONGEST_NAME = 255

_UNPACKERS: dict[str, Callable[[], AnyUnpacker]] = {
    "gzip": gzip,
    "bzip2": bzip2,
    "xz": xz,
    "LZMA": lzma_alone,
}

_WITHOUT_DATA = frozenset(tarfile.SUPPORTED_TYPES) - frozenset(
    (*tarfile.REGULAR_TYPES, tarfile.GNUTYPE_SPARSE, tarfile.XGLTYPE)
)
_BLOCK = 512
_USTAR = slice(257, 262)
_LONGEST_HEADER = 1 << 16

_LOOKING_INTO: dict[str, Callable[[Stream, str, Around], Iterator[Part]]] = {
    COMPOUND: parts_of_compound,
    **dict.fromkeys((EMF, WMF), parts_of_drawing),
    MAIL: parts_of_mail,
    RTF: parts_of_rtf,
}
# In these libarchive has to seek.
_SOUGHT = ("7z", RAR, "CAB", "XAR")
# What has to be sought in is held in memory; what may be nothing at all too, as far as it fits.
_HELD = (ZIP, PDF, *_LOOKING_INTO, *_SOUGHT)
# What stands at the beginning of a disk, and where.
_ISO_MARKS, _ISO_AT = (b"CD001", b"BEA01"), 0x8001
# Programs that unpack themselves, and other files with an archive behind them: so far it is looked
# for, as others do.
_SEARCHED = 1 << 23
_7Z_MARK, _7Z_HEADER = b"7z\xbc\xaf\x27\x1c", struct.Struct("<8xI20s")
_CAB_MARK, _CAB_HEADER = b"MSCF\0\0\0\0", struct.Struct("<8xI4xI4xHHH")
_CAB_VERSION = 0x0103
_BEHIND = (_7Z_MARK, rar.MARK, _CAB_MARK)
_PIECE = 1 << 18

_LOCAL = b"PK\x03\x04"
_LOCAL_HEADER = struct.Struct("<4s2xHH4xIIIHH")
_DIRECTORY_END = b"PK\x05\x06"
_DIRECTORY_END_HEADER = struct.Struct("<4s6xHI6x")
_ZIP64_LOCATOR = struct.Struct("<4s4xQ4x")
_ZIP64_END = struct.Struct("<4s28xQQ8x")
# A comment may stand behind the end of the directory.
_TAIL = 22 + (1 << 16) + _ZIP64_LOCATOR.size
# What an entry of a directory usually takes, and more; longer directories are not read.
_ENTRY_BYTES = 400
_SPARE_BYTES = 1 << 20
_ENCRYPTED, _WITH_DESCRIPTOR, _IN_UTF8 = 0x1, 0x8, 0x800
_WITH_END_MARK = 0x2
# Documents in a ZIP that are encrypted without the ZIP's knowing, and what says so in them: of
# LibreOffice, and books. Fonts of books are often made unreadable in another way.
_LOCKED_BY = {
    "META-INF/manifest.xml": b"encryption-data",
    "META-INF/encryption.xml": b"/xmlenc#",
}
_ZIP_ZSTANDARD, _ZIP_XZ = 93, 95
_ZIP_UNPACKERS: dict[int, Callable[[], AnyUnpacker]] = {
    zipfile.ZIP_DEFLATED: deflate,
    zipfile.ZIP_BZIP2: bzip2,
    _ZIP_XZ: xz,
}


def archive_format(head: bytes) -> str | None:
    """The format of files within files that a file begins as; ``None`` if as none."""
    for name, beginning in ARCHIVE_BEGINNINGS.items():
        if beginning.match(head):
            return name
    if head.startswith((_LOCAL, _DIRECTORY_END)):
        return ZIP
    if head.startswith(b"%PDF"):
        return PDF
    return TAR if _tar_header(head[:_BLOCK]) is not None else None


def look_at(
    file: Stream,
    file_format: PictureFormat | VideoFormat | None,
    limits: Limits,
    room: Room,
    enough: Enough,
    *,
    dihedrals: bool = False,
    wanted: Wanted | None = None,
    hashed: bool = True,
) -> Iterator[Part | Picture]:
    """All that is to be seen in a file that is a picture or a video; as ``pictures.look``.

    Of a video no more is told of than ``enough`` says. Where only one place is ``wanted``, what
    is decoded for a long time may be left out.
    """
    match file_format:
        case PictureFormat():
            for found in look(file, file_format, limits, room, dihedrals=dihedrals, hashed=hashed):
                if isinstance(found, Picture):
                    yield from videos_within(file, limits, enough, wanted)
                yield found
        case VideoFormat():
            file_format = behind_tags(file, file_format)
            if wanted is not None and wanted.place and wanted.is_in(COVER):
                yield from covers_of(file, file_format, limits, room)
                return
            for found in look_at_video(file, file_format, limits, enough, wanted):
                if isinstance(found, Picture):
                    yield from covers_of(file, file_format, limits, room)
                yield found
        case None:
            if isinstance(file, io.BytesIO):
                deadline = time.monotonic() + limits.seconds * SHARE_OF_TIME
                yield from pictures_in_drawing(file.getvalue(), limits, room, deadline)
            yield Picture(PictureState.NONE)


def members_of(
    file: Stream,
    limits: Limits,
    room: Room,
    wanted: Wanted | None = None,
    enough: Enough | None = None,
) -> Iterator[Part]:
    """Everything within a file that is an archive, or has one behind something else.

    Args:
        file: Must be seekable.
        limits: What it may cost, with all that is in it.
        room: Where to put pixels.
        wanted: If only one place is asked for: of other members that may have something to see,
            there is a part that has nothing but its place; of the rest there is none.
        enough: Of which of its videos no more is wanted.

    Yields:
        Its parts. One whose place is empty says why the file itself could not be looked into, or
        not to its end.
    """
    opening = _Opening(
        Budget(file.seek(0, io.SEEK_END), limits), limits, room, enough or Enough(), wanted
    )
    try:
        yield from opening.within(file, "", 1)
    except SpentError as error:
        yield Part(opening.place, unreadable=error.unreadable)
    except OSError:
        yield Part(opening.place, unreadable=Unreadable.NOT_READ)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A member of a ZIP archive, as its directory has it, or its own header."""

    name: str
    start: int
    flags: int
    method: int
    crc: int | None
    packed: int
    size: int | None

    def is_as_said(self, digests: Digests, crc: int) -> bool:
        """Whether it unpacked to what is said of it."""
        return self.crc in (None, crc) and self.size in (None, digests.size)

    @property
    def least_end(self) -> int:
        return self.start + _LOCAL_HEADER.size + self.packed


class _Opening:
    """Opening up one file with all that lies in it.

    Attributes:
        place: Of what is being looked at.
        budget: What is left of what it may cost.
        limits: What that was.
        most_held: So many bytes of a member at most are held in memory.
    """

    def __init__(
        self,
        budget: Budget,
        limits: Limits,
        room: Room,
        enough: Enough,
        wanted: Wanted | None,
    ) -> None:
        self.place = ""
        self._wanted = wanted
        self._places: Counter[str] = Counter()
        self.budget = budget
        self.limits = limits
        self._room = room
        self._enough = enough
        self.most_held = min(_MOST_HELD_BYTES, limits.memory_bytes // 8)

    def within(self, file: Stream, place: str, depth: int) -> Iterator[Part]:
        """What lies in a file that can be sought in."""
        file.seek(0)
        head = file.read(HEAD_BYTES)
        tail, _ = _tail(file)
        name = archive_format(head)
        ways: list[Iterator[Part]] = []
        if look := _LOOKING_INTO.get(name or ""):
            ways.append(look(file, place, _Around(self, depth)))
        elif name in _SOUGHT:
            ways.append(self._sought(file, 0, name, place, depth))
        elif name is not None and name not in (ZIP, PDF):
            ways.append(self._streamed(file, name, place, depth))
        for start, kind in _within_something_else(file, name):
            ways.append(self._sought(file, start, kind, place, depth))
        if may_be_pdf(head, tail):
            ways.append(parts_of_pdf(file, place, _Around(self, depth)))
        if name == ZIP or (name in (None, TAR, PDF) and _DIRECTORY_END in tail):
            ways.append(self._zip(file, place, depth, begins=name == ZIP))
        if isinstance(file, io.BytesIO) and jpegxl.may_be_packed_jpeg(file.getvalue()):
            ways.append(self._packed_jpeg(file.getvalue(), place, depth))
        if ways and depth > self.limits.depth:
            yield Part(place, unreadable=Unreadable.TOO_DEEP)
            return
        for way in ways:
            file.seek(0)
            yield from self._guarded(way, place)

    def _guarded(self, parts: Iterator[Part], place: str) -> Iterator[Part]:
        try:
            yield from parts
        except SpentError:
            raise
        except UnreadableError as error:
            yield Part(place, unreadable=error.unreadable)
        except MemoryError:
            yield Part(place, unreadable=Unreadable.TOO_MUCH_MEMORY)

    def _streamed(self, stream: Stream, name: str, place: str, depth: int) -> Iterator[Part]:
        """What lies in an archive that is read from its beginning to its end."""
        if name == TAR:
            yield from self._tar(stream, place, depth)
            return
        make = _UNPACKERS.get(name)
        if make is None:
            yield from self._listed(stream, name, place, depth)
            return
        unpacked = Unpacking(stream, make, self.budget, several=True)
        yield from self._packed(unpacked, place, depth)

    def _packed(self, unpacked: io.RawIOBase, place: str, depth: int) -> Iterator[Part]:
        """What a packed file holds, which has no name."""
        # The files of a compressed TAR are told of as if it were one archive.
        where = self.unused(_joined(place, UNPACKED))
        yield from self.member(unpacked, where, depth, tar_place=place)

    def _packed_jpeg(self, content: bytes, place: str, depth: int) -> Iterator[Part]:
        """The JPEG that a JPEG XL was made of, where it can be made of that again to the bit."""
        jpeg = jpegxl.packed_jpeg(content, self.most_held)
        if jpeg is not None:
            unpacked = Piece(_At(io.BytesIO(jpeg), 0), len(jpeg), self.budget, counted=True)
            yield from self.member(unpacked, self.unused(_joined(place, UNPACKED)), depth)

    # What libarchive reads

    def _sought(
        self, file: Stream, start: int, name: str, place: str, depth: int
    ) -> Iterator[Part]:
        """What lies in an archive that begins at some place of a file."""
        locked: Container[str] = ()
        if name == RAR:
            survey = rar.survey(file, start, self.limits.parts)
            if start and not survey.is_one:
                return
            if survey.is_locked:
                yield Part(place, unreadable=Unreadable.ENCRYPTED, decoder=name)
                return
            if survey.is_volume:
                yield Part(place, unreadable=Unreadable.NOT_SUPPORTED, decoder=RAR_VOLUME)
            locked = survey.locked
        yield from self._listed(libarchive.Sought(file, start), name, place, depth, locked)

    def _listed(
        self,
        source: libarchive.Source,
        name: str,
        place: str,
        depth: int,
        locked: Container[str] = (),
    ) -> Iterator[Part]:
        try:
            with libarchive.opened(source, name, self.budget) as members:
                for number, member in enumerate(members, 1):
                    if name in libarchive.STREAMS:
                        yield from self._packed(member.stream, place, depth)
                    else:
                        where = self.unused(_joined(place, _clean(member.name, number)))
                        if member.is_encrypted or member.name in locked:
                            self.budget.begin()
                            yield Part(where, unreadable=Unreadable.ENCRYPTED, decoder=name)
                        else:
                            yield from self.member(member.stream, where, depth)
                    self.place = place
        except SpentError:
            raise
        except UnreadableError as error:
            yield Part(place, unreadable=error.unreadable, decoder=name)

    def member(
        self,
        stream: io.RawIOBase,
        place: str,
        depth: int,
        *,
        tar_place: str | None = None,
        entry: _Entry | None = None,
    ) -> Iterator[Part]:
        """A file within an archive, and what lies in it in turn.

        Args:
            stream: Its bytes.
            place: Where it is.
            depth: How many archives are around it.
            tar_place: Where its own members are, if it is a TAR.
            entry: What is said of it, to be held against what it is.
        """
        self.place = place
        self.budget.begin()
        if not self._is_passed_by(place, tar_place):
            yield from self._entered(stream, place, depth, tar_place, entry)
        elif _may_show_something(_buffered(stream)):
            yield Part(place)

    def _entered(
        self,
        stream: io.RawIOBase,
        place: str,
        depth: int,
        tar_place: str | None,
        entry: _Entry | None,
    ) -> Iterator[Part]:
        digested = Digested(stream)
        reader = _buffered(digested)
        held = bytearray()
        visible: PictureFormat | VideoFormat | None = None
        failure: Unreadable | None = None
        try:
            head = reader.peek(HEAD_BYTES)[:HEAD_BYTES]
            name = archive_format(head)
            visible = recognise_visible(head)
            if name is None or name in _HELD or visible is not None:
                failure = self._hold(reader, held, name, visible)
            else:
                if tar_place is not None and name == TAR:
                    yield from self._streamed(reader, name, tar_place, depth)
                elif depth >= self.limits.depth:
                    failure = Unreadable.TOO_DEEP
                else:
                    yield from self._guarded(self._streamed(reader, name, place, depth + 1), place)
                self.place = place
                _drain(reader)
        except SpentError:
            raise
        except UnreadableError as error:
            failure = error.unreadable
        except MemoryError:
            failure = Unreadable.TOO_MUCH_MEMORY
        digests = digested.digesting.digests()
        if entry is not None and failure is None and not entry.is_as_said(digests, digested.crc):
            failure = Unreadable.DAMAGED
        if digests.size or failure is not None:
            yield Part(place, digests=digests, unreadable=failure)
        if entry is not None and _LOCKED_BY.get(entry.name, b"\0never") in held:
            yield Part(place, unreadable=Unreadable.ENCRYPTED)
        if held:
            file = io.BytesIO(bytes(held))
            held.clear()
            yield from self._looks(file, visible, place)
            yield from self.within(file, place, depth + 1)

    def _is_passed_by(self, place: str, tar_place: str | None) -> bool:
        """Whether a member is not, and does not hold, what is wanted."""
        places = (place,) if tar_place is None else (place, tar_place)
        return not any(map(self.is_wanted, places))

    def is_wanted(self, place: str) -> bool:
        """Whether this place, or something in it, is looked for."""
        return self._wanted is None or self._wanted.is_in(place)

    def unused(self, place: str) -> str:
        """A place that no other member has: some archives have two of one name."""
        self._places[place] += 1
        count = self._places[place]
        return place if count == 1 else self.unused(f"{place} ({count})")

    def _hold(
        self,
        reader: io.BufferedReader,
        held: bytearray,
        name: str | None,
        visible: PictureFormat | VideoFormat | None,
    ) -> Unreadable | None:
        """Hold what is read, also if it ends in an error; of what is too long, nothing.

        But of sound the beginning, where most covers stand.
        """
        while piece := reader.read1(_CHUNK):
            left = self.most_held - len(held)
            held += piece[:left]
            if len(piece) > left:
                is_sound = _is_sound(held, visible)
                is_nothing = name is None and visible is None
                is_nothing = is_nothing and held[_ISO_AT : _ISO_AT + 5] not in _ISO_MARKS
                if not is_sound:
                    held.clear()
                _drain(reader)
                return None if is_sound or is_nothing else Unreadable.TOO_LARGE
        return None

    def _looks(
        self, file: io.BytesIO, file_format: PictureFormat | VideoFormat | None, place: str
    ) -> Iterator[Part]:
        """What is to be seen in a member, with its place in front."""
        wanted = self._wanted.within(place) if self._wanted else None
        decoder = file_format.name if file_format else None
        for found in look_at(
            file, file_format, self.limits, self._room, self._enough, wanted=wanted
        ):
            if isinstance(found, Part):
                where = f"{place} {found.place}".strip()
                if found.unreadable is None:
                    yield replace(found, place=where)
                else:
                    yield replace(found, place=where, decoder=found.decoder or decoder)
            elif found.state is PictureState.UNREADABLE:
                yield Part(place, unreadable=found.unreadable, decoder=decoder)

    # TAR

    def _tar(self, stream: Stream, place: str, depth: int) -> Iterator[Part]:
        """Members of a TAR; blocks that are none are passed over, and told of once."""
        long_name: str | None = None
        long_size: int | None = None
        ended = damaged = False
        number = 0
        while len(block := stream.read(_BLOCK)) == _BLOCK:
            self.budget.see_time()
            header = _tar_header(block, with_mark=ended or damaged)
            if header is None:
                # What stands behind the end is nobody's.
                ended = ended or not any(block)
                if not ended and not damaged:
                    damaged = True
                    yield Part(place, unreadable=Unreadable.DAMAGED)
                continue
            kind, size = header.type, header.size
            if kind == tarfile.GNUTYPE_LONGLINK:
                _read_padded(stream, size, self.budget)
                continue
            if kind in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE):
                text = _read_padded(stream, size, self.budget)
                if kind == tarfile.XHDTYPE:
                    long_name, long_size = _pax(text, long_name, long_size)
                else:
                    long_name = text.partition(b"\0")[0].decode("utf-8", "replace")
                continue
            if long_size is not None:
                size = long_size
            name, long_name, long_size = long_name or header.name, None, None
            if size < 0 or kind in _WITHOUT_DATA:
                continue
            number += 1
            where = self.unused(_joined(place, _clean(name, number)))
            if kind == tarfile.GNUTYPE_SPARSE:
                yield Part(where, unreadable=Unreadable.NOT_SUPPORTED)
            piece = Piece(stream, size, self.budget)
            if kind in tarfile.REGULAR_TYPES and kind != tarfile.GNUTYPE_SPARSE:
                yield from self.member(piece, where, depth)
                self.place = place
            _skip(piece)
            stream.read(-size % _BLOCK)
        if not ended and number == 0:
            yield Part(place, unreadable=Unreadable.ENDS_EARLY)

    # ZIP

    def _zip(self, file: BinaryIO, place: str, depth: int, *, begins: bool) -> Iterator[Part]:
        """Members of a ZIP, by its directory; by their own headers where that cannot be read."""
        entries = _directory(file, self.limits)
        if entries is None:
            if not begins:
                # Nothing opens this.
                return
            yield Part(place, unreadable=Unreadable.DAMAGED)
            yield from self._loose(file, place, depth)
            return
        end = 0
        overlapping = False
        for number, entry in enumerate(sorted(entries, key=lambda each: each.start), 1):
            self.budget.see_time()
            if entry.name.endswith("/") and not entry.packed:
                continue
            if entry.start < end:
                if not overlapping:
                    overlapping = True
                    yield Part(place, unreadable=Unreadable.BOMB)
                continue
            end = entry.least_end
            yield from self._unzipped(file, entry, place, depth, number)

    def _loose(self, file: BinaryIO, place: str, depth: int) -> Iterator[Part]:
        """Members of a ZIP that has no directory, one after the other."""
        at = 0
        number = 0
        while (start := _find(file, _LOCAL, at, self.budget)) is not None:
            at = start + len(_LOCAL)
            entry = _own_entry(file, start)
            if entry is None:
                continue
            number += 1
            yield from self._unzipped(file, entry, place, depth, number)
            if not entry.flags & _WITH_DESCRIPTOR:
                at = max(at, entry.least_end)

    def _unzipped(
        self, file: BinaryIO, entry: _Entry, place: str, depth: int, number: int
    ) -> Iterator[Part]:
        where = self.unused(_joined(place, _clean(entry.name, number)))
        self.place = where
        if entry.flags & _ENCRYPTED:
            self.budget.begin()
            yield Part(where, unreadable=Unreadable.ENCRYPTED)
            return
        file.seek(entry.start)
        header = file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(_LOCAL):
            yield Part(where, unreadable=Unreadable.DAMAGED)
            return
        _, flags, method, _, _, _, name_size, extra_size = _LOCAL_HEADER.unpack(header)
        if method != entry.method or flags & _ENCRYPTED:
            # Others may unpack it otherwise.
            yield Part(where, unreadable=Unreadable.DAMAGED)
        start = entry.start + _LOCAL_HEADER.size + name_size + extra_size
        packed = _buffered(Piece(_At(file, start), entry.packed, self.budget))
        try:
            if entry.method == _ZIP_ZSTANDARD:
                with libarchive.opened(packed, "Zstandard", self.budget) as members:
                    for member in members:
                        yield from self.member(member.stream, where, depth, entry=entry)
            elif entry.method == zipfile.ZIP_STORED:
                stored = Piece(_At(file, start), entry.packed, self.budget, counted=True)
                yield from self.member(stored, where, depth, entry=entry)
            else:
                yield from self.member(self._unpacking(packed, entry), where, depth, entry=entry)
        except SpentError:
            raise
        except UnreadableError as error:
            yield Part(where, unreadable=error.unreadable)

    def _unpacking(self, packed: io.BufferedReader, entry: _Entry) -> io.RawIOBase:
        """A member of a ZIP, as its method has it unpacked.

        Raises:
            UnreadableError: It is packed in a way that is not known here, or takes too much memory.
        """
        if make := _ZIP_UNPACKERS.get(entry.method):
            return Unpacking(packed, make, self.budget)
        if entry.method != zipfile.ZIP_LZMA:
            raise UnreadableError(Unreadable.NOT_SUPPORTED, Unreadable.NOT_SUPPORTED.words)
        settings = packed.read(4 + 5)[4:]
        zip_lzma(settings)
        stream = Unpacking(packed, lambda: zip_lzma(settings), self.budget)
        if entry.flags & _WITH_END_MARK:
            return stream
        # It is as long as it is said to be.
        return Piece(_buffered(stream), entry.size or 0, self.budget)


class _Around:
    """A file that is being opened up, for what opens up a document in it."""

    def __init__(self, opening: _Opening, depth: int) -> None:
        self._opening = opening
        self._depth = depth
        self.limits = opening.limits
        self.budget = opening.budget
        self.most_held = opening.most_held

    def is_wanted(self, place: str) -> bool:
        """As ``documents.Around`` has it; likewise the others."""
        return self._opening.is_wanted(place)

    def file(self, content: bytes, place: str) -> Iterator[Part]:
        """A file within it, and all that is in that."""
        piece = Piece(io.BytesIO(content), len(content), self.budget, counted=True)
        yield from self._opening.member(piece, place, self._depth)

    def shows(self, content: bytes) -> bool:
        """Whether some bytes begin as a file that may have something to see."""
        head = content[:HEAD_BYTES]
        return recognise_visible(head) is not None or archive_format(head) is not None

    def placed(self, part: Part, place: str) -> Part:
        """What was found in something within it, with that one's place in front."""
        return replace(part, place=f"{place} {part.place}".strip())

    def called(self, place: str, name: str, number: int) -> str:
        """The place of a file within it that has a name."""
        return self._opening.unused(_joined(place, _clean(name, number)))


class _At:
    """A file from a place on, whoever else seeks in it meanwhile."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._position = start

    def read1(self, size: int, /) -> bytes:
        """Read on."""
        self._file.seek(self._position)
        piece = self._file.read(size)
        self._position += len(piece)
        return piece


def _buffered(raw: io.RawIOBase) -> io.BufferedReader:
    return io.BufferedReader(raw, _BUFFER_BYTES)


def _is_sound(beginning: bytearray, visible: PictureFormat | VideoFormat | None) -> bool:
    """Whether nothing but a cover is to be seen in a file that begins so."""
    return (
        isinstance(visible, VideoFormat)
        and visible.is_sound
        and behind_tags(io.BytesIO(bytes(beginning)), visible).is_sound
    )


def _drain(reader: io.BufferedReader) -> None:
    while reader.read1(_CHUNK):
        pass


def _joined(place: str, name: str) -> str:
    return f"{place}/{name}" if place else name


def _clean(name: str, number: int) -> str:
    """A member's name as people can be shown it: it steers no terminal and turns no text around."""
    name = "".join(each if each.isprintable() else "\ufffd" for each in name[: 1 << 12])
    if len(name) > _LONGEST_NAME:
        half = _LONGEST_NAME // 2
        name = f"{name[:half]}…{name[-half:]}"
    name = name.strip("/ ") or f"file {number}"
    # A name must not read as if it were a frame of another file.
    return name if file_of(name) == name else f"“{name}”"


def _within_something_else(file: Stream, name: str | None) -> Iterator[tuple[int, str]]:
    """Archives that a file does not begin as: where each begins, and its format."""
    if name is None:
        file.seek(_ISO_AT)
        if file.read(5) in _ISO_MARKS:
            yield 0, ISO
    if name not in (None, PDF):
        return
    file.seek(0)
    content = file.getvalue() if isinstance(file, io.BytesIO) else file.read(_SEARCHED)
    for at in _marked(content):
        if content.startswith(rar.MARK, at):
            if rar.survey(file, at, 1).is_one:
                yield at, RAR
        elif content.startswith(_CAB_MARK, at) and at + _CAB_HEADER.size <= len(content):
            size, first, version, folders, files = _CAB_HEADER.unpack_from(content, at)
            if version == _CAB_VERSION and first < size and folders and files:
                yield at, "CAB"
        elif content.startswith(_7Z_MARK, at) and at + _7Z_HEADER.size <= len(content):
            checksum, header = _7Z_HEADER.unpack_from(content, at)
            if zlib.crc32(header) == checksum:
                yield at, "7z"


def _marked(content: bytes) -> Iterator[int]:
    """Where the mark of a 7z, a RAR or a CAB stands in a file, but at its beginning."""
    first, other, third = (int.from_bytes(mark[:2], "little") for mark in _BEHIND)
    # By pairs of bytes at even and at odd places, several times quicker than ``bytes.find``.
    for piece in range(0, min(len(content), _SEARCHED), _PIECE):
        for start in (piece, piece + 1):
            count = max(0, min(_PIECE, len(content) - start)) // 2
            pairs = np.frombuffer(content, "<u2", count, start if count else 0)
            may_be = (pairs == first) | (pairs == other) | (pairs == third)
            for place in np.flatnonzero(may_be).tolist():
                at = start + 2 * place
                if at and content.startswith(_BEHIND, at):
                    yield at


def _may_show_something(reader: io.BufferedReader) -> bool:
    """Whether a member is, or may hold, a picture or a video."""
    try:
        head = reader.peek(HEAD_BYTES)[:HEAD_BYTES]
    except SpentError:
        raise
    except (UnreadableError, MemoryError):
        return False
    return recognise_visible(head) is not None or archive_format(head) is not None


def _tar_header(block: bytes, *, with_mark: bool = False) -> tarfile.TarInfo | None:
    if len(block) < _BLOCK or block[_USTAR] != b"ustar":
        # Those of old have no mark, but digits where others have them too.
        digits = block[148:154].strip(b" \0")
        if with_mark or not digits or not digits.isdigit() or not block[:1].strip(b"\0"):
            return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.HeaderError, ValueError):
        return None


def _read_padded(stream: Stream, size: int, budget: Budget) -> bytes:
    piece = Piece(stream, max(size, 0), budget)
    text = _buffered(piece).read(_LONGEST_HEADER)
    _skip(piece)
    stream.read(-size % _BLOCK)
    return text


def _skip(piece: Piece) -> None:
    room = bytearray(_BUFFER_BYTES)
    while piece.left:
        piece.readinto(room)


def _pax(text: bytes, name: str | None, size: int | None) -> tuple[str | None, int | None]:
    """The name and the size of the next member, where its extended header has them."""
    at = 0
    while at < len(text):
        digits, space, _ = text[at : at + 20].partition(b" ")
        if not space or not digits.isdigit() or int(digits) <= len(digits) + 1:
            break
        record = text[at + len(digits) + 1 : at + int(digits) - 1]
        key, _, value = record.partition(b"=")
        if key == b"path":
            name = value.decode("utf-8", "replace")
        elif key == b"size" and value.isdigit() and len(value) < 20:
            size = int(value)
        at += int(digits)
    return name, size


def _tail(file: BinaryIO) -> tuple[bytes, int]:
    """The end of a file, and where it begins."""
    size = file.seek(0, io.SEEK_END)
    start = max(0, size - _TAIL)
    file.seek(start)
    return file.read(_TAIL), start


def _directory(file: BinaryIO, limits: Limits) -> list[_Entry] | None:
    """The entries of a ZIP's directory; ``None`` if it cannot be read, or is far too long."""
    if not _is_short_enough(file, limits):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            return [
                _Entry(
                    # What has no mark is in whatever the writer used: mostly UTF-8.
                    info.orig_filename if info.flag_bits & _IN_UTF8 else _guessed(info),
                    info.header_offset,
                    info.flag_bits,
                    info.compress_type,
                    info.CRC,
                    info.compress_size,
                    info.file_size,
                )
                for info in archive.infolist()
            ]
    except OSError as error:
        if error.errno is not None:
            raise
        return None
    except Exception:
        return None


def _guessed(info: zipfile.ZipInfo) -> str:
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.orig_filename


def _is_short_enough(file: BinaryIO, limits: Limits) -> bool:
    tail, start = _tail(file)
    at = tail.rfind(_DIRECTORY_END)
    if at < 0 or len(tail) - at < _DIRECTORY_END_HEADER.size:
        return False
    _, count, size = _DIRECTORY_END_HEADER.unpack_from(tail, at)
    locator = at - _ZIP64_LOCATOR.size
    if locator >= 0 and tail.startswith(b"PK\x06\x07", locator):
        for end in (
            _ZIP64_LOCATOR.unpack_from(tail, locator)[1],
            start + locator - _ZIP64_END.size,
        ):
            if not 0 <= end < start + len(tail):
                continue
            file.seek(end)
            header = file.read(_ZIP64_END.size)
            if len(header) == _ZIP64_END.size and header.startswith(b"PK\x06\x06"):
                count, size = (
                    max(one, other)
                    for one, other in zip(_ZIP64_END.unpack(header)[1:], (count, size), strict=True)
                )
    return bool(
        size <= limits.parts * _ENTRY_BYTES + _SPARE_BYTES and count <= 2 * limits.parts + 100
    )


def _own_entry(file: BinaryIO, start: int) -> _Entry | None:
    """A member as its own header says, where there is no directory."""
    size = file.seek(0, io.SEEK_END)
    file.seek(start)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        return None
    _, flags, method, crc, packed, unpacked, name_size, _ = _LOCAL_HEADER.unpack(header)
    name = file.read(name_size).decode("utf-8", "replace")
    if name.endswith("/"):
        return None
    if flags & _WITH_DESCRIPTOR or packed == 0xFFFFFFFF:
        # How long it is, is said behind it.
        return _Entry(name, start, flags | _WITH_DESCRIPTOR, method, None, size - start, None)
    return _Entry(name, start, flags, method, crc, packed, unpacked)


def _find(file: BinaryIO, mark: bytes, start: int, budget: Budget) -> int | None:
    """Where a mark stands next in a file."""
    while True:
        budget.see_time()
        file.seek(start)
        piece = file.read(_CHUNK)
        at = piece.find(mark)
        if at >= 0:
            return start + at
        if len(piece) < _CHUNK:
            return None
        start += len(piece) - len(mark) + 1
