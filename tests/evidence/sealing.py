"""Sealing in one step, as the screening does it."""

import hashlib
import os
from pathlib import Path

from tutela.evidence.model import ItemId, new_item_id
from tutela.evidence.vault import Vault
from tutela.storage.settings import Settings

AT_LENGTH = bool(os.environ.get("TUTELA_TEST_SOAK"))
"""Whether tests are to take their time, as in `make soak`."""


def sealed_item(vault: Vault, case: str, content: bytes) -> ItemId:
    """Seal bytes and keep them; gives the item."""
    item = new_item_id()
    sealed = vault.seal(lambda: [content], case, item, hashlib.sha256(content).digest())
    with vault.database.writing() as connection:
        vault.claim(connection, [sealed])
        vault.keep(connection, sealed)
    return item


def opened(vault: Vault, item: ItemId) -> bytes:
    """The whole content of an item."""
    return b"".join(vault.open(item))


def blob_files(settings: Settings) -> list[Path]:
    """Every file of the vault's folder, finished or not."""
    return sorted(path for path in (settings.data / "vault").rglob("*") if path.is_file())
