"""What is sealed comes back as it was, and only so."""

from tests.evidence.sealing import opened, sealed_item
from tutela.evidence.vault import Vault


def test_what_is_sealed_opens_as_it_was(vault: Vault, new_case) -> None:
    content = bytes(range(256)) * 9000
    item = sealed_item(vault, new_case(), content)
    assert opened(vault, item) == content
