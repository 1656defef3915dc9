"""What whoever writes reports works with."""

from dataclasses import dataclass

from tutela.evidence.vault import Vault
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.kept_secrets import KeptSecrets
from tutela.storage.settings import Settings


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts of the open house that reports are written with.

    Attributes:
        settings: The configuration.
        database: The database.
        vault: Where the evidence is.
        clock: The time.
    """

    settings: Settings
    database: Database
    vault: Vault
    clock: Clock

    @property
    def secrets(self) -> KeptSecrets:
        """What seals the words of reports."""
        return KeptSecrets(self.settings.keys_folder)
