"""What a test needs from its machine, and what happens where that is missing."""

import os
from typing import NoReturn

import pytest


def missing(what: str, remedy: str) -> NoReturn:
    """Skip the test, or fail it where TUTELA_TEST_EVERYTHING says that nothing may be missing."""
    message = f"{what} is not on this machine; {remedy}"
    if os.environ.get("TUTELA_TEST_EVERYTHING") == "1":
        pytest.fail(message)
    pytest.skip(message)
