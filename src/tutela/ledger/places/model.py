"""What a second place can do."""

from typing import Protocol


class Place(Protocol):
    """Keeps named texts, each whole or absent. Every method may raise ``StorageError``."""

    def write(self, name: str, content: bytes) -> None:
        """Keep a text. Writing the same again is no error."""

    def read(self, name: str) -> bytes | None:
        """A text, or ``None`` if there is none of this name."""

    def names(self, after: str = "") -> list[str]:
        """The names behind a name, in order."""
