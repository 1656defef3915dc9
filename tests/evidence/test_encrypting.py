"""What is encrypted opens as it was or not at all."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.evidence.sealing import AT_LENGTH
from tutela.errors import StorageError
from tutela.evidence.encrypting import AlteredError, decrypted, encrypted, new_data_key
from tutela.evidence.model import WrongKeyError

KEY = new_data_key()


def sealed(content: bytes, key: bytes = KEY, bound_to: bytes = b"a") -> bytes:
    return b"".join(encrypted([content], key, bound_to))


def opened(ciphertext: bytes, key: bytes = KEY, bound_to: bytes = b"a") -> bytes:
    return b"".join(decrypted([ciphertext], key, bound_to))


@given(st.lists(st.binary(max_size=5000), max_size=20), st.integers(1, 4000), st.binary())
def test_any_chunks_come_back_however_they_are_cut(
    chunks: list[bytes], cut: int, bound_to: bytes
) -> None:
    ciphertext = b"".join(encrypted(chunks, KEY, bound_to))
    pieces = [ciphertext[start : start + cut] for start in range(0, len(ciphertext), cut)]
    assert b"".join(decrypted(pieces, KEY, bound_to)) == b"".join(chunks)


@examples(max_examples=200 if AT_LENGTH else 20)
@given(st.integers(0, 5 << 20), st.integers(1, 3 << 20))
def test_any_size_comes_back_over_the_borders_of_segments(size: int, cut: int) -> None:
    content = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    chunks = [content[start : start + cut] for start in range(0, size, cut)]
    assert b"".join(decrypted(encrypted(chunks, KEY, b"a"), KEY, b"a")) == content


def test_each_flipped_bit_is_found() -> None:
    content = bytes(range(256)) * (16 if AT_LENGTH else 4)
    ciphertext = bytearray(sealed(content))
    missed = []
    for place in range(len(ciphertext) * 8):
        ciphertext[place // 8] ^= 1 << place % 8
        try:
            opened(bytes(ciphertext))
            missed.append(place)
        except AlteredError:
            pass
        ciphertext[place // 8] ^= 1 << place % 8
    assert missed == []
    assert opened(bytes(ciphertext)) == content


def test_each_truncation_is_found() -> None:
    ciphertext = sealed(b"some words" * 40)
    for length in range(len(ciphertext)):
        with pytest.raises(AlteredError):
            opened(ciphertext[:length])


def test_what_is_cut_off_or_put_in_at_the_border_of_a_segment_is_found() -> None:
    segment = 1 << 20
    ciphertext = sealed(bytes(5 * segment))
    for altered in (
        ciphertext[:segment],
        ciphertext[: 2 * segment],
        ciphertext[: 2 * segment] + ciphertext[3 * segment :],
        ciphertext[:segment] + ciphertext[2 * segment : 3 * segment] + ciphertext[segment:],
        ciphertext + ciphertext[-100:],
        ciphertext + b"x",
    ):
        with pytest.raises(AlteredError):
            opened(altered)


def test_another_key_or_another_name_does_not_open_it() -> None:
    ciphertext = sealed(b"some words")
    with pytest.raises(AlteredError):
        opened(ciphertext, key=new_data_key())
    with pytest.raises(AlteredError):
        opened(ciphertext, bound_to=b"b")
    with pytest.raises(WrongKeyError):
        opened(ciphertext, key=b"no key")


def test_what_breaks_off_never_opens() -> None:
    def breaking_off() -> Iterator[bytes]:
        yield b"x" * 100
        yield b"x" * (3 << 20)
        raise ZeroDivisionError

    written = []
    with pytest.raises(ZeroDivisionError):
        written.extend(encrypted(breaking_off(), KEY, b"a"))
    with pytest.raises(AlteredError):
        opened(b"".join(written))


def test_a_source_that_fails_says_so_itself() -> None:
    ciphertext = sealed(bytes(3 << 20))

    def failing() -> Iterator[bytes]:
        yield ciphertext[:100]
        raise StorageError("the disk fails")

    with pytest.raises(StorageError, match="the disk fails"):
        list(decrypted(failing(), KEY, b"a"))


def test_no_two_ciphertexts_are_alike() -> None:
    assert sealed(b"some words") != sealed(b"some words")
    assert len({new_data_key() for _ in range(100)}) == 100
