"""Reports on their way to the sandbox authority, for the tests of sending them."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.cases.world import OPERATOR
from tests.reporting.world import World
from tutela.cases.model import CaseId
from tutela.reporting.delivery.queueing import queue
from tutela.reporting.jobs import kinds_of_reports
from tutela.reporting.model import ReportFile, ReportId
from tutela.reporting.states import Move
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import Kinds, kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.settings import Settings
from tutela.testing.authority.model import Report as Arrived
from tutela.testing.authority.model import State
from tutela.testing.authority.serving import Authority

DETAILS = json.dumps({"file_viewed_by_esp": None, "exif_viewed_by_esp": None}).encode()


def going_to(settings: Settings, authority: Authority, **changes: object) -> Settings:
    """The settings of a house whose reports go to this sandbox."""
    way = {
        "address": authority.base,
        "user": authority.user,
        "password": authority.password,
        "timeout_seconds": 5,
        "submits_per_minute": 6000,
        **changes,
    }
    reporting = settings.reporting.model_dump() | {"cybertipline": way}
    changed = type(settings.reporting).model_validate(reporting)
    return settings.model_copy(update={"reporting": changed})


def content(marked: str) -> bytes:
    """What a short report says, with a mark by which it is known again."""
    return json.dumps(
        {
            "incident_summary": {
                "incident_type": "misleading_domain",
                "incident_date_time": "2026-01-14T09:00:00+00:00",
            },
            "reporter": {"reporting_person": {"emails": [{"address": "desk@house.example"}]}},
            "additional_info": f"mark:{marked}:",
        }
    ).encode()


@dataclass(frozen=True, slots=True)
class Post:
    """A house and the authority that its reports go to."""

    world: World
    authority: Authority
    settings: Settings
    kinds: Kinds

    @classmethod
    def between(cls, world: World, authority: Authority, **changes: object) -> "Post":
        settings = going_to(world.settings, authority, **changes)
        kinds = kinds_by_name(kinds_of_reports(settings, world.vault, world.clock))
        return cls(world, authority, settings, kinds)

    def report(self, *contents: bytes, says: Callable[[CaseId], bytes] = content) -> ReportId:
        """A queued report of a new case with these files, marked with the case's number."""
        case = self.world.case(*contents)
        files = [ReportFile(each.item, each.evidence, DETAILS) for each in self.world.files(case)]
        report = self.world.draft(case, says(case), files)
        self.world.move(report, Move.SIGN)
        self.queue(report)
        return report

    def queue(self, report: ReportId) -> None:
        with self.world.database.writing() as connection:
            queue(connection, self.settings, report, OPERATOR, self.world.clock)

    def work(self, most: int = 100) -> int:
        """Do every job that is due, until none is; counts them."""
        done = 0
        while jobs := claim(
            self.world.database, self.kinds, self.world.clock, most=most, worker="test:1"
        ):
            for job in jobs:
                failures: list[Exception] = []
                perform(
                    self.world.database,
                    job,
                    self.kinds[job.kind],
                    self.world.clock,
                    lambda _, failure, failures=failures: failures.append(failure),
                )
                if failures:
                    raise failures[0]
                done += 1
        return done


def mark_of(report: Arrived) -> str:
    """The case that a report at the authority is of."""
    return report.document.split("mark:")[1].split(":")[0]


def whole(arrived: Sequence[Arrived], expected: dict[str, list[bytes]]) -> list[str]:
    """What is wrong at the authority: lost, there twice, with a file missing or another one."""
    finished = [each for each in arrived if each.state is State.FINISHED]
    counts = Counter(mark_of(each) for each in finished)
    wrong = [f"lost: {each}" for each in expected if not counts[each]]
    wrong += [f"twice: {each}" for each, count in counts.items() if count > 1]
    wrong += [f"unknown: {each}" for each in counts if each not in expected]
    for each in finished:
        digests = sorted(file.md5 for file in each.files)
        meant = sorted(hashlib.md5(one).hexdigest() for one in expected.get(mark_of(each), []))
        if digests != meant:
            wrong.append(f"files: {mark_of(each)}")
        if not all(file.details and file.times_detailed == 1 for file in each.files):
            wrong.append(f"details: {mark_of(each)}")
    return wrong
