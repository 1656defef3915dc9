"""An authority that the tests of a module share, and one of its callers."""

from collections.abc import Iterator

import pytest

from tests.testing.authority.caller import Caller
from tutela.testing.authority.forms import Arrived
from tutela.testing.authority.serving import Authority, running_authority

MOST_FILE_BYTES = 1_000_000


@pytest.fixture(scope="module")
def shared_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    folder = tmp_path_factory.mktemp("authority")
    with running_authority(folder, most_file_bytes=MOST_FILE_BYTES) as running:
        yield running


@pytest.fixture
def authority(shared_authority: Authority) -> Authority:
    """The same, as if nobody had called it."""
    shared_authority.control.forget_all()
    return shared_authority


@pytest.fixture
def caller(authority: Authority) -> Iterator[Caller]:
    with Caller(authority.base, authority.user, authority.password) as calling:
        yield calling


@pytest.fixture
def arrived() -> Arrived:
    """A file, as the registry hears of it."""
    return Arrived("lake.jpg", 6, "0" * 32, "0" * 64)
