"""Proving that a restored house is whole: its ledger verified, every piece of evidence opened."""

from dataclasses import dataclass

from tutela.backup.model import Contents
from tutela.errors import StorageError
from tutela.evidence.vault import Vault
from tutela.evidence.verifying import verify_all
from tutela.ledger.checkpointing import SUFFIX, checkpoint_name
from tutela.ledger.model import Actor
from tutela.ledger.notes import VerifierKey
from tutela.ledger.places.choosing import second_place
from tutela.ledger.places.model import Place
from tutela.ledger.reading import read_head
from tutela.ledger.signing import key_to_sign, public_bytes
from tutela.ledger.verifying import verify
from tutela.storage.settings import Settings


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at in a restored house, and what is wrong in it.

    Attributes:
        entries: How many entries of the ledger were verified.
        checkpoints: How many signed checkpoints, of those at hand, are over what was restored.
        lost: How many entries the ledger had at least, by the checkpoints at hand, that came after
            the backup: they are lost, with what they tell of.
        items: How many pieces of evidence were opened and were as they were sealed.
        bytes: How many bytes they have.
        wrong: What is missing or not as it was, a line each. Empty: all is proved.
    """

    entries: int
    checkpoints: int
    lost: int
    items: int
    bytes: int
    wrong: tuple[str, ...]


def prove(vault: Vault, settings: Settings, contents: Contents, actor: Actor) -> Proof:
    """Verify the ledger against the checkpoints at hand, and open every piece of evidence.

    The ledger is told how much evidence was verified, and of each that is damaged.

    Args:
        vault: The restored house's vault.
        settings: The configuration.
        contents: What the backup said of itself.
        actor: Who restored it.

    Raises:
        StorageError: The database cannot be read.
    """
    wrong: list[str] = []
    entries = checkpoints = lost = items = size = 0
    try:
        place = second_place(settings)
        public = public_bytes(key_to_sign(settings.keys_folder, place, vault.database, vault.clock))
        # A restore takes the ledger back. What was signed after the backup is no longer there.
        until = _Until(place, contents.ledger.size)
        verification = verify(vault.database, settings, until, _verifier(vault, public))
        entries, checkpoints = verification.entries, verification.checkpoints
        wrong += [f"ledger, {each.where}: {each.what}" for each in verification.findings]
        lost = _latest(place, contents.ledger.size) - contents.ledger.size
    except StorageError as error:
        wrong.append(f"ledger: {error.message}")
    try:
        for each in verify_all(vault, actor):
            if each.problem is None:
                items += 1
                size += each.size
            else:
                wrong.append(each.problem)
    except StorageError as error:
        wrong.append(f"evidence: {error.message}")
    return Proof(entries, checkpoints, lost, items, size, tuple(wrong))


def _verifier(vault: Vault, public: bytes) -> VerifierKey:
    with vault.database.reading() as connection:
        return VerifierKey(read_head(connection).origin, public)


class _Until:
    """A place of which only the checkpoints up to a size are seen."""

    def __init__(self, place: Place, size: int) -> None:
        self._place = place
        self._last = checkpoint_name(size)

    def write(self, name: str, content: bytes) -> None:
        self._place.write(name, content)

    def read(self, name: str) -> bytes | None:
        return self._place.read(name)

    def names(self, after: str = "") -> list[str]:
        return [name for name in self._place.names(after) if name <= self._last]


def _latest(place: Place, size: int) -> int:
    """The greatest size that the ledger had by its checkpoints, if it is greater than this one."""
    later = [name for name in place.names(checkpoint_name(size)) if name.endswith(SUFFIX)]
    return int(later[-1].removesuffix(SUFFIX)) if later else size
