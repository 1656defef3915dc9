"""The way to the CyberTipline: submit, upload and describe each file, finish.

Only ``finish`` makes a report exist there, and nothing tells how a report stands. So retract is the
oracle: it either puts an open report beyond counting, or answers that it is finished
(``docs/decisions``: "Retract is the oracle").
"""

import hashlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import NoReturn

from pydantic import ValidationError

from tutela.errors import OutsideError
from tutela.reporting.cybertipline.answers import Answer
from tutela.reporting.cybertipline.client import Client, NoAnswerError
from tutela.reporting.cybertipline.codes import (
    ALREADY_FINISHED,
    ALREADY_RETRACTED,
    NO_SUCH_REPORT,
    SUCCESS,
    Remedy,
    code,
)
from tutela.reporting.cybertipline.model import FileDescription, FileDetails, Report
from tutela.reporting.cybertipline.schema import Schema
from tutela.reporting.cybertipline.validating import Checked, check_file_details, check_report
from tutela.reporting.delivery.channel import (
    Attempt,
    NeedsPersonError,
    Receipt,
    RemoteFile,
    Sending,
    SendingFile,
    TryLaterError,
    WrongCredentialsError,
)
from tutela.storage.clock import Clock

REPORT_DOCUMENT = "report.xml"
"""The name of the report among the documents of an attempt."""

# An open report is deleted an hour after its last change: nothing is added to one that is near it.
_SILENCE = timedelta(minutes=50)
_PROVED_FOR = timedelta(minutes=5)


class CyberTiplineChannel:
    """Sends reports to the CyberTipline. Safe to share between threads.

    Args:
        client: The line to it.
        schema: Whose order and spelling are followed.
        clock: The time.
    """

    def __init__(self, client: Client, schema: Schema, clock: Clock) -> None:
        self._client = client
        self._schema = schema
        self._clock = clock
        self._proved_at = clock() - 2 * _PROVED_FOR
        self._proving = threading.Lock()

    def counts(self, attempt: Attempt) -> bool:
        """As ``channel.Channel`` says."""
        answer = self._client.retract(_number(attempt))
        if answer.code in (SUCCESS, ALREADY_RETRACTED, NO_SUCH_REPORT):
            return False
        if answer.code == ALREADY_FINISHED:
            return True
        if code(answer.code).remedy is Remedy.STOP:
            raise WrongCredentialsError(_words("retract", answer))
        # Whatever it is, it does not say that the report does not count.
        raise TryLaterError(_words("retract", answer))

    def deliver(self, sending: Sending) -> Receipt:
        """As ``channel.Channel`` says."""
        document = self._checked_report(sending)
        described = [_description(file) for file in sending.files]
        self._prove_server()
        attempt = sending.notebook.begin({REPORT_DOCUMENT: document})
        attempt = self._open(sending, attempt, document)
        for position, (file, description) in enumerate(
            zip(sending.files, described, strict=True), start=1
        ):
            attempt = self._hand_over(sending, attempt, position, file, description)
        return self._finish(sending, attempt)

    def _checked_report(self, sending: Sending) -> bytes:
        try:
            report = Report.model_validate_json(sending.content)
        except ValidationError:
            raise NeedsPersonError(
                "what it says is not complete by now's rules: look at the draft again"
            ) from None
        return _valid(check_report(report, self._schema))

    def _prove_server(self) -> None:
        """See that it is the server that is meant, before anything is told to it."""
        with self._proving:
            if self._clock() - self._proved_at < _PROVED_FOR:
                return
            answer = self._client.status()
            if not answer.is_success:
                if code(answer.code).remedy is Remedy.RETRY:
                    raise TryLaterError(_words("status", answer))
                raise WrongCredentialsError(_words("status", answer))
            self._proved_at = self._clock()

    def _open(self, sending: Sending, attempt: Attempt, document: bytes) -> Attempt:
        answer = self._client.submit(document)
        if answer.is_success and answer.report_id is not None:
            return sending.notebook.opened(attempt, str(answer.report_id))
        # Without a report id there is nothing to retract: whatever was opened expires unfinished.
        sending.notebook.abandoned(attempt)
        raise _failure("submit", answer)

    def _hand_over(
        self,
        sending: Sending,
        attempt: Attempt,
        position: int,
        file: SendingFile,
        description: FileDescription,
    ) -> Attempt:
        attempt = self._alive(sending, attempt)
        counted = _Counted(file)
        answer = self._client.upload(_number(attempt), file, counted.pieces())
        if not answer.is_success:
            self._give_up(sending, attempt, "upload", answer)
        if answer.file_id is None or not _is_about(answer, attempt):
            raise NoAnswerError("answered upload of another report")
        if {answer.md5, counted.md5} != {file.md5.hex()}:
            raise NoAnswerError("received another file than the one that was sent")
        details = FileDetails(
            **description.model_dump(),
            report_id=int(_number(attempt)),
            file_id=answer.file_id,
        )
        document = _valid(check_file_details(details, self._schema))
        attempt = sending.notebook.uploaded(
            attempt,
            file.evidence,
            RemoteFile(answer.file_id, file.md5),
            {f"file-{position:04}.xml": document},
        )
        answer = self._client.describe(document)
        if not answer.is_success:
            self._give_up(sending, attempt, "fileinfo", answer)
        return attempt

    def _finish(self, sending: Sending, attempt: Attempt) -> Receipt:
        attempt = self._alive(sending, attempt)
        ours = {each.id for each in attempt.files.values()}
        if len(attempt.files) != len(sending.files) or len(ours) != len(sending.files):
            raise TryLaterError("not every file has a number of its own at the authority")
        attempt = sending.notebook.finishing(attempt)
        answer = self._client.finish(_number(attempt))
        if answer.code == ALREADY_FINISHED:
            attempt = sending.notebook.finished(attempt)
            return Receipt(attempt, _number(attempt), self._clock(), found_out=True)
        if not answer.is_success:
            self._give_up(sending, attempt, "finish", answer)
        if not _is_about(answer, attempt) or set(answer.files) - ours:
            raise NoAnswerError("answered finish of another report")
        attempt = sending.notebook.finished(attempt)
        return Receipt(attempt, _number(attempt), attempt.heard_at or self._clock())

    def _alive(self, sending: Sending, attempt: Attempt) -> Attempt:
        """See that the open report is still there for as long as the next call takes.

        Raises:
            TryLaterError: It may be deleted at any moment. It is put beyond counting first, and
                begun anew at once.
        """
        if self._clock() - (attempt.heard_at or attempt.begun_at) < _SILENCE:
            return attempt
        if not self.counts(attempt):
            sending.notebook.abandoned(attempt)
        raise TryLaterError("it took so long that the open report would have expired", 0)

    def _give_up(self, sending: Sending, attempt: Attempt, step: str, answer: Answer) -> NoReturn:
        """Put an attempt that an answer ended beyond counting, and say what is to become of it."""
        if answer.code in (NO_SUCH_REPORT, ALREADY_RETRACTED):
            sending.notebook.abandoned(attempt)
            raise TryLaterError(_words(step, answer), 0)
        if code(answer.code).remedy is Remedy.MEND:
            if self.counts(attempt):
                # Only an authority that contradicts itself says so; it is settled as what it is.
                raise TryLaterError(_words(step, answer))
            sending.notebook.abandoned(attempt)
        raise _failure(step, answer)


class _Counted:
    """A file on its way, hashed as it goes."""

    def __init__(self, file: SendingFile) -> None:
        self._file = file
        self._hash = hashlib.md5(usedforsecurity=False)

    def pieces(self) -> Iterator[bytes]:
        for piece in self._file.read():
            self._hash.update(piece)
            yield piece

    @property
    def md5(self) -> str:
        return self._hash.hexdigest()


def _failure(step: str, answer: Answer) -> OutsideError:
    match code(answer.code).remedy:
        case Remedy.MEND:
            return NeedsPersonError(_words(step, answer))
        case Remedy.STOP:
            return WrongCredentialsError(_words(step, answer))
    return TryLaterError(_words(step, answer))


def _description(file: SendingFile) -> FileDescription:
    try:
        return FileDescription.model_validate_json(file.details)
    except ValidationError:
        raise NeedsPersonError(
            f"what is said of the evidence {file.evidence} is not complete by now's rules: look at "
            "the draft again"
        ) from None


def _valid(checked: Checked) -> bytes:
    if not checked.is_valid:
        raise NeedsPersonError(
            "it is not as the schema wants it: " + "; ".join(map(str, checked.problems))
        )
    return checked.document


def _is_about(answer: Answer, attempt: Attempt) -> bool:
    return answer.report_id is None or str(answer.report_id) == attempt.remote_id


def _number(attempt: Attempt) -> str:
    if attempt.remote_id is None:
        raise ValueError("an attempt without a number at the authority")
    return attempt.remote_id


def _words(step: str, answer: Answer) -> str:
    # The authority's own description may quote what was sent.
    return f"the CyberTipline answered {step} with {answer.code}: {code(answer.code).meaning}"
