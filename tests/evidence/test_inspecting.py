"""How long a blob has to be is known from how long its content is."""

import pytest

from tutela.evidence.encrypting import encrypted, new_data_key
from tutela.evidence.inspecting import encrypted_size

FIRST = (1 << 20) - 40 - 16
NEXT = (1 << 20) - 16


@pytest.mark.parametrize(
    "size",
    [0, 1, 1000, FIRST - 1, FIRST, FIRST + 1, 1 << 20, FIRST + NEXT, FIRST + NEXT + 1, 5 << 20],
)
def test_the_encrypted_size_is_the_one_that_is_written(size: int) -> None:
    written = sum(map(len, encrypted([bytes(size)], new_data_key(), b"a")))
    assert written == encrypted_size(size)
