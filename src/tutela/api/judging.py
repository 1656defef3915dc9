"""From what a caller sent to what is judged, and from the outcome to what the caller is told."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePath

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.capacity import Place
from tutela.api.receiving import Upload
from tutela.api.screening_documents import MatchAnswer, ScreenAnswer
from tutela.api.service import Service, actor_of
from tutela.cases.joining import check_key
from tutela.evidence.model import Content
from tutela.screening.fingerprinting import known_of
from tutela.screening.model import Known, Screened, Verdict
from tutela.screening.screening import Submission, request_name
from tutela.storage.settings import OnUnreadable


async def known_of_upload(
    service: Service, upload: Upload, suffix: str | None = None, *, whole: bool = False
) -> Known:
    """What is known of a file that was sent or fetched.

    Args:
        service: Whose cells it is opened up in.
        upload: The file.
        suffix: What such a file's name ends in, where that is not for its own name to say.
        whole: Whether the rest of a long video is wanted also where it can change nothing.
    """
    if suffix is None:
        suffix = PurePath(upload.name).suffix
    return await service.open_up(partial(_opened_up, service, upload, suffix, whole=whole))


def _opened_up(service: Service, upload: Upload, suffix: str, *, whole: bool) -> Known:
    with upload.as_descriptor() as descriptor:
        room = service.screening
        return known_of(room.cells, descriptor, suffix, None if whole else room.screener)


def submission_of(
    known: Known,
    name: str,
    key: ApiKey,
    idempotency_key: str | None,
    content: Content | None = None,
    *,
    subject: str | None = None,
    reference: str | None = None,
    sources: tuple[str, ...] = (),
) -> Submission:
    """One file, or its fingerprints, as it is judged."""
    return Submission(
        known=known,
        name=name,
        origin=actor_of(key).name,
        request=None
        if idempotency_key is None
        # With what was sent: a key used again for another file must not swallow its case.
        else request_name("key", str(key.id), idempotency_key, *_told_apart_by(known)),
        content=content,
        actor=actor_of(key),
        subject=None if subject is None else check_key(subject),
        reference=None if reference is None else check_key(reference),
        sources=sources,
    )


async def judged(
    service: Service, submissions: Sequence[Submission], place: Place
) -> list[Screened]:
    """What becomes of files of which everything is known."""
    files = [each.known for each in submissions]
    findings = await service.look_up(files)
    screener = service.screening.screener
    judge = partial(screener.judge, submissions, findings)
    if findings.nothing and not screener.queues_any(files):
        # Asks neither the database nor the vault, so that it waits for none that is slow.
        return judge()
    return await service.judge(judge, place.held)


def _told_apart_by(known: Known) -> Iterator[str]:
    yield str(known.fingerprints.as_texts())
    if known.fingerprints.sha256 is None and known.parts:
        yield str([(part.pdq, part.seconds) for part in known.parts])


def one_of_many(idempotency_key: str | None, number: int) -> str | None:
    """The idempotency key of one item of a batch."""
    return idempotency_key and f"{idempotency_key}\0{number}"


def answer_of(outcome: Screened, key: ApiKey) -> ScreenAnswer:
    """What the bearer of a key is told of an outcome."""
    details = Permission.SCREEN_DETAILS in key.permissions
    # A case opened by a list that lets files pass is not told to callers who may not see lists:
    # to them the file is as clear as any other.
    queued = outcome.answer is OnUnreadable.QUEUE
    told = details or queued or outcome.verdict is Verdict.MATCH
    unreadable = outcome.verdict is Verdict.UNREADABLE
    return ScreenAnswer(
        verdict=outcome.verdict,
        case=outcome.case if told else None,
        matches=[MatchAnswer.model_validate(match.as_fields()) for match in outcome.matches]
        if details and outcome.matches
        else None,
        reason=outcome.reason if unreadable else None,
        unreadable=outcome.failure.cause if unreadable and outcome.failure else None,
        action=outcome.answer,
        cut_short=outcome.cut_short or None
        if details and outcome.verdict is Verdict.MATCH
        else None,
    )
