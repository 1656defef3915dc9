"""Where the blob store can lock, what is held and what is kept is locked there too."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tests import amazon
from tests.evidence.custody import (
    ANA,
    american_vault,
    blob_of,
    report,
    sealed_item,
    standing,
    state_of,
)
from tutela.errors import StorageError
from tutela.evidence.daily import kinds_of_evidence
from tutela.evidence.destruction import begin, destroy, erase, finish, remove
from tutela.evidence.guarding import GUARD
from tutela.evidence.holds import hold, release
from tutela.evidence.subjects import Subject
from tutela.evidence.tables import evidence_items
from tutela.evidence.vault import Vault
from tutela.storage.database import Database
from tutela.storage.jobs.model import Job
from tutela.storage.jobs.tables import jobs
from tutela.storage.settings import Settings


@pytest.fixture
def vault(settings: Settings, database: Database, amazon_endpoint: str, monkeypatch) -> Vault:
    for name, value in amazon.CREDENTIALS.items():
        monkeypatch.setitem(os.environ, name, value)
    bucket = amazon.new_bucket(amazon_endpoint, locked=True)
    there = {"blob_url": f"s3://{bucket}/vault", "s3_endpoint": amazon_endpoint}
    # The server in Amazon's stead goes by the machine's clock.
    return american_vault(settings.model_copy(update=there), database, lambda: datetime.now(UTC))


def do_guard_jobs(vault: Vault) -> None:
    (guard,) = (each for each in kinds_of_evidence(vault, 3) if each.name == GUARD)
    with vault.database.reading() as connection:
        rows = connection.execute(select(jobs).where(jobs.c.kind == GUARD)).all()
    assert rows
    for row in rows:
        guard.run(Job(row.id, row.kind, row.payload, 1, 1, row.enqueued_at))


def removed(vault: Vault, item: str, *, early: bool = False) -> bool:
    blob, _ = blob_of(vault, item)
    try:
        vault.store.delete(blob, early=early)
    except StorageError:
        return False
    return True


def test_what_is_kept_and_what_is_held_cannot_be_removed_from_the_bucket(vault, new_case) -> None:
    case = new_case()
    item = sealed_item(vault, case, b"one")
    report(vault, case, vault.clock())
    do_guard_jobs(vault)
    assert not removed(vault, item)
    with vault.database.writing() as connection:
        hold(connection, Subject(case), ANA, vault.clock, reference="H", reason="a court")
    do_guard_jobs(vault)
    assert not removed(vault, item, early=True)
    with vault.database.writing() as connection:
        release(connection, Subject(case), ANA, vault.clock, reference="H", reason="over")
    # The order comes before the bucket is told that the hold is over.
    destroy(vault, [item], ANA, reason="a mistake", ordered_by="Order 7")
    assert state_of(vault, item) == "destroyed"
    assert list(vault.store.list()) == []
    do_guard_jobs(vault)


def test_a_kill_after_the_removal_from_the_bucket_is_finished(vault, new_case) -> None:
    case = new_case()
    item = sealed_item(vault, case, b"one")
    long_ago = vault.clock() - timedelta(days=500)
    with vault.database.writing() as connection:
        connection.execute(update(evidence_items).values(sealed_at=long_ago))
    report(vault, case, long_ago)
    do_guard_jobs(vault)
    assert standing(vault, item).due.is_due(vault.clock())
    begin(vault, item, ANA, reason="due")
    erase(vault, item)
    remove(vault, item)
    assert list(vault.store.list()) == []
    assert finish(vault, [item]) == [item]
    assert state_of(vault, item) == "destroyed"


def test_what_is_sealed_into_a_case_that_is_held_is_held_in_the_bucket_too(vault, new_case) -> None:
    case = new_case()
    sealed_item(vault, case, b"one")
    with vault.database.writing() as connection:
        hold(connection, Subject(case), ANA, vault.clock, reference="H", reason="a court")
    item = sealed_item(vault, case, b"sealed later")
    do_guard_jobs(vault)
    assert not removed(vault, item, early=True)
