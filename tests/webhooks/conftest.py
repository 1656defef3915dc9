"""A house that may tell a receiver on this machine."""

from collections.abc import Callable, Iterator
from ipaddress import ip_network

import pytest

from tests.actors import actor_called
from tests.webhooks.receiver import Receiver, running_receiver
from tutela.storage.database import Database
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.settings import Settings, Webhooks
from tutela.webhooks.endpoints import Added, add_endpoint
from tutela.webhooks.jobs import kinds_of_webhooks
from tutela.webhooks.model import CHOOSABLE

ACTOR = actor_called("cli:tester")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    own = Webhooks(private_networks=(ip_network("127.0.0.0/8"),), timeout_seconds=2)
    return settings.model_copy(update={"webhooks": own})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture
def added(settings: Settings, database: Database, clock, receiver: Receiver) -> Added:
    """A webhook that tells the receiver of everything."""
    with database.writing() as connection:
        made = add_endpoint(
            connection, settings, ACTOR, clock, name="forum", url=receiver.address, events=CHOOSABLE
        )
    receiver.secrets.append(made.secret)
    return made


@pytest.fixture
def work(settings: Settings, database: Database, clock) -> Callable[[], None]:
    """Does every job that is due, until none is."""
    kinds = kinds_by_name(kinds_of_webhooks(settings, database, clock))

    def work_all() -> None:
        while jobs := claim(database, kinds, clock, most=100, worker="test:1"):
            for job in jobs:
                perform(database, job, kinds[job.kind], clock, lambda *_: None)

    return work_all
