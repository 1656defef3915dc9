"""A decision is there whole or not at all, whenever the process that takes it is killed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from tests.cases.world import OPERATOR, state_of
from tutela.cases.deciding import decisions_of
from tutela.cases.model import read_case_id
from tutela.cases.queue import next_case
from tutela.cases.states import State
from tutela.cases.tables import cases
from tutela.ledger.tables import ledger_entries
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.jobs.tables import jobs
from tutela.storage.migration import upgrade
from tutela.storage.settings import load_settings

KILLS = 100 if os.environ.get("TUTELA_TEST_SOAK") else 4
DECIDES = """
import sys
from tests.cases.world import OPERATOR, a_case
from tutela.cases.deciding import Decision, decide
from tutela.cases.grounds import Basis
from tutela.cases.moving import take
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import load_settings

settings = load_settings(data=sys.argv[1])
database = Database.open(settings)
while True:
    case = a_case(database, system_clock)
    with database.writing() as connection:
        hold = take(connection, case, OPERATOR, system_clock, 15).number
    with database.writing() as connection:
        decide(connection, case, Decision.CONFIRMED, OPERATOR, system_clock, settings, hold=hold,
               basis=Basis.READ)
    sys.stdout.write(case + "\\n")
    sys.stdout.flush()
"""


def test_a_killed_process_leaves_decisions_whole(data: Path) -> None:
    settings = load_settings(data=data)
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    chance = random.Random(5)
    acknowledged: list[str] = []
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", DECIDES, str(data)], stdout=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout
            acknowledged.append(running.stdout.readline().strip())
            time.sleep(chance.uniform(0, 0.3))
            running.send_signal(signal.SIGKILL)
            acknowledged += running.stdout.read().split()
    assert len(acknowledged) >= KILLS
    for case in acknowledged:
        assert state_of(database, read_case_id(case)) is State.CONFIRMED
    with database.reading() as connection:
        numbers = connection.execute(select(cases.c.id, cases.c.state)).all()
        for row in numbers:
            confirmed = connection.execute(
                select(func.count()).where(
                    ledger_entries.c.case_id == row.id, ledger_entries.c.thing == "move:confirm"
                )
            ).scalar_one()
            decided = len(decisions_of(connection, row.id))
            assert decided == confirmed == (row.state == State.CONFIRMED)
        count = select(func.count()).where(jobs.c.kind == "case.take-effect")
        effects = connection.execute(count).scalar_one()
    assert effects == sum(row.state == State.CONFIRMED for row in numbers)
    # What somebody had taken when they were killed is the next one's, once their time is over.
    held = [row.id for row in numbers if row.state == State.IN_REVIEW]
    with database.writing() as connection:
        connection.execute(
            cases.update().where(cases.c.id.in_(held)).values(held_until=system_clock())
        )
    for _ in held:
        with database.writing() as connection:
            hold = next_case(connection, OPERATOR, system_clock, settings)
        assert hold is not None
    database.close()
