"""The world the tests live in: an empty data folder, a clock, and each database in turn."""

import gc
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest

from tests import amazon, made, postgresql
from tests.house import House, running_house
from tests.requirements import missing
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings
from tutela.testing.authority.serving import Authority, running_authority

# Until everything is loaded.
gc.disable()

# A test that waits for its turn on a busy machine has not failed.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")
# `make soak` chooses it.
hypothesis.settings.register_profile("soak", max_examples=2000, deadline=None)


_IN_MEMORY = Path("/dev/shm")
_MUCH_MEMORY = 6 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Have temporary folders in memory where there is plenty: waiting for a disk proves nothing."""
    if config.option.basetemp or "TMPDIR" in os.environ or not _IN_MEMORY.is_mount():
        return
    memory = os.statvfs(_IN_MEMORY)
    free = memory.f_bavail * memory.f_frsize
    if free >= _MUCH_MEMORY and not memory.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = str(_IN_MEMORY)
        tempfile.tempdir = None


# Modules that take a minute or so, whatever the number of their tests: the suite would wait for a
# worker that begins one of them last.
_LONG = (
    "samples/test_start",
    "cli/test_serving",
    "cli/test_evidence",
    "cli/test_scanning",
    "cli/test_jobs",
    "api/test_openapi",
    "benchmarks/test_benchmarks",
    "test_permissions",
    "cli/test_users",
    "ledger/test_verifying",
    "backup/test_making",
    "backup/test_crashes",
    "backup/test_restoring",
    "api/test_slow_storage",
    "delivery/test_killed_deliveries",
    "cli/test_delivery_status",
    "fingerprints/test_pdq.",
    "fingerprints/test_pdq_kernel",
    "matching/test_probing",
    "letters/test_sealed_mail",
)


# These ask what a database does. The others ask what Tutela does with one, which is the same on
# either: where both are not wanted, each of their tests takes one, always the same.
_ON_BOTH = ("storage/", "ledger/", "accounts/", "cases/", "hashlists/", "test_query_plans")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--one-database",
        action="store_true",
        help="where a test is the same on every database, run it on one of them",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have the long modules begin first, and leave out what is not wanted on a second database."""

    def rank(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(_LONG) if name in item.nodeid), len(_LONG))

    items.sort(key=rank)
    if config.option.one_database:
        names = {item.nodeid for item in items}
        spared = {item for item in items if _is_on_another_database(item.nodeid, names)}
        config.hook.pytest_deselected(items=list(spared))
        items[:] = [item for item in items if item not in spared]


def _is_on_another_database(name: str, names: set[str]) -> bool:
    test, bracket, parameters = name.partition("[")
    words = parameters.rstrip("]").split("-")
    chosen = ("sqlite", "postgresql")[zlib.crc32(test.encode()) % 2]
    twin = "-".join(chosen if word in ("sqlite", "postgresql") else word for word in words)
    other = f"{test}{bracket}{twin}]"
    return other != name and other in names and not any(part in name for part in _ON_BOTH)


def pytest_collection_finish() -> None:
    """Look for garbage among what the tests leave, and not among the tests and what they load."""
    gc.collect()
    gc.freeze()
    gc.enable()


class TurnedClock:
    """A clock that stands until a test turns it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture(autouse=True)
def _own_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in list(os.environ):
        if name.startswith("TUTELA_") and not name.startswith(("TUTELA_TEST_", "TUTELA_KERNEL")):
            monkeypatch.delenv(name)
    # An empty file, so that a tutela.toml in the working folder does not reach the tests.
    empty = tmp_path_factory.mktemp("settings") / "tutela.toml"
    empty.touch()
    monkeypatch.setenv("TUTELA_CONFIG", str(empty))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder, not yet made."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    programs = postgresql.find_server()
    if programs is None:
        missing("PostgreSQL", "install it with: apt-get install postgresql")
    with postgresql.running_server(programs) as address:
        yield address


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """An empty database on a real PostgreSQL server."""
    with made.postgresql_database(postgresql_server) as address:
        yield address


@pytest.fixture(scope="session")
def _postgresql_template(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return made.make_template(postgresql_server, tmp_path_factory.mktemp("made") / "data")


@pytest.fixture
def _made_postgresql_url(postgresql_server: str, _postgresql_template: str) -> Iterator[str]:
    with made.postgresql_database(postgresql_server, _postgresql_template) as address:
        yield address


@pytest.fixture(scope="session")
def _made_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.make_file(tmp_path_factory.mktemp("made") / "data")


@pytest.fixture(scope="session")
def amazon_server() -> Iterator[str]:
    """The address of a real server that speaks as S3 and KMS do, and enforces Object Lock."""
    with amazon.running_server() as address:
        yield address


@pytest.fixture
def amazon_endpoint(amazon_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, with what a caller needs to be let in."""
    for name, value in amazon.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return amazon_server


@pytest.fixture(params=["sqlite", "postgresql"])
def new_settings(request: pytest.FixtureRequest, data: Path) -> Settings:
    """Settings of a house in which nothing is yet, on each database in turn."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else None
    return load_settings(data=data, database_url=url, cells=2)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, data: Path) -> Settings:
    """Settings of a house with its own data folder and its tables, on each database in turn."""
    if request.param == "postgresql":
        url = request.getfixturevalue("_made_postgresql_url")
        return load_settings(data=data, database_url=url, cells=2)
    made.copy_file(request.getfixturevalue("_made_file"), data)
    return load_settings(data=data, cells=2)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """An open, empty database with its tables."""
    opened = Database.open(settings)
    # Where a module has settings of its own, there are none yet.
    upgrade(opened, settings.data, tell=lambda _: None)
    yield opened
    opened.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings of a house that the tests of a module share, on each database in turn."""
    data = tmp_path_factory.mktemp("house") / "data"
    if request.param == "sqlite":
        made.copy_file(request.getfixturevalue("_made_file"), data)
        yield load_settings(data=data, cells=2)
        return
    server = request.getfixturevalue("postgresql_server")
    template = request.getfixturevalue("_postgresql_template")
    with made.postgresql_database(server, template) as url:
        yield load_settings(data=data, database_url=url, cells=2)


@pytest.fixture(scope="module")
def shared_database(shared_settings: Settings) -> Iterator[Database]:
    """Its open database."""
    opened = Database.open(shared_settings)
    yield opened
    opened.close()


@pytest.fixture
def make_house(
    settings: Settings, clock: TurnedClock
) -> Callable[..., AbstractContextManager[House]]:
    """Starts a house on each database in turn, with changed settings if any are given."""
    return lambda **changes: running_house(settings.model_copy(update=changes), clock)


@pytest.fixture
def authority(tmp_path: Path, clock: TurnedClock) -> Iterator[Authority]:
    """An authority to which reports can go, whose clock is the test's."""
    with running_authority(tmp_path / "authority", clock=clock) as running:
        yield running
