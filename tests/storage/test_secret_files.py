"""A secret is whole or absent, made once, and nobody else's to read."""

import threading
from pathlib import Path

import pytest

from tutela.errors import StorageError
from tutela.storage.secret_files import make_secret, read_secret, replace_secret


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "a.key"
    assert make_secret(path, b"first")
    assert not make_secret(path, b"second")
    assert read_secret(path) == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["a.key"]


def test_of_many_at_once_one_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "a.key"
    made: list[bytes] = []

    def make(number: int) -> None:
        content = f"{number}".encode() * 1000
        if make_secret(path, content):
            made.append(content)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [read_secret(path)]
    assert [each.name for each in path.parent.iterdir()] == ["a.key"]


def test_a_secret_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    make_secret(path, b"secret")
    for mode in (0o640, 0o604, 0o660, 0o611):
        path.chmod(mode)
        with pytest.raises(StorageError, match=f"chmod 600 {path}"):
            read_secret(path)
    path.chmod(0o400)
    assert read_secret(path) == b"secret"


def test_a_secret_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    make_secret(path, b"old")
    replace_secret(path, b"new")
    assert read_secret(path) == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["a.key"]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        make_secret(tmp_path / "file" / "a.key", b"secret")
