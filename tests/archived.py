"""Archives for tests, made by code."""

import ctypes
import io
import struct
import tarfile
import zipfile
import zlib


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive of files by their names."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", method) as archive:
        for name, content in files.items():
            # Made at no time, so that it is the same whenever it is made.
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return into.getvalue()


def tarred(
    files: dict[str, bytes] | list[tuple[str, bytes]],
    mode: str = "w",
    form: int = tarfile.PAX_FORMAT,
) -> bytes:
    """A TAR archive of files by their names, of which several may be the same in a list."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, content in files.items() if isinstance(files, dict) else files:
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return into.getvalue()


def by_libarchive(
    files: dict[str, bytes], form: str, *filters: str, options: str | None = None
) -> bytes:
    """An archive that libarchive writes, of a format that nothing else here can write."""
    library = ctypes.CDLL("libarchive.so.13")
    for name in ("archive_write_new", "archive_entry_new", "archive_error_string"):
        getattr(library, name).restype = ctypes.c_void_p
    archive = ctypes.c_void_p(library.archive_write_new())

    def do(what: str, *arguments: object) -> None:
        if getattr(library, f"archive_write_{what}")(archive, *arguments) < 0:
            said = ctypes.string_at(library.archive_error_string(archive))
            raise ValueError(said.decode())

    do("set_format_by_name", form.encode())
    for each in filters:
        do("add_filter_by_name", each.encode())
    if options is not None:
        do("set_options", options.encode())
    into = ctypes.create_string_buffer(sum(map(len, files.values())) + (1 << 20))
    size = ctypes.c_size_t()
    do("set_bytes_per_block", 0)
    do("open_memory", into, ctypes.c_size_t(len(into)), ctypes.byref(size))
    for name, content in files.items():
        entry = ctypes.c_void_p(library.archive_entry_new())
        library.archive_entry_update_pathname_utf8(entry, name.encode())
        library.archive_entry_set_size(entry, ctypes.c_int64(len(content)))
        library.archive_entry_set_filetype(entry, 0o100000)
        library.archive_entry_set_perm(entry, 0o644)
        do("header", entry)
        do("data", content, ctypes.c_size_t(len(content)))
        library.archive_entry_free(entry)
    do("close")
    library.archive_write_free(archive)
    return into.raw[: size.value]


def rar_of_old(files: dict[str, bytes], *, main: int = 0, each: int = 0) -> bytes:
    """A RAR archive of the fourth version, not compressed.

    Args:
        files: By their names.
        main: Flags of the archive.
        each: Flags of every file.
    """

    def block(kind: int, flags: int, body: bytes) -> bytes:
        rest = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(rest) & 0xFFFF) + rest

    archive = b"Rar!\x1a\x07\0" + block(0x73, main, bytes(6))
    for name, content in files.items():
        size, checksum = len(content), zlib.crc32(content)
        facts = struct.pack(
            "<IIBIIBBHI", size, size, 3, checksum, 0x5A21_0000, 20, 0x30, len(name), 0o100644
        )
        archive += block(0x74, 0x8000 | each, facts + name.encode()) + content
    return archive + block(0x7B, 0x4000, b"")


def _seven_bits(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _seven_bits(high) if high else bytes([low])


def rar_block(kind: int, fields: list[int], name: bytes = b"", extra: bytes = b"") -> bytes:
    """A header of a RAR archive of the fifth version."""
    head = b"".join(map(_seven_bits, [kind, *fields])) + name + extra
    head = _seven_bits(len(head)) + head
    return struct.pack("<I", zlib.crc32(head)) + head


RAR_MARK = b"Rar!\x1a\x07\x01\0"


def rar(files: dict[str, bytes], *, main: int = 0, extra: bytes = b"", split: int = 0) -> bytes:
    """A RAR archive of the fifth version, not compressed.

    Args:
        files: By their names.
        main: Flags of the archive.
        extra: What else is said of every file.
        split: Flags of every file that it begins or goes on in another volume.
    """
    archive = RAR_MARK + rar_block(1, [0, main])
    for name, content in files.items():
        text = name.encode()
        sizes = [*([len(extra)] if extra else []), len(content)]
        facts = [0, len(content), 0o100644, 0, 1, len(text)]
        flags = 2 | bool(extra) | split
        archive += rar_block(2, [flags, *sizes, *facts], text, extra) + content
    return archive + rar_block(5, [0, 0])


def cabinet(files: dict[str, bytes]) -> bytes:
    """A CAB archive, not compressed."""
    entries, start, whole = b"", 0, b"".join(files.values())
    for name, content in files.items():
        entries += struct.pack("<IIHHHH", len(content), start, 0, 0x5A21, 0, 0x20)
        entries += name.encode() + b"\0"
        start += len(content)
    pieces = [whole[at : at + 32768] for at in range(0, len(whole), 32768)]
    data = b"".join(struct.pack("<IHH", 0, len(each), len(each)) + each for each in pieces)
    begins = 36 + 8 + len(entries)
    head = struct.pack(
        "<4sIIIIIBBHHHHH", b"MSCF", 0, begins + len(data), 0, 44, 0, 3, 1, 1, len(files), 0, 0, 0
    )
    return head + struct.pack("<IHH", begins, len(pieces), 0) + entries + data


def lha(files: dict[str, bytes]) -> bytes:
    """An LHA archive, not compressed."""
    archive = b""
    for name, content in files.items():
        checksum = 0
        for byte in content:
            checksum ^= byte
            for _ in range(8):
                checksum = checksum >> 1 ^ 0xA001 * (checksum & 1)
        size, text = len(content), name.encode()
        rest = struct.pack("<5sIIIBBB", b"-lh0-", size, size, 0x5A21_0000, 0x20, 0, len(text))
        rest += text + struct.pack("<H", checksum)
        archive += bytes([len(rest), sum(rest) & 0xFF]) + rest + content
    return archive + b"\0"


def with_method(archive: bytes, method: int, packed: bytes, content: bytes) -> bytes:
    """A ZIP of one stored file ``packed``, made to say that it is some content packed like that."""
    changed = bytearray(archive)
    for start, at in ((archive.index(b"PK\x03\x04"), 8), (archive.index(b"PK\x01\x02"), 10)):
        struct.pack_into("<H", changed, start + at, method)
        sizes = (zlib.crc32(content), len(packed), len(content))
        struct.pack_into("<III", changed, start + at + 6, *sizes)
    return bytes(changed)
