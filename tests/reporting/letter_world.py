"""Reports of a house that go by mail or by webhook, and their authority."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cases.world import OPERATOR
from tests.evidence.disclosure.authority import Authority
from tests.reporting.packages.letters import REPORT
from tests.reporting.world import World
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.reporting.delivery.channel import Attempt, Channel
from tutela.reporting.delivery.channels import Channels
from tutela.reporting.delivery.delivering import delivering
from tutela.reporting.delivery.notebook import attempts_of
from tutela.reporting.delivery.queueing import queue
from tutela.reporting.delivery.resting import DELIVER, ChannelState, channel_state
from tutela.reporting.finding import find_report
from tutela.reporting.letters.letters import Addressee
from tutela.reporting.model import ChannelKind, Report, ReportId
from tutela.reporting.states import Move
from tutela.storage.jobs.leasing import claim
from tutela.storage.jobs.model import kinds_by_name
from tutela.storage.jobs.performing import perform
from tutela.storage.jobs.tending import kept_jobs

AUTHORITY = "xx-police"
DETAILS = json.dumps({"file_viewed_by_esp": None, "exif_viewed_by_esp": None}).encode()


@dataclass
class LetterWorld:
    """What the tests of letters need.

    Attributes:
        world: The house.
        authority: Who opens what it sends.
        kind: By which way.
        channel: The way.
        failures: What went wrong in jobs.
    """

    world: World
    authority: Authority
    kind: ChannelKind
    channel: Channel
    failures: list[Exception] = field(default_factory=list)

    def queued(self, *contents: bytes, content: bytes | None = None) -> ReportId:
        """A report of a case with these files, waiting to be sent."""
        world = self.world
        case = world.case(*(contents or (b"a landscape",)))
        report = world.draft(
            case,
            content or REPORT.model_dump_json().encode(),
            world.files(case, DETAILS),
            authority=AUTHORITY,
            channel=self.kind,
        )
        world.move(report, Move.SIGN)
        self.queue(report)
        return report

    def queue(self, report: ReportId) -> None:
        with self.world.database.writing() as connection:
            queue(connection, self.world.settings, report, OPERATOR, self.world.clock)

    def work(self) -> None:
        """Do every job that is due, once."""
        world = self.world
        channels = Channels(world.settings, {self.kind: lambda _: self.channel})
        kinds = kinds_by_name([delivering(world.settings, world.vault, channels, world.clock)])
        for job in claim(world.database, kinds, world.clock, most=100, worker="test:1"):
            perform(
                world.database,
                job,
                kinds[job.kind],
                world.clock,
                lambda _, error: self.failures.append(error),
            )

    def later(self, **by: float) -> None:
        """Some time passes, and what is due is done."""
        self.world.clock.turn(**(by or {"hours": 13}))  # type: ignore[attr-defined]
        self.work()

    def report(self, report: ReportId) -> Report:
        with self.world.database.reading() as connection:
            return find_report(connection, report)

    def attempts(self, report: ReportId) -> list[Attempt]:
        with self.world.database.reading() as connection:
            return attempts_of(connection, report)

    def outcomes(self, report: ReportId) -> list[str | None]:
        return [each.outcome for each in self.attempts(report)]

    def state(self) -> ChannelState:
        with self.world.database.reading() as connection:
            return channel_state(connection, self.kind, AUTHORITY)

    def why_it_waits(self) -> str:
        with self.world.database.reading() as connection:
            (job,) = [each for each in kept_jobs(connection) if each.kind == DELIVER]
        return job.error or ""

    def opened(self, package: bytes, into: Path) -> Path:
        """What the authority finds in a package."""
        into.mkdir(parents=True)
        file = into / "package.tar.age"
        file.write_bytes(package)
        return self.authority.open(file, into / "opened")

    def document(self, package: bytes, into: Path) -> dict[str, Any]:
        told = json.loads((self.opened(package, into) / "report.json").read_text())
        assert isinstance(told, dict)
        return told


def addressee(authorities: Sequence[Authority]) -> Addressee:
    keys = "\n".join(each.key for each in authorities)
    return Addressee("State Police of Example", read_recipients(keys, "f"))
