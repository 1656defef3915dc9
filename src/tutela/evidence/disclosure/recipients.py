"""Reading the public keys that a package is encrypted to.

A recipient file is what ``age -R`` takes: a public key a line (``age1...``, ``ssh-ed25519 ...`` or
``ssh-rsa ...``), with empty lines and ``#`` comments.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pyrage

from tutela.errors import InvalidInputError

_MAX_BYTES = 65_536
_MAX_KEYS = 20


@dataclass(frozen=True, slots=True)
class Recipients:
    """Public keys of those who can open a package; any one of them suffices.

    Attributes:
        text: The keys alone, one a line, in the order of the file.
        keys: The same, ready to encrypt to.
    """

    text: str
    keys: tuple[object, ...]

    @property
    def sha256(self) -> str:
        """What people compare to be sure of a key: of a one-line file, its own SHA-256."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_recipients_file(path: Path) -> Recipients:
    """Read a recipient file.

    Raises:
        InvalidInputError: It cannot be read, or holds no public key, a private one, or garbage.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        text = content.decode()
    except OSError as error:
        raise InvalidInputError(
            "{path}: cannot be read: {strerror}", path=path, strerror=error.strerror
        ) from None
    except UnicodeDecodeError:
        text, content = "", bytes(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise InvalidInputError(
            "{path}: is not a file of age public keys: it should hold {form}", path=path, form=_FORM
        )
    return read_recipients(text, str(path))


def read_recipients(text: str, where: str) -> Recipients:
    """Read public keys, one a line.

    Args:
        text: The lines.
        where: What to call them in an error.

    Raises:
        InvalidInputError: There is no public key, a private one, or garbage. What was given is
            never repeated, since it may be a secret.
    """
    if "AGE-SECRET-KEY-" in text.upper() or "PRIVATE KEY" in text:
        raise InvalidInputError(
            "{where}: this is a private key, which only its owner may have: ask the "
            'authority for the public one ("age-keygen -y" prints it), and tell them that '
            "this one is known now",
            where=where,
        )
    found: dict[str, object] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            # What follows an SSH key is a comment, often somebody's address.
            words = line.split()
            key = " ".join(words[: 2 if words[0].startswith("ssh-") else None])
            found[key] = _read_one(key, f"{where}: line {number}")
    if not found:
        raise InvalidInputError(
            "{where}: there is no public key in it: it should hold {form}", where=where, form=_FORM
        )
    if len(found) > _MAX_KEYS:
        raise InvalidInputError(
            "{where}: holds more than {max_keys} keys: name fewer", where=where, max_keys=_MAX_KEYS
        )
    return Recipients("".join(f"{key}\n" for key in found), tuple(found.values()))


_FORM = '"age1..." or an "ssh-ed25519" or "ssh-rsa" public key on a line'


def _read_one(key: str, where: str) -> object:
    try:
        if key.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(key)
        return pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError:
        pass
    if key.startswith("age1") and key.rfind("1") > len("age"):
        raise InvalidInputError(
            "{where}: keys of age plugins cannot be used here: ask for {form}",
            where=where,
            form=_FORM,
        )
    raise InvalidInputError(
        "{where}: is not a public key, or was cut short or mistyped: it should be {form}",
        where=where,
        form=_FORM,
    )
