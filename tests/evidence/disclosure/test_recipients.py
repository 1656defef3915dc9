"""Only public keys are taken, and what is no public key is never repeated."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence.disclosure.authority import Authority
from tutela.errors import InvalidInputError
from tutela.evidence.disclosure.recipients import read_recipients, read_recipients_file

KEY = "age1jw48gptpw649dx3gul60qupapw0d4x38jydrkqqv2xhq0m62p35qrt8tg9"


def test_a_key_is_read_without_what_stands_around_it() -> None:
    read = read_recipients(f"# of the police\n\n  {KEY}  \r\n", "f")
    assert read.text == f"{KEY}\n"
    assert len(read.keys) == 1


def test_the_fingerprint_is_what_sha256sum_says_of_a_plain_key_file() -> None:
    assert (
        read_recipients(KEY, "f").sha256
        == read_recipients(f"# comment\n{KEY}\n{KEY}\n", "f").sha256
        == hashlib.sha256(f"{KEY}\n".encode()).hexdigest()
    )


def test_several_keys_may_open_one_package(tmp_path: Path) -> None:
    other = Authority(tmp_path)
    assert len(read_recipients(f"{KEY}\n{other.key}\n", "f").keys) == 2


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_ssh_keys_are_taken_without_their_owners_address(tmp_path: Path, kind: str) -> None:
    made = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "officer@example.org", "-f"]
    subprocess.run([*made, tmp_path / "key"], check=True)
    read = read_recipients_file(tmp_path / "key.pub")
    assert read.text.startswith(f"ssh-{kind} AAAA")
    assert "officer" not in read.text


def test_a_private_key_is_refused_and_not_repeated(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    secret = next(
        line for line in authority.private.read_text().splitlines() if line.startswith("AGE-SECRET")
    )
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True
    )
    pasted = tmp_path / "pasted"
    pasted.write_text(f"{authority.key}\n{secret.lower()}\n")
    for file in (authority.private, tmp_path / "k", pasted):
        with pytest.raises(InvalidInputError, match="this is a private key") as refused:
            read_recipients_file(file)
        assert secret[20:] not in refused.value.message.upper()
        assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "there is no public key in it"),
        ("# only words", "there is no public key in it"),
        ("hello", "line 1: is not a public key"),
        (f"{KEY}\n{KEY[:-1]}", "line 2: is not a public key, or was cut short"),
        (KEY.replace("q", "p", 1), "mistyped"),
        ("ssh-ed25519", "line 1: is not a public key"),
        ("ecdsa-sha2-nistp256 AAAAE2VjZHNh", "line 1: is not a public key"),
        ("age1yubikey1qwertyuiop", "age plugins"),
    ],
)
def test_what_is_no_public_key_is_explained(text: str, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        read_recipients(text, "f")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_garbage_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(InvalidInputError):
        read_recipients(text, "f")


def test_a_file_that_cannot_be_one_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read: No such file"):
        read_recipients_file(tmp_path / "absent")
    with pytest.raises(InvalidInputError, match="cannot be read: Is a directory"):
        read_recipients_file(tmp_path)
    for content in (b"\xff\xfe\x00", KEY.encode() * 10_000):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(InvalidInputError, match="is not a file of age public keys"):
            read_recipients_file(tmp_path / "f")
