"""A report as a letter: what identifies it, and which earlier copies of it may have arrived.

Mail and webhooks have nobody whom one could ask afterwards whether a report arrived. So every copy
of a report bears the same identifier, which is made from what it says, and a copy that may not be
the first one says so.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from tutela.evidence.disclosure.recipients import Recipients
from tutela.reporting.cybertipline.model import FileDescription, Report
from tutela.reporting.delivery.channel import (
    Attempt,
    NeedsPersonError,
    Sending,
    Step,
    TryLaterError,
)
from tutela.reporting.packages.making import MadePackage, made_package
from tutela.reporting.packages.model import Enclosure, Letter
from tutela.storage.jobs.model import Later
from tutela.storage.settings import Settings

_IDENTIFIER_LETTERS = 26
_FOLDER = "outgoing"
_WAITS_AFTER_DOUBT = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom letters go to.

    Attributes:
        name: What people call the authority.
        recipients: The public keys of those there who can open what is sent.
    """

    name: str
    recipients: Recipients


def identifier_of(sending: Sending) -> str:
    """What every copy of this report bears: the same for the same words and files, and no other.

    It tells nothing of them.
    """
    told = hashlib.sha256()
    for part in (
        b"tutela letter 1",
        sending.case.encode(),
        sending.authority.encode(),
        sending.environment.encode(),
        (sending.prior or "").encode(),
        sending.content,
        *(part for each in sending.files for part in (each.evidence.encode(), each.details)),
    ):
        # Each with its length, so that no two reports come to the same bytes.
        told.update(len(part).to_bytes(8, "big") + part)
    return f"report-{sending.report}-{told.hexdigest()[:_IDENTIFIER_LETTERS]}"


def as_found(attempt: Attempt) -> bool | None:
    """Whether an earlier attempt counts: not if it never came to its end, else nobody knows."""
    return False if attempt.step in (Step.BEGUN, Step.OPENED) else None


def hoping(letter: Letter, words: str, seconds: float | None = None) -> TryLaterError:
    """What is said when it is not known whether a letter arrived, and it is to be sent again."""
    return TryLaterError(
        f"{words}; it is sent again as copy {letter.copy + 1} with the same identifier", seconds
    )


def wait_out_doubt(sending: Sending, now: datetime) -> None:
    """See that people are not sent one copy after another.

    The more copies may have arrived, the longer the next one waits. Other reports do not wait with
    it.

    Raises:
        Later: The last copy that may have arrived is not old enough.
    """
    if not sending.unknown:
        return
    wait = _WAITS_AFTER_DOUBT[min(len(sending.unknown), len(_WAITS_AFTER_DOUBT)) - 1]
    due_at = sending.unknown[-1].begun_at + wait
    if now < due_at:
        raise Later(due_at, "an earlier copy may have arrived, so the next one waits for a while")


@contextmanager
def made_for_sending(letter: Letter, settings: Settings) -> Iterator[MadePackage]:
    """A letter's package, for as long as it is being sent.

    Raises:
        StorageError: It cannot be made.
    """
    with made_package(letter, settings.data / _FOLDER) as package:
        yield package


def letter_of(
    sending: Sending,
    addressee: Addressee,
    organisation: str,
    message: str,
    at: datetime,
) -> Letter:
    """What is sent.

    Args:
        sending: The report.
        addressee: Whom it goes to.
        organisation: Whom it comes from.
        message: What every copy of it bears.
        at: When this copy is made.

    Raises:
        NeedsPersonError: What it says cannot be read.
    """
    try:
        content = Report.model_validate_json(sending.content)
        details = [FileDescription.model_validate_json(each.details) for each in sending.files]
    except ValidationError:
        # What the library says of it would quote it.
        raise NeedsPersonError(
            "what the report says does not fit its form any more: write it anew"
        ) from None
    return Letter(
        report=sending.report,
        message=message,
        earlier=tuple(each.remote_id or message for each in sending.unknown),
        authority=addressee.name,
        organisation=organisation,
        environment=sending.environment,
        made_at=at,
        content=content,
        enclosures=tuple(
            Enclosure(
                evidence=each.evidence,
                name=each.name,
                size=each.size,
                md5=each.md5.hex(),
                sha256=each.sha256.hex(),
                details=said,
                content=each.read,
            )
            for each, said in zip(sending.files, details, strict=True)
        ),
        recipients=addressee.recipients,
        corrects=sending.prior,
    )
