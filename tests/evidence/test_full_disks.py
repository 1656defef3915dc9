"""Where nothing can be written, nothing is acknowledged, and everything goes on afterwards."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.evidence.sealing import blob_files, opened, sealed_item
from tests.pictures import drawn, encoded
from tests.requirements import missing
from tests.waiting import comes_true
from tutela.errors import StorageError
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.model import new_item_id
from tutela.evidence.tables import evidence_items
from tutela.evidence.vault import Vault
from tutela.storage.settings import Settings, load_settings

KNOWN = encoded(drawn(1))


@pytest.fixture
def settings(data: Path) -> Settings:
    """On SQLite alone: what is here is between the vault and its folders."""
    return load_settings(data=data, cells=2)


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[None]:
    """A file system of its own, that is soon full."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = f"size={kib}k,mode=700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        missing("the right to mount a file system", "run the tests as root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def test_a_disk_that_fills_up_at_any_byte_leaves_nothing_half(
    vault: Vault, settings: Settings, new_case
) -> None:
    folder = settings.data / "vault"
    content = os.urandom(100 << 10)
    with small_disk(folder, 1024):
        kept = sealed_item(vault, new_case(), b"before")
        filler = folder / "filler"
        refused = 0
        for room in (0, 4, 8, 40, 96, 100, 104, 160):
            filler.write_bytes(b"")
            free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
            filler.write_bytes(bytes(max(0, free - (room << 10))))
            try:
                vault.seal(lambda: [content], new_case(), new_item_id())
            except StorageError as error:
                refused += 1
                assert "No space left" in str(error)
                assert "check free space" in str(error)
                assert len(blob_files(settings)) == 2
        assert refused >= 6
        assert opened(vault, kept) == b"before"
        filler.unlink()
        assert opened(vault, sealed_item(vault, new_case(), content)) == content


def test_a_vault_that_becomes_read_only_is_said(vault: Vault, settings: Settings, new_case) -> None:
    folder = settings.data / "vault"
    with small_disk(folder, 1024):
        kept = sealed_item(vault, new_case(), b"before")
        remount(folder, "ro")
        for use in (
            vault.check,
            lambda: vault.seal(lambda: [b"more"], new_case(), new_item_id()),
            lambda: vault.store.delete(vault.store.list().__next__().id),
        ):
            with pytest.raises(StorageError, match="Read-only file system"):
                use()
        assert opened(vault, kept) == b"before"
        remount(folder, "rw")
        assert opened(vault, sealed_item(vault, new_case(), b"more")) == b"more"


def test_a_folder_of_keys_that_cannot_be_written_is_said(
    settings: Settings, database, clock
) -> None:
    with small_disk(settings.keys_folder, 64):
        remount(settings.keys_folder, "ro")
        vault = Vault.over(settings, database, clock)
        with pytest.raises(StorageError, match=r"vault.key cannot be written .*Read-only"):
            prepare_keys(vault.keyring, database, pytest.fail)
        remount(settings.keys_folder, "rw")
        prepare_keys(vault.keyring, database, lambda _: None)
        assert vault.check()


def test_a_service_whose_vault_is_full_acknowledges_nothing_and_stays_up(make_house) -> None:
    with make_house() as house:
        house.add_picture("partner", KNOWN)
        folder = house.settings.data / "vault"
        with small_disk(folder, 64):
            (folder / "filler").write_bytes(bytes(64 << 10))
            answer = house.client.post("/v1/screen", files={"file": KNOWN})
            assert answer.status_code == 503
            assert "storage fails just now" in answer.json()["detail"]
            assert answer.headers["Retry-After"]
            assert house.client.get("/v1/cases").json() == {"cases": []}
            ready = house.stranger().get("/readyz")
            assert ready.status_code == 503
            (vault,) = (each for each in ready.json()["checks"] if each["name"] == "vault")
            assert not vault["ok"]
            other = encoded(drawn(2))
            assert house.client.post("/v1/screen", files={"file": other}).json() == {
                "verdict": "clear"
            }
            (folder / "filler").unlink()
            remount(folder, "size=8m")
            answer = house.client.post("/v1/screen", files={"file": KNOWN})
            assert answer.json()["verdict"] == "match"
            # What failed is looked at again after a second.
            assert comes_true(lambda: house.stranger().get("/readyz").is_success)
            with house.service.database.reading() as connection:
                (item,) = connection.execute(select(evidence_items.c.id)).scalars()
                assert connection.execute(select(func.count(evidence_items.c.id))).scalar_one() == 1
            assert opened(house.service.screening.vault, item) == KNOWN
