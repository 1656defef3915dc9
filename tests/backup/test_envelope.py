"""Whatever is done to a backup is noticed, and without the key provider nothing opens."""

import io
import os
from pathlib import Path

import pytest

from tests.backup.house import House, open_house, secrets_of
from tutela.backup.envelope import read_beginning
from tutela.backup.reading import check_backup, check_file
from tutela.errors import InvalidInputError, StorageError, TutelaError
from tutela.evidence.key_file import KeyFile
from tutela.storage.settings import load_settings

_SOAK = os.environ.get("TUTELA_TEST_SOAK") == "1"


@pytest.fixture
def small(tmp_path: Path, clock) -> tuple[House, bytes]:
    """A house with a list only, and its backup."""
    house = open_house(load_settings(data=tmp_path / "data", cells=1), clock)
    path = house.back_up(tmp_path / "small.backup").path
    return house, path.read_bytes()


def _is_sound(house: House, content: bytes) -> bool:
    try:
        check_file(io.BytesIO(content), house.vault.keyring, tell=lambda _: None)
    except TutelaError:
        return False
    return True


def test_every_flipped_bit_is_detected(small: tuple[House, bytes]) -> None:
    house, content = small
    assert _is_sound(house, content)
    beginning = len(read_beginning(io.BytesIO(content)).encoded)
    # All of what is in the clear, and by default a sample of the rest.
    places = [*range(beginning), *range(beginning, len(content), 1 if _SOAK else 41)]
    undetected = []
    for place in places:
        for bit in range(8) if _SOAK else (place % 8,):
            flipped = bytearray(content)
            flipped[place] ^= 1 << bit
            if _is_sound(house, bytes(flipped)):
                undetected.append((place, bit))
    assert undetected == []


def test_a_backup_that_was_cut_off_or_added_to_is_detected(small: tuple[House, bytes]) -> None:
    house, content = small
    for size in range(0, len(content), 1 if _SOAK else 37):
        assert not _is_sound(house, content[:size]), size
    assert not _is_sound(house, content[:-1])
    assert not _is_sound(house, content + b"\0")
    assert not _is_sound(house, content + content)


def test_a_backup_under_the_name_of_another_is_detected(
    small: tuple[House, bytes], tmp_path: Path
) -> None:
    house, content = small
    other = house.back_up(tmp_path / "other.backup").path.read_bytes()
    ours, theirs = read_beginning(io.BytesIO(content)), read_beginning(io.BytesIO(other))
    swapped = theirs.encoded + content[len(ours.encoded) :]
    assert not _is_sound(house, swapped)
    assert not _is_sound(house, content.replace(ours.id.encode(), theirs.id.encode()))


def test_a_stolen_backup_holds_none_of_the_houses_secrets(house: House, tmp_path: Path) -> None:
    content = house.back_up(tmp_path / "stolen.backup").path.read_bytes()
    # The name of the wrapping key tells of nothing, and the key provider needs it.
    key_id = read_beginning(io.BytesIO(content)).wrapped.key_id
    looked_for = [each for each in secrets_of(house) if each[1] != key_id.encode()]
    assert len(looked_for) > 1000
    assert [what for what, secret in looked_for if secret in content] == []
    if house.database.is_sqlite:
        # The search is one that finds: here is a thief who took the data folder.
        files = [each for each in house.settings.data.rglob("*") if each.is_file()]
        taken = b"".join(each.read_bytes() for each in files)
        assert sum(secret in taken for _, secret in looked_for) > 100
    # What is in the clear is all known, and tells of nothing.
    beginning = read_beginning(io.BytesIO(content))
    assert set(beginning.encoded.decode("latin-1").split('"')[1::2]) == {
        "id",
        beginning.id,
        "key",
        beginning.wrapped.key_id,
        "wrapped",
        beginning.encoded.decode("latin-1").split('"')[-2],
    }


def test_without_the_key_file_nothing_is_read_and_the_error_says_what_to_do(
    sqlite_house: House, tmp_path: Path
) -> None:
    path = sqlite_house.back_up(tmp_path / "stolen.backup").path
    elsewhere = KeyFile(tmp_path / "elsewhere" / "vault.key")
    with pytest.raises(StorageError, match="put back the copy that was kept elsewhere"):
        check_backup(path, elsewhere, tell=lambda _: None)
    elsewhere.make()
    with pytest.raises(StorageError, match="does not hold the key"):
        check_backup(path, elsewhere, tell=lambda _: None)


def test_a_file_that_is_no_backup_is_said_to_be_none(sqlite_house: House, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    for content in (b"", b"Dear reader, this is no backup.", b"\0" * 100_000):
        path.write_bytes(content)
        with pytest.raises(InvalidInputError, match="no backup"):
            check_backup(path, sqlite_house.vault.keyring, tell=lambda _: None)
