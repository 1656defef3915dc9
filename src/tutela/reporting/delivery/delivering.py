"""Sending one report, so that the authority has it exactly once.

1. What earlier attempts came to is found out first: one that counts is recorded, and nothing is
   sent; one that does not is put beyond counting. Only then may it be sent again.
2. Its case still stands as it was signed for, every file is read, and is what the case's record
   says.
3. The channel sends it, noting each step before the next one.
4. One transaction ends it: the receipt, the state, the ledger; and, if it is no rehearsal, the case
   and the retention clock.

Killed anywhere, the next worker begins at 1.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from tutela.cases.model import CaseId
from tutela.cases.moving import BY_ITSELF, become_reported, lock_case
from tutela.cases.moving import enter_move as enter_case_move
from tutela.cases.states import Move as CaseMove
from tutela.errors import LeaseLostError, NotFoundError, OutOfTurnError, StorageError
from tutela.evidence.events import report_finished
from tutela.evidence.model import Sealed, new_item_id
from tutela.evidence.subjects import Subject, lock_evidence
from tutela.evidence.vault import StaleSealError, Vault
from tutela.ledger.model import SYSTEM
from tutela.reporting.content import content_of, files_of
from tutela.reporting.corrected import check_corrected
from tutela.reporting.delivery.alerting import tell_of_stop
from tutela.reporting.delivery.channel import (
    Attempt,
    Channel,
    NeedsPersonError,
    Outcome,
    Receipt,
    Sending,
    Step,
    TryLaterError,
    WrongCredentialsError,
)
from tutela.reporting.delivery.channels import Channels
from tutela.reporting.delivery.checking_files import check_files, files_by_record
from tutela.reporting.delivery.notebook import (
    AttemptNotebook,
    attempts_of,
    documents_of,
    settle,
)
from tutela.reporting.delivery.queueing import environment_of, report_of_job, require_live
from tutela.reporting.delivery.receipts import written_receipt
from tutela.reporting.delivery.resting import (
    DELIVER,
    channel_state,
    is_ahead,
    note_failed,
    note_through,
    own_wait,
    rest_of,
    stop_channel,
)
from tutela.reporting.delivery.throttling import minute_is_full, stand_in_line
from tutela.reporting.finding import find_report
from tutela.reporting.grounds import StillStands, ground_of_report
from tutela.reporting.model import Environment, Report, ReportFile, ReportId
from tutela.reporting.moving import change_state, enter_move
from tutela.reporting.states import Move, State
from tutela.reporting.tables import reports
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.jobs.finishing import finish
from tutela.storage.jobs.leasing import hold_lease
from tutela.storage.jobs.model import Job, Kind, Later
from tutela.storage.kept_secrets import KeptSecrets
from tutela.storage.settings import Settings

_AT_ONCE = 4
_LONGEST_WAIT = 3600.0
_SEALINGS_TRIED = 5
_WRONG_PLACE = timedelta(hours=1)
_IN_DOUBT = timedelta(hours=1)
_UNDER_APPEAL = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What sending a report needs.

    Attributes:
        settings: The configuration.
        database: The database.
        vault: Where the files are, and the receipt goes.
        channels: The ways to the authorities.
        clock: The time.
    """

    settings: Settings
    database: Database
    vault: Vault
    channels: Channels
    clock: Clock

    @property
    def secrets(self) -> KeptSecrets:
        """What seals what is written in reports."""
        return KeptSecrets(self.settings.keys_folder)


def delivering(settings: Settings, vault: Vault, channels: Channels, clock: Clock) -> Kind:
    """The kind of job that sends one report."""
    delivery = Delivery(settings, vault.database, vault, channels, clock)
    # How long to wait is said by the handler, for as long as it takes: nothing is ever dropped.
    return Kind(
        DELIVER,
        lambda job: deliver(delivery, job),
        at_once=_AT_ONCE,
        attempts=None,
        longest_wait=_LONGEST_WAIT,
    )


def deliver(delivery: Delivery, job: Job) -> None:
    """Send the report of a job, or say when to try again.

    Raises:
        Later: It is tried again at that moment.
        LeaseLostError: Another worker has the job.
        StorageError: The vault or the database fails.
    """
    with delivery.database.reading() as connection:
        number = report_of_job(connection, job)
        try:
            if number is None:
                return
            report = find_report(connection, number)
        except NotFoundError:
            return
        attempts = attempts_of(connection, number)
        files = files_of(connection, delivery.secrets, number)
    if report.state is not State.QUEUED:
        return
    _put_off(delivery, report)
    try:
        channel = delivery.channels.find(report)
        receipt = _what_became_of(delivery, job, report, channel, attempts)
        if receipt is None:
            receipt = _send(delivery, job, report, channel, files)
    except TryLaterError as error:
        with delivery.database.writing() as connection:
            hold_lease(connection, job)
            at = note_failed(
                connection,
                report.channel,
                report.authority,
                error.message,
                delivery.clock,
                job=job,
                asked_seconds=error.seconds,
            )
            own = _rest_by_itself(connection, delivery, number)
        raise Later(max(at, own), error.message) from None
    except WrongCredentialsError as error:
        with delivery.database.writing() as connection:
            hold_lease(connection, job)
            stop_channel(
                connection, report.channel, report.authority, error.message, delivery.clock
            )
        raise Later(delivery.clock() + _WRONG_PLACE, error.message) from None
    except NeedsPersonError as error:
        _stop(delivery, job, report, error.message)
        return
    _conclude(delivery, job, report, receipt)


def _put_off(delivery: Delivery, report: Report) -> None:
    now = delivery.clock()
    per_minute = delivery.channels.submits_per_minute(report.channel)
    with delivery.database.reading() as connection:
        state = channel_state(connection, report.channel, report.authority)
        own_rest = connection.execute(
            select(reports.c.rest_until).where(reports.c.id == report.id)
        ).scalar_one()
        is_full = minute_is_full(connection, report.channel, report.authority, per_minute, now)
    rest = rest_of(state, now)
    if rest is not None:
        raise Later(*rest)
    if own_rest is not None and is_ahead(own_rest, now):
        raise Later(own_rest, "it has failed by itself, while others get through")
    if is_full:
        with delivery.database.writing() as connection:
            place = stand_in_line(connection, report.channel, report.authority, per_minute, now)
        raise Later(place, "it waits for its turn: so many are sent in a minute")


def _what_became_of(
    delivery: Delivery, job: Job, report: Report, channel: Channel, attempts: list[Attempt]
) -> Receipt | None:
    """The receipt of an earlier attempt that counts. All others are put beyond counting."""
    notebook = _notebook(delivery, job, report)
    now_there = environment_of(delivery.settings, report.channel)
    for attempt in attempts:
        if attempt.outcome is not None:
            continue
        if attempt.remote_id is None:
            # The call after which it counts needs its number, and is made after the number is kept.
            notebook.abandoned(attempt)
            continue
        is_known = attempt.step is Step.FINISHED
        if attempt.environment is not now_there and not is_known:
            # It is asked about as soon as the settings lead there again.
            _refuse_unless_rehearsed(attempt)
            continue
        counts = is_known or channel.counts(attempt)
        if counts:
            at = attempt.heard_at if is_known and attempt.heard_at else delivery.clock()
            return Receipt(attempt, attempt.remote_id, at, found_out=not is_known)
        if counts is None:
            notebook.left_unknown(attempt)
        else:
            notebook.abandoned(attempt)
    return None


def _refuse_unless_rehearsed(attempt: Attempt) -> None:
    """Pass over what may have got through elsewhere only where nobody acts on it.

    Raises:
        WrongCredentialsError: It may be with the authority itself, and the settings lead to another
            server that cannot tell.
    """
    if attempt.environment is Environment.LIVE:
        raise WrongCredentialsError(
            "a report may have got through to the authority itself, which only that one can say: "
            "set reporting.cybertipline.environment to live again for as long as this takes"
        )


def _send(
    delivery: Delivery, job: Job, report: Report, channel: Channel, files: list[ReportFile]
) -> Receipt:
    if report.doubted_since is not None:
        raise Later(
            delivery.clock() + _IN_DOUBT,
            "it may have been sent before the house was restored: somebody has to say whether it "
            'was, by "tutela report doubts"',
        )
    environment = environment_of(delivery.settings, report.channel)
    if environment is not report.environment:
        raise NeedsPersonError(
            f"it was meant for the {report.environment} environment, and the settings have "
            f"{environment} now: look at it again, and sign it for this one"
        )
    with delivery.database.reading() as connection:
        require_live(connection, report.channel, report.authority, environment)
        _refuse_ungrounded(connection, CaseId(report.case), delivery.clock)
        content = content_of(connection, delivery.secrets, report.id)
        prior = None
        if report.corrects is not None:
            corrected = find_report(connection, report.corrects)
            try:
                check_corrected(corrected.id, corrected.environment, environment)
            except OutOfTurnError as error:
                raise NeedsPersonError(error.message) from None
            prior = corrected.remote_id
        earlier = attempts_of(connection, report.id)
        going = files_by_record(connection, delivery.vault, files)
    check_files(going)
    return channel.deliver(
        Sending(
            report=report.id,
            case=report.case,
            authority=report.authority,
            environment=environment,
            content=content,
            files=going,
            prior=prior,
            notebook=_notebook(delivery, job, report),
            unknown=[each for each in earlier if each.outcome is Outcome.UNKNOWN],
        )
    )


def _refuse_ungrounded(connection: Connection, case: CaseId, clock: Clock) -> None:
    """See that a report may still be sent, whatever became of its case since it was signed.

    Raises:
        Later: An appeal is to be decided first.
        NeedsPersonError: The case is confirmed no more.
    """
    match ground_of_report(connection, case):
        case StillStands.NOT_NOW:
            raise Later(clock() + _UNDER_APPEAL, f"{case} is under appeal: it waits for that")
        case StillStands.NO:
            raise NeedsPersonError(
                f"{case} is not confirmed any more: decide on it again, and return, read and sign "
                "the report anew if it is confirmed"
            )


def _notebook(delivery: Delivery, job: Job, report: Report) -> AttemptNotebook:
    return AttemptNotebook(
        delivery.database,
        delivery.secrets,
        job,
        report.id,
        report.channel,
        authority=report.authority,
        environment=environment_of(delivery.settings, report.channel),
        submits_per_minute=delivery.channels.submits_per_minute(report.channel),
        clock=delivery.clock,
    )


def _conclude(delivery: Delivery, job: Job, report: Report, receipt: Receipt) -> None:
    with delivery.database.reading() as connection:
        documents = documents_of(connection, delivery.secrets, receipt.attempt.id)
        content = written_receipt(connection, report, receipt, documents)
    for _ in range(_SEALINGS_TRIED):
        sealed = delivery.vault.seal(lambda: [content], report.case, new_item_id())
        try:
            with delivery.database.writing() as connection:
                _end(connection, delivery, job, report, receipt, sealed)
        except StaleSealError:
            delivery.vault.discard(sealed)
        except LeaseLostError:
            delivery.vault.discard(sealed)
            raise
        else:
            return
    raise StorageError(
        "the receipt could not be sealed because keys change all the time: it is tried again"
    )


def _end(
    connection: Connection,
    delivery: Delivery,
    job: Job,
    report: Report,
    receipt: Receipt,
    sealed: Sealed,
) -> None:
    clock = delivery.clock
    finish(connection, job, clock)
    note_through(connection, report.channel, report.authority, clock)
    case = CaseId(report.case)
    # The case first, as everywhere. What was only rehearsed changes nothing of it, nor of how long
    # its evidence is kept: the authority does not have it.
    lock_case(connection, case)
    is_real = receipt.attempt.environment is Environment.LIVE
    becomes_reported = is_real and become_reported(connection, case, clock)
    settle(connection, receipt.attempt.id, Outcome.SENT, clock())
    change_state(connection, report.id, Move.SEND, BY_ITSELF, clock, remote_id=receipt.remote_id)
    # Before the ledger: whoever waits for it may hold some of these.
    lock_evidence(connection, Subject(case))
    delivery.vault.claim(connection, [sealed])
    if is_real:
        # Before the receipt is evidence of the case: it may be sealed days after the finish.
        report_finished(
            connection,
            case,
            SYSTEM,
            clock,
            reference=_reference(report, receipt),
            at=receipt.finished_at,
        )
    delivery.vault.keep(connection, sealed)
    # Only now: it refers to the evidence.
    connection.execute(
        update(reports).where(reports.c.id == report.id).values(receipt_item=sealed.item)
    )
    enter_move(connection, report.id, Move.SEND, BY_ITSELF, clock, reason=_told(receipt, sealed))
    if becomes_reported:
        enter_case_move(connection, case, CaseMove.REPORT, BY_ITSELF, clock)


def _stop(delivery: Delivery, job: Job, report: Report, why: str) -> None:
    with delivery.database.writing() as connection:
        finish(connection, job, delivery.clock)
        change_state(connection, report.id, Move.STOP, BY_ITSELF, delivery.clock, reason=why)
        tell_of_stop(connection, delivery.clock)
        enter_move(connection, report.id, Move.STOP, BY_ITSELF, delivery.clock, reason=why)


def _rest_by_itself(connection: Connection, delivery: Delivery, report: ReportId) -> datetime:
    attempts, now = attempts_of(connection, report), delivery.clock()
    at = now + own_wait(len(attempts), attempts[-1].begun_at if attempts else None, now)
    connection.execute(update(reports).where(reports.c.id == report).values(rest_until=at))
    return at


def _told(receipt: Receipt, sealed: Sealed) -> str:
    return (
        f"the authority calls it {receipt.remote_id}; SHA-256 of the receipt {sealed.sha256.hex()}"
    )


def _reference(report: Report, receipt: Receipt) -> str:
    return f"{report.authority} {receipt.remote_id}"[:200]
