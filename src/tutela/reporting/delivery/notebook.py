"""The notebook of a report's attempts: what a crash must not forget, noted by whoever may note.

Each note is one transaction that also sees that the job is still its worker's. A worker that was
thought dead and comes back can note nothing, and so cannot take the next step.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from tutela.evidence.model import ItemId
from tutela.reporting.delivery.channel import Attempt, AttemptId, Outcome, RemoteFile, Step
from tutela.reporting.delivery.throttling import take_turn
from tutela.reporting.finding import find_report
from tutela.reporting.grounds import StillStands, ground_of_report
from tutela.reporting.model import ChannelKind, Environment, ReportId
from tutela.reporting.tables import delivery_attempts, delivery_documents, reports
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.leasing import hold_lease
from tutela.storage.jobs.model import Job, Later
from tutela.storage.kept_secrets import KeptSecrets


class AttemptNotebook:
    """The notes on one report, for the worker that has its job.

    Args:
        database: Where they are.
        secrets: What seals exactly what is sent.
        job: The job by which the worker has the report.
        report: The report.
        channel: By which way it goes.
        authority: To whom.
        environment: How real it is.
        submits_per_minute: How many reports may begin to be sent by this way in a minute.
        clock: The time.
    """

    def __init__(
        self,
        database: Database,
        secrets: KeptSecrets,
        job: Job,
        report: ReportId,
        channel: ChannelKind,
        *,
        authority: str,
        environment: Environment,
        submits_per_minute: int,
        clock: Clock,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._job = job
        self._report = report
        self._channel = channel
        self._authority = authority
        self._environment = environment
        self._submits_per_minute = submits_per_minute
        self._clock = clock

    def begin(self, documents: Mapping[str, bytes]) -> Attempt:
        """As ``channel.Notebook`` says."""
        first = next(iter(documents.values()), b"")
        with self._database.writing() as connection:
            hold_lease(connection, self._job)
            now = self._clock()
            take_turn(connection, self._channel, self._authority, self._submits_per_minute, now)
            row = add_attempt(
                connection,
                self._report,
                self._environment,
                now,
                document_sha256=hashlib.sha256(first).digest(),
            )
            self._keep(connection, AttemptId(row.id), documents)
        return _attempt(row)

    def opened(self, attempt: Attempt, remote_id: str) -> Attempt:
        """As ``channel.Notebook`` says."""
        return self._note(attempt, step=Step.OPENED, remote_id=remote_id, heard_at=self._clock())

    def uploaded(
        self, attempt: Attempt, file: ItemId, remote: RemoteFile, documents: Mapping[str, bytes]
    ) -> Attempt:
        """As ``channel.Notebook`` says."""
        files = {**attempt.files, file: remote}
        return self._note(attempt, documents, files=_written(files), heard_at=self._clock())

    def finishing(self, attempt: Attempt) -> Attempt:
        """As ``channel.Notebook`` says.

        Raises:
            Later: The case was taken back or appealed against while it was sent. It is begun again
                at once, and what was opened is put beyond counting by that.
        """
        with self._database.reading() as connection:
            case = find_report(connection, self._report).case
            if ground_of_report(connection, case) is not StillStands.YES:
                raise Later(self._clock(), "its case has changed while it was being sent")
        return self._note(attempt, step=Step.FINISHING)

    def finished(
        self,
        attempt: Attempt,
        remote_id: str | None = None,
        documents: Mapping[str, bytes] | None = None,
    ) -> Attempt:
        """As ``channel.Notebook`` says."""
        called = remote_id or attempt.remote_id
        return self._note(
            attempt, documents, step=Step.FINISHED, remote_id=called, heard_at=self._clock()
        )

    def abandoned(self, attempt: Attempt) -> Attempt:
        """As ``channel.Notebook`` says."""
        return self._note(attempt, outcome=Outcome.ABANDONED, ended_at=self._clock())

    def left_unknown(self, attempt: Attempt) -> Attempt:
        """Note that an attempt may count, and that nobody can say."""
        return self._note(attempt, outcome=Outcome.UNKNOWN, ended_at=self._clock())

    def _note(
        self, attempt: Attempt, documents: Mapping[str, bytes] | None = None, **values: object
    ) -> Attempt:
        with self._database.writing() as connection:
            hold_lease(connection, self._job)
            row = connection.execute(
                update(delivery_attempts)
                .where(delivery_attempts.c.id == attempt.id)
                .values(values)
                .returning(delivery_attempts)
            ).one()
            self._keep(connection, attempt.id, documents or {})
        return _attempt(row)

    def _keep(
        self, connection: Connection, attempt: AttemptId, documents: Mapping[str, bytes]
    ) -> None:
        for name, content in documents.items():
            connection.execute(
                insert(delivery_documents).values(
                    attempt_id=attempt,
                    name=name,
                    sealed=self._secrets.seal(content, _document_of(attempt, name)),
                )
            )


def add_attempt(
    connection: Connection,
    report: ReportId,
    environment: Environment,
    now: datetime,
    *,
    step: Step = Step.BEGUN,
    **known: object,
) -> Row[Any]:
    """Add the row of one more attempt to send a report.

    Args:
        connection: A transaction that writes.
        report: The report.
        environment: Where to.
        now: When it begins.
        step: How far it is.
        known: What else is known of it, by the columns of ``delivery_attempts``.
    """
    earlier = select(func.count()).where(delivery_attempts.c.report_id == report)
    number = connection.execute(earlier).scalar_one() + 1
    return connection.execute(
        insert(delivery_attempts)
        .values(
            report_id=report,
            number=number,
            begun_at=now,
            environment=environment,
            step=step,
            files={},
            **known,
        )
        .returning(delivery_attempts)
    ).one()


def being_sent_as(
    connection: Connection, authority: str, environment: Environment, number: str, *, but: ReportId
) -> ReportId | None:
    """Another report that an authority was sent by this number, or may have been, if one is known.

    What certainly does not count there has no number any more.
    """
    found = connection.execute(
        select(delivery_attempts.c.report_id)
        .join_from(delivery_attempts, reports)
        .where(
            delivery_attempts.c.remote_id == number,
            delivery_attempts.c.environment == environment,
            delivery_attempts.c.outcome.is_distinct_from(Outcome.ABANDONED),
            delivery_attempts.c.report_id != but,
            reports.c.authority == authority,
        )
        .limit(1)
    ).scalar_one_or_none()
    return None if found is None else ReportId(found)


def attempts_of(connection: Connection, report: ReportId) -> list[Attempt]:
    """Every attempt to send a report, the oldest first."""
    rows = connection.execute(
        select(delivery_attempts)
        .where(delivery_attempts.c.report_id == report)
        .order_by(delivery_attempts.c.number)
    )
    return [_attempt(row) for row in rows]


def unsettled_attempts(connection: Connection, report: ReportId) -> list[Attempt]:
    """Those of which nobody knows yet what became of them, the oldest first."""
    return [each for each in attempts_of(connection, report) if each.outcome is None]


def documents_of(
    connection: Connection, secrets: KeptSecrets, attempt: AttemptId
) -> dict[str, bytes]:
    """Exactly what an attempt sent, by name. It is erased once it is in a receipt.

    Raises:
        StorageError: The sealing key is missing or another one, or what was sealed is altered.
    """
    rows = connection.execute(
        select(delivery_documents)
        .where(delivery_documents.c.attempt_id == attempt)
        .order_by(delivery_documents.c.name)
    )
    return {row.name: secrets.open(row.sealed, _document_of(attempt, row.name)) for row in rows}


def settle(connection: Connection, attempt: AttemptId, outcome: Outcome, at: datetime) -> None:
    """Note in the caller's transaction what became of an attempt."""
    connection.execute(
        update(delivery_attempts)
        .where(delivery_attempts.c.id == attempt)
        .values(outcome=outcome, ended_at=at)
    )


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        id=AttemptId(row.id),
        number=row.number,
        begun_at=row.begun_at,
        environment=Environment(row.environment),
        step=Step(row.step),
        remote_id=row.remote_id,
        files={
            ItemId(item): RemoteFile(told["id"], bytes.fromhex(told["md5"]))
            for item, told in row.files.items()
        },
        heard_at=row.heard_at,
        outcome=None if row.outcome is None else Outcome(row.outcome),
    )


def _written(files: Mapping[ItemId, RemoteFile]) -> dict[str, dict[str, str]]:
    return {item: {"id": remote.id, "md5": remote.md5.hex()} for item, remote in files.items()}


def _document_of(attempt: AttemptId, name: str) -> str:
    return f"delivery-attempt:{attempt}:{name}"
