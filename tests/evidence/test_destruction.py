"""What is destroyed is gone for good, never by halves, and never without an entry before it."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.evidence.custody import (
    ANA,
    acts,
    american_vault,
    blob_of,
    database_files,
    report,
    reported_item,
    sealed_item,
    state_of,
    stored_blobs,
    wrapped_key_of,
)
from tests.evidence.sealing import opened
from tutela.errors import (
    DamagedEvidenceError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
    StorageError,
)
from tutela.evidence.daily import (
    DESTROY,
    DoubtfulClockError,
    destroy_due,
    due_evidence,
    kinds_of_evidence,
)
from tutela.evidence.destruction import (
    RESUME,
    begin,
    begun_destructions,
    bury,
    destroy,
    erase,
    finish,
    remove,
    scrub,
)
from tutela.evidence.events import record_event
from tutela.evidence.holds import hold, release
from tutela.evidence.retention import EventKind, LegalEvent, Period
from tutela.evidence.standing import standings_of
from tutela.evidence.subjects import Subject
from tutela.evidence.tables import destructions, evidence_items, legal_events
from tutela.evidence.tombstones import check_tombstone
from tutela.evidence.vault import Vault
from tutela.ledger.tables import ledger_reasons
from tutela.storage.database import Database
from tutela.storage.jobs.model import Job, Never
from tutela.storage.jobs.tables import jobs
from tutela.storage.settings import Settings

SOAK = "TUTELA_TEST_SOAK" in os.environ
BOTH_ENTRIES = ["evidence.destruction-begun", "evidence.destroyed"]
CONTENT = b"a landscape with three trees" * 1000


@pytest.fixture
def vault(settings: Settings, database: Database, clock) -> Vault:
    return american_vault(settings, database, clock)


def hold_it(vault: Vault, subject: Subject, reference: str = "H-1") -> None:
    with vault.database.writing() as connection:
        hold(connection, subject, ANA, vault.clock, reference=reference, reason="a court asks")


def release_it(vault: Vault, subject: Subject, reference: str = "H-1") -> None:
    with vault.database.writing() as connection:
        release(connection, subject, ANA, vault.clock, reference=reference, reason="it is over")


def complaint(vault: Vault, item) -> str | None:
    with vault.database.reading() as connection:
        return check_tombstone(connection, item)


def tombstones(vault: Vault, item) -> list:
    with vault.database.reading() as connection:
        rows = select(destructions).where(destructions.c.item_id == item)
        return connection.execute(rows).all()


def test_what_is_due_is_destroyed_with_an_entry_before_and_after(vault, new_case, clock) -> None:
    case = new_case()
    item = reported_item(vault, case, CONTENT)
    clock.turn(days=368)
    assert destroy(vault, [item], ANA, reason="its time is over") == [item]
    assert state_of(vault, item) == "destroyed"
    assert wrapped_key_of(vault, item) is None
    assert stored_blobs(vault) == set()
    with pytest.raises(NotFoundError, match="destroyed"):
        opened(vault, item)
    assert acts(vault, item)[-2:] == BOTH_ENTRIES
    (tombstone,) = tombstones(vault, item)
    proof = json.loads(tombstone.proof)
    assert (proof["item"], proof["case"], proof["size"]) == (item, case, len(CONTENT))
    assert proof["begun_entry"] == tombstone.begun_entry < tombstone.destroyed_entry
    assert complaint(vault, item) is None


def test_what_is_not_due_is_not_destroyed(vault, new_case, clock) -> None:
    item = reported_item(vault, new_case(), CONTENT)
    clock.turn(days=360)
    with pytest.raises(NotPermittedError, match=r"due on 2027-01-18 .*at least 1 year"):
        destroy(vault, [item], ANA, reason="in a hurry")
    assert opened(vault, item) == CONTENT
    assert acts(vault)[-1] == "evidence.event-recorded"


def test_an_order_destroys_what_is_not_due_and_is_kept_as_an_event(vault, new_case) -> None:
    item = sealed_item(vault, new_case(), CONTENT)
    with pytest.raises(InvalidInputError, match="say why"):
        destroy(vault, [item], ANA, reason=" ", ordered_by="Order 7")
    destroy(vault, [item], ANA, reason="sealed by mistake", ordered_by="Order 7")
    assert state_of(vault, item) == "destroyed"
    with vault.database.reading() as connection:
        (event,) = connection.execute(select(legal_events)).all()
        words = list(connection.execute(select(ledger_reasons.c.words)).scalars())
    assert (event.kind, event.reference) == (EventKind.DESTRUCTION_ORDERED, "Order 7")
    assert "ordered by Order 7: sealed by mistake" in words


@pytest.mark.parametrize("on_case", [False, True])
def test_what_is_held_is_not_destroyed_even_by_order(vault, new_case, clock, on_case) -> None:
    case = new_case()
    item = reported_item(vault, case, CONTENT)
    subject = Subject(case, None if on_case else item)
    hold_it(vault, subject)
    clock.turn(days=1000)
    with pytest.raises(NotPermittedError, match="held: H-1"):
        destroy(vault, [item], ANA, reason="due")
    with pytest.raises(NotPermittedError, match="held: H-1: no order destroys it"):
        destroy(vault, [item], ANA, reason="please", ordered_by="Order 7")
    assert due_evidence(vault) == []
    assert opened(vault, item) == CONTENT
    release_it(vault, subject)
    assert due_evidence(vault) == [item]


def test_an_order_waits_for_a_preservation_letter(vault, new_case, clock) -> None:
    case = new_case()
    item = sealed_item(vault, case, CONTENT)
    letter = LegalEvent(EventKind.PRESERVATION_LETTER, clock(), "letter-7", period=Period(days=90))
    with vault.database.writing() as connection:
        record_event(connection, Subject(case), letter, ANA, clock, reason="asked to")
    with pytest.raises(NotPermittedError, match="even by order: the preservation letter letter-7"):
        destroy(vault, [item], ANA, reason="please", ordered_by="Order 7")
    clock.turn(days=93)
    assert destroy(vault, [item], ANA, reason="please", ordered_by="Order 7") == [item]


def test_a_hold_between_the_steps_stops_the_destruction(vault, new_case, clock) -> None:
    case = new_case()
    item = reported_item(vault, case, CONTENT)
    clock.turn(days=368)
    begin(vault, item, ANA, reason="due")
    with pytest.raises(NotFoundError, match="destroying"):
        opened(vault, item)
    hold_it(vault, Subject(case))
    assert finish(vault, [item]) == []
    assert opened(vault, item) == CONTENT
    assert acts(vault, item)[-2:] == ["evidence.destruction-begun", "evidence.destruction-stopped"]
    assert tombstones(vault, item) == []
    release_it(vault, Subject(case))
    assert destroy(vault, [item], ANA, reason="due") == [item]
    assert complaint(vault, item) is None


def test_once_the_key_is_erased_a_hold_comes_too_late_and_says_so(vault, new_case, clock) -> None:
    case = new_case()
    item = reported_item(vault, case, CONTENT)
    clock.turn(days=368)
    begin(vault, item, ANA, reason="due")
    assert erase(vault, item)
    with pytest.raises(NotFoundError, match="cannot be held"):
        hold_it(vault, Subject(case, item))
    assert finish(vault, [item]) == [item]
    with pytest.raises(NotFoundError, match="destroyed"):
        destroy(vault, [item], ANA, reason="again")


def test_a_shared_content_goes_with_the_last_item_that_has_it(vault, new_case, clock) -> None:
    first, second = (reported_item(vault, new_case(), CONTENT) for _ in range(2))
    assert blob_of(vault, first) == blob_of(vault, second)
    clock.turn(days=368)
    destroy(vault, [first], ANA, reason="due")
    assert opened(vault, second) == CONTENT
    assert len(stored_blobs(vault)) == 1
    with pytest.raises(NotFoundError):
        opened(vault, first)
    destroy(vault, [second], ANA, reason="due")
    assert stored_blobs(vault) == set()
    assert [complaint(vault, item) for item in (first, second)] == [None, None]


def test_what_is_sealed_again_while_it_is_destroyed_is_kept(vault, new_case, clock) -> None:
    first = reported_item(vault, new_case(), CONTENT)
    clock.turn(days=368)
    begin(vault, first, ANA, reason="due")
    # Shares the blob, whose key the first one still has.
    second = sealed_item(vault, new_case(), CONTENT)
    assert finish(vault, [first]) == [first]
    assert opened(vault, second) == CONTENT
    assert state_of(vault, first) == "destroyed"
    third = sealed_item(vault, new_case(), CONTENT)
    assert blob_of(vault, third) == blob_of(vault, second)


def test_the_keys_bytes_are_gone_from_every_file_of_sqlite(
    vault, new_case, clock, settings, database
) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL leaves the bytes until the place is used again: see retention.md")
    items = [
        reported_item(vault, new_case(), b"%d" % number * 50)
        for number in range(1000 if SOAK else 40)
    ]
    keys = {item: wrapped_key_of(vault, item) for item in items}
    clock.turn(days=368)
    # Of all places in the table, and with rows between that stay.
    doomed = items[::2]
    destroy(vault, doomed, ANA, reason="due")
    files = database_files(settings)
    assert len(files) >= 2
    for name, content in files.items():
        assert [item for item in doomed if keys[item] in content] == [], name
    everything = b"".join(files.values())
    assert all(keys[item] in everything for item in items[1::2])


def test_a_tombstone_that_was_tampered_with_is_found(vault, new_case, clock, database) -> None:
    item = reported_item(vault, new_case(), CONTENT)
    clock.turn(days=368)
    destroy(vault, [item], ANA, reason="due")
    (tombstone,) = tombstones(vault, item)
    other = tombstone.proof.replace(str(len(CONTENT)), "5")
    for changed, words in (
        ({"proof": other}, "does not attest"),
        ({"begun_entry": 0}, "does not say that it was to be destroyed"),
        ({"destroyed_entry": 0}, "does not attest"),
        ({"proof": None}, "no tombstone"),
    ):
        with database.writing() as connection:
            connection.execute(update(destructions).values(**changed))
        assert words in complaint(vault, item)
        restored = {name: getattr(tombstone, name) for name in changed}
        with database.writing() as connection:
            connection.execute(update(destructions).values(**restored))
    assert complaint(vault, item) is None


# Each step is a transaction, and removing the blob one more effect: killed after each of them.
KILLED = """
import os, signal, sys
from pathlib import Path
from datetime import datetime
from tests.actors import actor_called
from tests.evidence.custody import american_vault
from tutela.evidence import destruction
from tutela.storage.database import Database
from tutela.storage.settings import Settings, load_settings

data, url, now, item, last = sys.argv[1:]
settings = load_settings(data=Path(data), database_url=url or None)
database = Database.open(settings)
vault = american_vault(settings, database, lambda: datetime.fromisoformat(now))


class KilledBefore:
    def __init__(self, store): self.store = store
    def find(self, blob): return self.store.find(blob)
    def hold(self, blob, held): self.store.hold(blob, held=held)
    def delete(self, *args, **rest): os.kill(os.getpid(), signal.SIGKILL)


destruction.begin(vault, item, actor_called("ana"), reason="due")
if last != "begin":
    destruction.erase(vault, item)
if last not in ("begin", "erase"):
    destruction.scrub(vault)
if last == "doom":
    vault.store = KilledBefore(vault.store)
if last in ("doom", "remove", "bury"):
    destruction.remove(vault, item)
if last == "bury":
    destruction.bury(vault, item)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("last", ["begin", "erase", "scrub", "doom", "remove", "bury"])
def test_a_destruction_killed_after_any_step_is_finished_and_has_one_tombstone(
    vault, new_case, clock, settings, last
) -> None:
    item = reported_item(vault, new_case(), CONTENT)
    key = wrapped_key_of(vault, item)
    clock.turn(days=368)
    address = settings.database_url or ""
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            KILLED,
            str(settings.data),
            address,
            clock().isoformat(),
            item,
            last,
        ],
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert acts(vault, item)[-1] == (
        "evidence.destroyed" if last == "bury" else "evidence.destruction-begun"
    )
    with vault.database.reading() as connection:
        assert RESUME in connection.execute(select(jobs.c.kind)).scalars().all()
    run(vault, RESUME)
    run(vault, RESUME)
    assert begun_destructions(vault) == []
    assert state_of(vault, item) == "destroyed"
    assert stored_blobs(vault) == set()
    assert complaint(vault, item) is None
    assert acts(vault, item).count("evidence.destroyed") == 1
    if vault.database.is_sqlite:
        assert all(key not in content for content in database_files(settings).values())


KILLED_AT_ANY_TIME = """
import sys
from datetime import datetime
from pathlib import Path
from tests.actors import actor_called
from tests.evidence.custody import american_vault
from tutela.evidence.daily import due_evidence
from tutela.evidence.destruction import destroy
from tutela.storage.database import Database
from tutela.storage.settings import load_settings

data, url, now = sys.argv[1:]
settings = load_settings(data=Path(data), database_url=url or None)
vault = american_vault(settings, Database.open(settings), lambda: datetime.fromisoformat(now))
print("ready", flush=True)
for item in due_evidence(vault):
    destroy(vault, [item], actor_called("ana"), reason="due")
"""


def test_a_destruction_killed_at_any_time_leaves_nothing_by_halves(
    vault, new_case, clock, settings
) -> None:
    chance = random.Random(4)
    for number in range(300 if SOAK else 2):
        clock.turn(days=1)
        items = [reported_item(vault, new_case(), b"%d %d" % (number, n)) for n in range(8)]
        clock.turn(days=370)
        where = [str(settings.data), settings.database_url or "", clock().isoformat()]
        with subprocess.Popen(
            [sys.executable, "-c", KILLED_AT_ANY_TIME, *where],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
        ) as process:
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.15))
            process.kill()
        finish(vault, begun_destructions(vault))
        assert begun_destructions(vault) == []
        for item in items:
            state = state_of(vault, item)
            if state == "sealed":
                assert opened(vault, item)
                assert tombstones(vault, item) == []
            else:
                assert state == "destroyed"
                assert complaint(vault, item) is None
                assert acts(vault, item)[-2:] == BOTH_ENTRIES
        destroy(vault, due_evidence(vault), ANA, reason="the rest")
        assert stored_blobs(vault) == set()


def test_two_who_destroy_the_same_at_once_leave_one_tombstone(vault, new_case, clock) -> None:
    item = reported_item(vault, new_case(), CONTENT)
    clock.turn(days=368)
    failures: list[Exception] = []

    def run_it() -> None:
        try:
            destroy(vault, [item], ANA, reason="due", passing_over=True)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert acts(vault, item)[-2:] == BOTH_ENTRIES
    assert complaint(vault, item) is None


def test_a_hold_set_while_it_is_destroyed_either_saves_it_or_is_refused(
    vault, new_case, clock
) -> None:
    items = [reported_item(vault, new_case(), b"%d" % number * 9) for number in range(12)]
    with vault.database.reading() as connection:
        standings = standings_of(connection, vault.rules, items, clock())
    cases = {each.item: each.case for each in standings}
    clock.turn(days=368)
    held: set[str] = set()

    def hold_all() -> None:
        for item in reversed(items):
            try:
                hold_it(vault, Subject(cases[item], item))
            except NotFoundError:
                continue
            held.add(item)

    holder = threading.Thread(target=hold_all)
    holder.start()
    for item in items:
        destroy(vault, [item], ANA, reason="due", passing_over=True)
    holder.join()
    for item in items:
        assert state_of(vault, item) == ("sealed" if item in held else "destroyed")
        if item in held:
            opened(vault, item)


# The daily job.


def run(vault: Vault, kind: str, max_gap_days: int = 3) -> None:
    kinds = {each.name: each for each in kinds_of_evidence(vault, max_gap_days)}
    kinds[kind].run(Job(1, kind, {}, 1, 1, vault.clock()))


def test_the_daily_job_destroys_what_is_due_and_nothing_else(vault, new_case, clock) -> None:
    early = reported_item(vault, new_case(), b"early")
    clock.turn(days=10)
    late = reported_item(vault, new_case(), b"late")
    never = sealed_item(vault, new_case(), b"never reported")
    # As far apart as it may be.
    for _ in range(120):
        clock.turn(days=3)
        run(vault, DESTROY)
    assert [state_of(vault, item) for item in (early, late, never)] == [
        "destroyed",
        "sealed",
        "sealed",
    ]
    with vault.database.reading() as connection:
        begun = connection.execute(select(destructions)).one()
    assert (begun.actor_id, begun.ordered_by) == ("tutela", None)


def test_the_first_look_destroys_nothing(vault, new_case, clock) -> None:
    item = reported_item(vault, new_case(), CONTENT)
    clock.turn(days=1000)
    run(vault, DESTROY)
    assert opened(vault, item) == CONTENT
    clock.turn(days=1)
    run(vault, DESTROY)
    assert state_of(vault, item) == "destroyed"


@pytest.mark.parametrize("days", [4, 4000, -2])
def test_a_clock_that_jumped_destroys_nothing_until_a_person_says_it_is_right(
    vault, new_case, clock, days
) -> None:
    item = reported_item(vault, new_case(), CONTENT)
    clock.turn(days=400)
    hold_it(vault, Subject(blob_case(vault, item)))
    run(vault, DESTROY)
    release_it(vault, Subject(blob_case(vault, item)))
    clock.turn(days=days)
    for _ in range(2):
        with pytest.raises(Never, match="destroy --due --yes"):
            run(vault, DESTROY)
        with pytest.raises(DoubtfulClockError, match="Nothing is destroyed"):
            destroy_due(vault, ANA, max_gap_days=3)
    assert opened(vault, item) == CONTENT
    assert destroy_due(vault, ANA, max_gap_days=3, affirmed="the machine was off") == [item]
    assert "clock.affirmed" in acts(vault)
    clock.turn(days=1)
    run(vault, DESTROY)


def blob_case(vault: Vault, item: str) -> str:
    with vault.database.reading() as connection:
        return standings_of(connection, vault.rules, [item], vault.clock())[0].case


def test_the_daily_job_first_finishes_what_was_begun(vault, new_case, clock) -> None:
    item = reported_item(vault, new_case(), CONTENT)
    clock.turn(days=368)
    begin(vault, item, ANA, reason="due")
    erase(vault, item)
    scrub(vault)
    clock.turn(days=100)
    run(vault, DESTROY)
    assert complaint(vault, item) is None
    # Doing any step once more changes nothing.
    before = acts(vault)
    assert not erase(vault, item)
    remove(vault, item)
    bury(vault, item)
    assert acts(vault) == before
    report(vault, blob_case_destroyed(vault, item), clock(), "CT-2")
    assert state_of(vault, item) == "destroyed"


def blob_case_destroyed(vault: Vault, item: str) -> str:
    (tombstone,) = tombstones(vault, item)
    return json.loads(tombstone.proof)["case"]


def test_a_blob_that_cannot_be_removed_keeps_nothing_else_from_being_destroyed(
    vault, new_case, clock, settings
) -> None:
    stuck = reported_item(vault, new_case(), CONTENT)
    others = [reported_item(vault, new_case(), CONTENT + bytes([each])) for each in range(3)]
    name = blob_of(vault, stuck)[0]
    path = settings.data / "vault" / name[:2] / name
    # A folder in the place of a file is what the store cannot remove.
    path.unlink()
    path.mkdir()
    destroy_due(vault, ANA, max_gap_days=10_000)
    clock.turn(days=368)
    with pytest.raises(StorageError):
        run(vault, DESTROY, max_gap_days=10_000)
    assert state_of(vault, stuck) == "destroying"
    assert [state_of(vault, each) for each in others] == ["destroyed"] * 3
    later = reported_item(vault, new_case(), CONTENT + b"later")
    clock.turn(days=368)
    with pytest.raises(StorageError):
        run(vault, DESTROY, max_gap_days=10_000)
    assert state_of(vault, later) == "destroyed"
    path.rmdir()
    run(vault, DESTROY, max_gap_days=10_000)
    assert state_of(vault, stuck) == "destroyed"
    assert complaint(vault, stuck) is None


@pytest.mark.parametrize("erased", [False, True])
def test_an_item_that_nobody_began_to_destroy_is_named_and_stops_nothing(
    vault, new_case, clock, erased
) -> None:
    odd = reported_item(vault, new_case(), CONTENT)
    due = reported_item(vault, new_case(), CONTENT + b"due")
    destroy_due(vault, ANA, max_gap_days=10_000)
    clock.turn(days=368)
    row = update(evidence_items).where(evidence_items.c.id == odd).values(state="destroying")
    with vault.database.writing() as connection:
        connection.execute(row.values(wrapped_key=None, key_id=None) if erased else row)
    with pytest.raises(DamagedEvidenceError, match=odd):
        run(vault, DESTROY, max_gap_days=10_000)
    assert state_of(vault, odd) == "destroying"
    assert state_of(vault, due) == "destroyed"
