"""The key providers of a house: the one that wraps, and those that still have to open."""

from tutela.errors import SettingsError, StorageError
from tutela.evidence import key_file
from tutela.evidence.key_file import KeyFile
from tutela.evidence.model import KeyProvider, WrappedKey
from tutela.storage.settings import Settings

KMS_PREFIX = "aws-kms:"


class Keyring:
    """A ``KeyProvider`` that wraps by the configured one, and opens by whichever has the key."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.file = KeyFile(settings.keys_folder / "vault.key")
        self._kms: KeyProvider | None = None
        if settings.vault_key == "file":
            self._wrapping: KeyProvider = self.file
        elif settings.vault_key.startswith(KMS_PREFIX):
            self._wrapping = self._open_kms()
        else:
            raise SettingsError(
                f'vault_key: is "{settings.vault_key}", but should be "file" or '
                '"aws-kms:" and the ARN or alias/NAME of a key'
            )

    @property
    def wraps_by_file(self) -> bool:
        """Whether the key file wraps, and not a KMS."""
        return self._wrapping is self.file

    def wrap(self, secret: bytes, context: bytes) -> WrappedKey:
        """Wrap a secret, as ``KeyProvider`` has it."""
        return self._wrapping.wrap(secret, context)

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Open what was wrapped, as ``KeyProvider`` has it."""
        return self._provider_of(wrapped.key_id).unwrap(wrapped, context)

    def check(self) -> str:
        """Whether something can be wrapped."""
        return self._wrapping.check()

    def _provider_of(self, key_id: str) -> KeyProvider:
        if key_id.startswith(key_file.PREFIX):
            return self.file
        if key_id.startswith(KMS_PREFIX):
            return self._open_kms()
        raise StorageError(
            f"evidence is wrapped by the key {key_id}, of a kind that this Tutela does not know: "
            "install the version that sealed it"
        )

    def _open_kms(self) -> KeyProvider:
        if self._kms is None:
            # Not needed where nobody uses it, and slow to import.
            from tutela.evidence.aws_kms import AwsKms  # noqa: PLC0415

            key = self._settings.vault_key.removeprefix(KMS_PREFIX)
            self._kms = AwsKms(key, self._settings.kms_endpoint)
        return self._kms
