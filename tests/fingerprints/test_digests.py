"""Three digests in one pass."""

import hashlib
import io

from hypothesis import given
from hypothesis import strategies as st

from tutela.fingerprints.digests import digests_of


@given(st.binary(max_size=5000))
def test_the_digests_are_those_of_hashlib(content: bytes) -> None:
    digests = digests_of(content)
    assert digests.size == len(content)
    assert digests.md5 == hashlib.md5(content).digest()
    assert digests.sha1 == hashlib.sha1(content).digest()
    assert digests.sha256 == hashlib.sha256(content).digest()


def test_a_file_longer_than_one_read_has_the_digests_of_its_bytes() -> None:
    content = bytes(range(256)) * 20_000
    assert digests_of(io.BytesIO(content)) == digests_of(content) == digests_of(memoryview(content))


def test_a_file_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"head and tail")
    file.seek(9)
    assert digests_of(file) == digests_of(b"tail")
