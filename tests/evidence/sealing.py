"""Sealing in one step, as the screening does it."""

from tutela.evidence.model import ItemId, new_item_id
from tutela.evidence.vault import Vault


def sealed_item(vault: Vault, case: str, content: bytes) -> ItemId:
    """Seal bytes and keep them; gives the item."""
    item = new_item_id()
    sealed = vault.seal(lambda: [content], case, item)
    with vault.database.writing() as connection:
        vault.claim(connection, [sealed])
        vault.keep(connection, sealed)
    return item


def opened(vault: Vault, item: ItemId) -> bytes:
    """The whole content of an item."""
    return b"".join(vault.open(item))
