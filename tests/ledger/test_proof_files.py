"""A proof's file is whole or absent, and takes no other file's place unasked."""

from pathlib import Path

import pytest

from tutela.errors import AlreadyExistsError, InvalidInputError, StorageError
from tutela.ledger.proof_files import write_proof


def test_a_file_is_replaced_only_when_that_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    write_proof(file, "first")
    with pytest.raises(AlreadyExistsError, match="--force"):
        write_proof(file, "second")
    assert file.read_text() == "first"
    write_proof(file, "second", replace=True)
    assert file.read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["proof.json"]


def test_a_folder_or_device_is_no_file_even_by_force(tmp_path: Path) -> None:
    for place in (tmp_path, Path("/dev/null")):
        with pytest.raises(InvalidInputError, match="is no file"):
            write_proof(place, "proof", replace=True)
    with pytest.raises(StorageError, match="no such folder"):
        write_proof(tmp_path / "nosuch" / "proof.json", "proof")
    with pytest.raises(StorageError, match="name too long"):
        write_proof(tmp_path / ("x" * 300), "proof")


def test_where_nothing_can_be_written_it_is_said_and_nothing_is_left() -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        write_proof(Path("/proc/proof.json"), "proof")
