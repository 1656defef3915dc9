"""Checkpoints as signed notes: the forms that transparency logs have agreed on.

A checkpoint (https://c2sp.org/tlog-checkpoint) says how large a tree was and which root it had. It
is the text of a signed note (https://c2sp.org/signed-note), with Ed25519 as the signature.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tutela.errors import InvalidInputError

_ED25519 = b"\x01"
_SIGNATURE = re.compile(r"— (\S+) (\S+)\n")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_HASH_BYTES, _ID_BYTES, _KEY_BYTES = 32, 4, 32


class InvalidNoteError(InvalidInputError):
    """What should be a signed checkpoint is none, or the key's owner did not sign it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed.

    Attributes:
        origin: The ledger's name.
        size: The number of entries.
        root: The root of the tree over them.
    """

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """By what a signature is checked.

    Attributes:
        name: Whose it is: the ledger's name.
        public: The Ed25519 public key, 32 bytes.
    """

    name: str
    public: bytes

    @classmethod
    def of(cls, name: str, key: Ed25519PrivateKey) -> "VerifierKey":
        """The one that belongs to a private key."""
        return cls(name, key.public_key().public_bytes_raw())

    @classmethod
    def read(cls, text: str) -> "VerifierKey":
        """Understand a key in its text form.

        Raises:
            InvalidInputError: It is none.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        decoded = _decoded(encoded)
        if decoded is None or decoded[:1] != _ED25519 or len(decoded) != 1 + _KEY_BYTES or not name:
            raise InvalidInputError(
                'not a verifier key: it looks like NAME+8 hex digits+base64, as "tutela ledger '
                'key" prints it'
            )
        key = cls(name, decoded[1:])
        if key.id.hex() != key_id:
            raise InvalidInputError("the verifier key is mistyped: its parts do not fit together")
        return key

    @property
    def id(self) -> bytes:
        """The four bytes by which signatures name their key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        encoded = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The signed note of a checkpoint. The same checkpoint and key always give the same note."""
    text = checkpoint.text
    signature = VerifierKey.of(checkpoint.origin, key).id + key.sign(text.encode())
    return f"{text}\n— {checkpoint.origin} {base64.b64encode(signature).decode()}\n"


def read_note(note: bytes, verifier: VerifierKey) -> Checkpoint:
    """The checkpoint that a note holds, if it is signed by the verifier's owner.

    Signatures of others, such as witnesses, may stand beside it and are not checked.

    Raises:
        InvalidNoteError: It is no note, no checkpoint, another ledger's, or not signed by this key.
    """
    try:
        text, gap, signatures = note.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise InvalidNoteError("it is not text") from None
    found = _SIGNATURE.findall(signatures)
    if not gap or not found or "".join(f"— {who} {what}\n" for who, what in found) != signatures:
        raise InvalidNoteError("it is no signed note")
    text += "\n"
    checkpoint = _checkpoint(text)
    if checkpoint.origin != verifier.name:
        raise InvalidNoteError(
            "it is of the ledger {origin}, not {name}", origin=checkpoint.origin, name=verifier.name
        )
    for who, what in found:
        signature = _decoded(what)
        ours = signature is not None and signature[:_ID_BYTES] == verifier.id
        if signature is not None and who == verifier.name and ours:
            try:
                Ed25519PublicKey.from_public_bytes(verifier.public).verify(
                    signature[_ID_BYTES:], text.encode()
                )
            except InvalidSignature:
                raise InvalidNoteError("its signature is wrong") from None
            return checkpoint
    raise InvalidNoteError("it is not signed by this ledger's key")


def _checkpoint(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4:
        raise InvalidNoteError("it is no checkpoint")
    origin, size, encoded = lines[:3]
    root = _decoded(encoded)
    if not origin or not _NUMBER.fullmatch(size) or root is None or len(root) != _HASH_BYTES:
        raise InvalidNoteError("it is no checkpoint")
    return Checkpoint(origin, int(size), root)


def _decoded(text: str) -> bytes | None:
    """Base64 that is written in the one right way."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded).decode() == text else None
