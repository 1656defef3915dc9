"""Whoever is killed, and when: no job is lost, and none takes effect twice."""

import os
import random
import signal
import time
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.conftest import TurnedClock
from tests.storage.jobs import hands
from tests.waiting import comes_true
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.scheduling import catch_up
from tutela.storage.jobs.tending import count_by_state, kept_jobs
from tutela.storage.settings import Settings

SOAK = "TUTELA_TEST_SOAK" in os.environ
KILLS = 1000 if SOAK else 20
FACTS = 30
# How many facts follow from the first one in the story that is killed at every step.
FURTHER = 1 if SOAK else 0


def effects(database: Database) -> Counter[str]:
    with database.reading() as connection:
        return Counter(connection.execute(text("SELECT name FROM effects")).scalars().all())


def facts(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(connection.execute(text("SELECT name FROM facts")).scalars().all())


def waiting(database: Database) -> int:
    with database.reading() as connection:
        return sum(count_by_state(connection).values())


@pytest.mark.timeout(1200)
def test_four_workers_killed_at_random_lose_no_job_and_do_none_twice(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    hands.make_tables(database)
    noted: set[str] = set()

    def note(count: int) -> None:
        for _ in range(count):
            name = f"fact {len(noted)}"
            with database.writing() as connection:
                hands.note_fact(connection, name, 1, system_clock)
            noted.add(name)

    workers = [hands.started(hands.do_jobs, settings) for _ in range(4)]
    try:
        note(FACTS)
        for _ in range(KILLS):
            time.sleep(random.uniform(0.02, 0.12))
            if waiting(database) < FACTS:
                note(5)
            unlucky = workers.pop(random.randrange(len(workers)))
            assert unlucky.is_alive()
            unlucky.kill()
            unlucky.join()
            workers.append(hands.started(hands.do_jobs, settings))
        assert comes_true(lambda: waiting(database) == 0, seconds=120)
    finally:
        for worker in workers:
            worker.kill()
    # Each fact was followed by another, noted by whoever did its job.
    assert facts(database) == noted | {f"{name}+" for name in noted}
    assert effects(database) == dict.fromkeys(facts(database), 1)
    with database.reading() as connection:
        exceeded = connection.execute(text("SELECT count(*) FROM too_many")).scalar_one()
        leases = connection.execute(text("SELECT sum(token) FROM effects")).scalar_one()
    assert exceeded == 0
    done = len(facts(database))
    with capsys.disabled():
        where = "SQLite" if database.is_sqlite else "PostgreSQL"
        print(f"\n{where}: {KILLS} kills, {done} jobs done once each in {leases} leases")  # noqa: T201


def test_a_worker_killed_at_any_step_leaves_all_or_nothing_of_it(
    database: Database, settings: Settings, clock: TurnedClock
) -> None:
    hands.make_tables(database)
    with database.writing() as connection:
        catch_up(connection, hands.steps(database, clock)["sweep"], clock)
    died, begin = 0, clock.now
    while True:
        clock.now = begin + timedelta(days=died + 1)
        name = f"fact {died}"
        story = hands.started(hands.live_until, settings, name, FURTHER, clock(), died + 1)
        story.join()
        # Whoever comes next takes back what the dead one held, and does it.
        for _ in range(3):
            clock.turn(minutes=2)
            with database.writing() as connection:
                catch_up(connection, hands.steps(database, clock)["sweep"], clock)
            hands.finish_story(database, clock)
        with database.reading() as connection:
            assert kept_jobs(connection) == []
        whole = name in facts(database)
        wanted = {name, *(f"{name}+" for _ in range(FURTHER))} if whole else set()
        done = effects(database)
        assert {each for each in done if each.startswith(name)} == wanted
        assert set(done.values()) <= {1, died + 1}
        assert done["sweep"] == died + 1
        if story.exitcode != -signal.SIGKILL:
            assert story.exitcode == 0
            break
        died += 1
    assert died > 30
