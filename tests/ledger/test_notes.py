"""Checkpoints are C2SP signed notes, and anything that is not is refused."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tutela.errors import InvalidInputError
from tutela.ledger.merkle import EMPTY_ROOT
from tutela.ledger.notes import Checkpoint, InvalidNoteError, VerifierKey, read_note, sign

# The example of Go's golang.org/x/mod/sumdb/note, from which the C2SP forms come.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb"
    "6KE6RyyBwJnAM=\n"
)

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
CHECKPOINT = Checkpoint("tutela/abc", 1234, b"r" * 32)
VERIFIER = VerifierKey.of("tutela/abc", KEY)
NOTE = sign(CHECKPOINT, KEY).encode()


def test_a_key_has_the_form_and_the_id_of_the_specification() -> None:
    key = VerifierKey.read(GO_KEY)
    assert (key.name, key.id.hex(), str(key)) == ("PeterNeumann", "c74f20a3", GO_KEY)


def test_a_signature_is_that_of_the_specification() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    text, _, signature = GO_NOTE.partition("\n\n")
    raw = base64.b64decode(signature.split(" ")[2])
    key = VerifierKey.read(GO_KEY)
    assert raw[:4] == key.id
    Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], f"{text}\n".encode())
    with pytest.raises(InvalidNoteError, match="no checkpoint"):
        read_note(GO_NOTE.encode(), key)


def test_what_is_signed_is_read_back() -> None:
    assert NOTE.decode().split("\n")[:4] == [
        "tutela/abc",
        "1234",
        base64.b64encode(b"r" * 32).decode(),
        "",
    ]
    assert read_note(NOTE, VERIFIER) == CHECKPOINT
    assert sign(CHECKPOINT, KEY).encode() == NOTE
    assert VerifierKey.read(str(VERIFIER)) == VERIFIER


def test_each_changed_bit_of_a_note_is_refused() -> None:
    for place in range(len(NOTE)):
        for bit in range(8):
            changed = NOTE[:place] + bytes([NOTE[place] ^ 1 << bit]) + NOTE[place + 1 :]
            with pytest.raises(InvalidNoteError):
                read_note(changed, VERIFIER)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
def test_anything_else_is_refused(note: bytes) -> None:
    with pytest.raises(InvalidNoteError):
        read_note(note, VERIFIER)


def test_a_witness_may_sign_too() -> None:
    witness = base64.b64encode(b"wxyz" + b"s" * 64).decode()
    assert read_note(NOTE + f"— witness.example {witness}\n".encode(), VERIFIER) == CHECKPOINT


def test_another_ledgers_or_keys_note_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    with pytest.raises(InvalidNoteError, match="not signed by this ledger's key"):
        read_note(sign(CHECKPOINT, other).encode(), VERIFIER)
    with pytest.raises(InvalidNoteError, match="of the ledger tutela/xyz"):
        read_note(sign(Checkpoint("tutela/xyz", 0, EMPTY_ROOT), KEY).encode(), VERIFIER)


@pytest.mark.parametrize("text", ["", "x", "a+b+c", GO_KEY[:-4], "P" + GO_KEY, GO_KEY[:-1] + "="])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        VerifierKey.read(text)
