"""A manifest is read as it was written, or not at all."""

from pathlib import Path

import pytest

from tests.matching.brute_force import some_entries
from tutela.errors import StorageError
from tutela.matching.index import Index
from tutela.matching.manifest import MANIFEST, parse_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Index.open(tmp_path) as index:
        index.add(some_entries(30), revision=1)
        index.withdraw([3], revision=2)
    return tmp_path


def test_no_changed_byte_goes_unnoticed(folder: Path) -> None:
    content = (folder / MANIFEST).read_bytes()
    assert parse_manifest(content, folder).revision == 2
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(StorageError, match="damaged"):
            parse_manifest(bytes(changed), folder)


def test_no_missing_end_goes_unnoticed(folder: Path) -> None:
    content = (folder / MANIFEST).read_bytes()
    for length in range(len(content)):
        with pytest.raises(StorageError, match="damaged"):
            parse_manifest(content[:length], folder)


def test_a_file_of_another_program_is_not_a_manifest(folder: Path) -> None:
    for content in (b"", b"\0" * 100, b"{}\n", "tütela".encode("latin-1")):
        with pytest.raises(StorageError, match="damaged"):
            parse_manifest(content, folder)
