"""The key provider of Amazon's Key Management Service: the key never leaves it."""

from typing import Any

from tutela.errors import StorageError
from tutela.evidence.model import WrappedKey, WrongKeyError
from tutela.storage.amazon import SECONDS_FOR_A_KEY, TRIES_FOR_A_KEY, load_boto3

PREFIX = "aws-kms:"
_CONTEXT = "tutela"


class AwsKms:
    """A ``KeyProvider`` that asks the KMS.

    Args:
        key: The ARN or ``alias/NAME`` of the key that wraps. May be empty if it only opens.
        endpoint: The server, if it is not Amazon's own for the region.
    """

    def __init__(self, key: str, endpoint: str | None) -> None:
        boto3 = load_boto3("vault_key: aws-kms")
        from botocore.config import Config  # noqa: PLC0415 - comes with boto3
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        self._key = key
        self._failures = BotoCoreError, ClientError
        try:
            self._client: Any = boto3.session.Session().client(
                "kms",
                endpoint_url=endpoint,
                config=Config(
                    connect_timeout=SECONDS_FOR_A_KEY,
                    read_timeout=SECONDS_FOR_A_KEY,
                    retries={"mode": "standard", "total_max_attempts": TRIES_FOR_A_KEY},
                ),
            )
        except BotoCoreError as error:
            raise StorageError(f"the KMS cannot be asked: {error}") from error

    def wrap(self, secret: bytes, context: bytes) -> WrappedKey:
        """Wrap a secret, as ``KeyProvider`` has it."""
        try:
            answer = self._client.encrypt(
                KeyId=self._key,
                Plaintext=secret,
                EncryptionContext={_CONTEXT: context.decode()},
            )
        except self._failures as error:
            raise self._explained(error, self._key) from error
        # An alias may be given another key at any time, so what counts is which one answered.
        return WrappedKey(PREFIX + answer["KeyId"], answer["CiphertextBlob"])

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Open what was wrapped, as ``KeyProvider`` has it."""
        key = wrapped.key_id.removeprefix(PREFIX)
        try:
            answer = self._client.decrypt(
                KeyId=key,
                CiphertextBlob=wrapped.ciphertext,
                EncryptionContext={_CONTEXT: context.decode()},
            )
        except self._failures as error:
            if _code(error) in ("InvalidCiphertextException", "IncorrectKeyException"):
                raise WrongKeyError(
                    "the wrapped key is altered, or belongs to another item"
                ) from error
            raise self._explained(error, key) from error
        return bytes(answer["Plaintext"])

    def check(self) -> str:
        """Whether the key wraps."""
        self.wrap(b"?", b"check")
        return "keys in AWS KMS"

    def _explained(self, error: Exception, key: str) -> StorageError:
        return StorageError(
            f"the KMS does not use the key {key} ({_code(error) or error}): "
            "check vault_key, the network and the permissions kms:Encrypt and kms:Decrypt; "
            "nothing more is sealed or opened until it does"
        )


def _code(error: Exception) -> str:
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
