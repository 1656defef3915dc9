"""Which second place is meant."""

from pathlib import Path

from tutela.errors import SettingsError
from tutela.ledger.places.bucket import BucketPlace
from tutela.ledger.places.folder import FolderPlace
from tutela.ledger.places.mail import MailingPlace
from tutela.ledger.places.model import Place
from tutela.storage.settings import Settings


def second_place(settings: Settings, where: str | None = None) -> Place:
    """The configured place.

    Args:
        settings: The configuration.
        where: Another place instead, in the form of the setting ``ledger_checkpoints``.

    Raises:
        SettingsError: It cannot be understood.
    """
    where = where or settings.ledger_checkpoints
    own = settings.keys_folder / "checkpoints"
    if where is None:
        return FolderPlace(own)
    scheme, colon, rest = where.partition(":")
    if colon and scheme == "s3":
        return BucketPlace(where, settings.s3_endpoint)
    if colon and scheme == "mailto" and "@" in rest:
        return MailingPlace(FolderPlace(own), settings.mail, rest)
    if colon and scheme != "file" and "/" not in scheme:
        raise SettingsError(
            "ledger_checkpoints: write it as a folder, s3://bucket/prefix or "
            "mailto:person@organisation.example"
        )
    return FolderPlace(Path(rest.removeprefix("//") if scheme == "file" else where))
