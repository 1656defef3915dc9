"""What rests in the database sealed opens with its key, in its place, and not otherwise."""

from pathlib import Path

import pytest

from tutela.errors import StorageError
from tutela.storage.kept_secrets import KeptSecrets


def test_a_secret_opens_where_it_belongs(tmp_path: Path) -> None:
    kept = KeptSecrets(tmp_path / "keys")
    sealed = kept.seal(b"a secret", "webhook:1")
    assert b"a secret" not in sealed
    assert sealed != kept.seal(b"a secret", "webhook:1")
    assert KeptSecrets(tmp_path / "keys").open(sealed, "webhook:1") == b"a secret"
    assert kept.path.stat().st_mode & 0o777 == 0o600


def test_it_opens_nowhere_else_and_not_if_altered(tmp_path: Path) -> None:
    kept = KeptSecrets(tmp_path)
    sealed = kept.seal(b"a secret", "webhook:1")
    with pytest.raises(StorageError, match="altered"):
        kept.open(sealed, "webhook:2")
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(StorageError):
            kept.open(bytes(altered), "webhook:1")
    for end in range(len(sealed)):
        with pytest.raises(StorageError):
            kept.open(sealed[:end], "webhook:1")


def test_another_key_a_damaged_one_and_none_are_told_apart(tmp_path: Path) -> None:
    sealed = KeptSecrets(tmp_path / "a").seal(b"a secret", "x")
    other = KeptSecrets(tmp_path / "b")
    with pytest.raises(StorageError, match="missing"):
        other.open(sealed, "x")
    other.seal(b"another", "x")
    with pytest.raises(StorageError, match="not the key"):
        other.open(sealed, "x")
    other.path.write_text("nonsense")
    with pytest.raises(StorageError, match="damaged"):
        other.open(sealed, "x")
