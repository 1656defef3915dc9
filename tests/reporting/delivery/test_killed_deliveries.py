"""Workers are killed at every step, and the network fails as well: each report is there once."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select

from tests.evidence.sealing import AT_LENGTH
from tests.reporting.killing import files_of
from tests.reporting.posting import going_to, mark_of, whole
from tutela.cases.states import State as CaseState
from tutela.cases.tables import cases
from tutela.evidence.tables import evidence_items
from tutela.ledger.tables import ledger_entries
from tutela.reporting.delivery.channel import Outcome
from tutela.reporting.delivery.resting import DELIVER
from tutela.reporting.states import State
from tutela.reporting.tables import delivery_attempts, reports
from tutela.storage.database import Database
from tutela.storage.jobs.tables import jobs
from tutela.storage.settings import Settings
from tutela.testing.authority.model import Fault, Spoiling
from tutela.testing.authority.model import State as There
from tutela.testing.authority.serving import Authority, running_authority


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it.

    Attributes:
        given: The number of each report's files, by its case.
        kills: How many children were killed.
    """

    given: dict[str, int]
    kills: int


@pytest.fixture
def authority(tmp_path):
    with running_authority(tmp_path / "authority") as running:
        yield running


def send_and_kill(
    settings: Settings, authority: Authority, how: str, kills: int, first: int = 1
) -> Run:
    way = going_to(settings, authority).reporting.cybertipline
    environment = os.environ | {
        f"TUTELA_REPORTING__CYBERTIPLINE__{name.upper()}": str(value)
        for name, value in (
            ("address", way.address),
            ("user", way.user),
            ("password", authority.password),
            ("timeout_seconds", 20),
            ("submits_per_minute", 6000),
        )
    }
    url = settings.database_url or ""
    arguments = [str(settings.data), url, how, str(kills), str(first)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.reporting.killing", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return Run(
        {line["case"]: line["number"] for line in said if "case" in line},
        sum(line.get("killed", False) for line in said),
    )


def check(settings: Settings, authority: Authority, run: Run) -> None:
    """See that all that was queued is there once, on both sides, and nothing else is."""
    database = Database.open(settings)
    with database.reading() as connection:
        ours = {row.case_id: row for row in connection.execute(select(reports))}
        # One may be told of and be killed before it was queued.
        never = (State.DRAFT, State.SIGNED)
        queued = {case for case, row in ours.items() if row.state not in never}
        stands = Counter(row.state for row in ours.values())
        assert set(stands) <= {State.SENT, *never}, stands
        expected = {case: files_of(number) for case, number in run.given.items() if case in queued}
        there = authority.control.reports()
        assert whole(there, expected) == []
        numbers = {
            mark_of(each): str(each.number) for each in there if each.state is There.FINISHED
        }
        assert {case: ours[case].remote_id for case in queued} == numbers
        assert not connection.execute(select(jobs.c.id).where(jobs.c.kind == DELIVER)).all()
        once = select(ledger_entries.c.case_id, func.count()).where(
            ledger_entries.c.act == "report.sent"
        )
        assert dict(connection.execute(once.group_by(ledger_entries.c.case_id)).all()) == (
            dict.fromkeys(queued, 1)
        )
        sent = select(delivery_attempts.c.report_id).where(
            delivery_attempts.c.outcome == Outcome.SENT
        )
        assert len(connection.execute(sent).all()) == len(queued)
        known = connection.execute(
            select(func.count()).where(delivery_attempts.c.outcome.is_(None))
        ).scalar_one()
        assert known == 0
        for case in queued:
            kept = select(func.count()).where(evidence_items.c.case_id == case)
            assert connection.execute(kept).scalar_one() == len(expected[case]) + 1
        states = select(cases.c.state).where(cases.c.id.in_(queued)).distinct()
        assert connection.execute(states).scalars().all() == [CaseState.CONFIRMED]
    database.close()


KILLS = 420 if AT_LENGTH else 6


def test_killed_at_any_step_it_is_there_once(settings: Settings, authority: Authority) -> None:
    run = send_and_kill(settings, authority, "steps" if AT_LENGTH else "drawn", KILLS)
    check(settings, authority, run)
    assert run.kills


def test_killed_at_any_moment_while_the_network_fails_it_is_there_once(
    settings: Settings, authority: Authority
) -> None:
    for number, spoiling in enumerate(
        (
            Fault(spoiling=Spoiling.HANG_UP),
            Fault(spoiling=Spoiling.DROP),
            Fault(spoiling=Spoiling.DROP, after_effect=True),
            Fault(spoiling=Spoiling.STATUS, status=502, after_effect=True),
            Fault(spoiling=Spoiling.TRUNCATED),
            Fault(spoiling=Spoiling.OTHER_MD5),
        )
    ):
        # A network that never works would keep them for ever: it does for the last ones.
        chosen = {"chance": 0.04, "times": KILLS, "seed": number}
        authority.control.fail(spoiling.model_copy(update=chosen))
    run = send_and_kill(settings, authority, "drawn", KILLS, first=7)
    authority.control.stop_failing()
    rest = send_and_kill(settings, authority, "drawn", 0, first=100_000)
    check(settings, authority, Run(run.given | rest.given, run.kills))


def test_killed_by_the_clock_it_is_there_once(settings: Settings, authority: Authority) -> None:
    run = send_and_kill(settings, authority, "random", KILLS // 2, first=5)
    assert run.given
    check(settings, authority, run)
