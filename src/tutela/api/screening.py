"""``/v1/screen``: is this file known?"""

from asyncio import gather
from functools import partial
from pathlib import PurePath
from typing import Annotated, TypeVar

from fastapi import APIRouter, Header, Request, Security
from pydantic import BaseModel, ValidationError

from tutela.accounts.model import ApiKey, Scope
from tutela.api.receiving import Upload, is_multipart, receive_body, receive_files
from tutela.api.screening_documents import (
    EXAMPLE,
    FILE,
    BatchAnswer,
    BatchRequest,
    MatchAnswer,
    ScreenAnswer,
    ScreenRequest,
    documented,
)
from tutela.api.service import Here, Permitted, Service, actor_of
from tutela.errors import InvalidInputError, TooLargeError
from tutela.screening.fingerprinting import known_of
from tutela.screening.model import Known, Screened, Verdict
from tutela.screening.screening import Submission, request_name

router = APIRouter(prefix="/v1/screen", tags=["screening"])

_Sent = TypeVar("_Sent", bound=BaseModel)

Caller = Annotated[ApiKey, Security(Permitted(Scope.SCREEN))]
IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=255,
        description="Any text that names this request. Sent again, it opens no second case.",
    ),
]

# One item of fingerprints is less than this, written out with all its names.
_ITEM = 4 << 10


@router.post(
    "",
    response_model_exclude_none=True,
    summary="Screen one file or its fingerprints",
    **documented(
        ScreenRequest,
        EXAMPLE,
        FILE,
        {
            "clear": {"value": {"verdict": "clear"}},
            "match": {"value": {"verdict": "match", "case": "7K3M-9QPD-2X4H"}},
            "match, with the scope screen:details": {
                "value": {
                    "verdict": "match",
                    "case": "7K3M-9QPD-2X4H",
                    "matches": [{"list": "partner", "kind": "pdq", "distance": 4}],
                }
            },
            "unreadable": {
                "value": {
                    "verdict": "unreadable",
                    "reason": "damaged picture: the data ends early",
                }
            },
        },
    ),
)
async def screen(
    request: Request,
    service: Here,
    key: Caller,
    idempotency_key: IdempotencyKey = None,
) -> ScreenAnswer:
    """Send a file as multipart field `file`, or fingerprints as JSON.

    What is `clear` leaves nothing behind but a count: no file, no hash, no name.
    """
    with service.capacity.place() as place:
        if is_multipart(request):
            (upload,) = await receive_files(
                request, _upload_limit(service), 1, place, service.settings.upload_seconds
            )
            outcome = await service.work(
                lambda: service.screening.screener.screen(
                    _submission(_open_up(service, upload), upload.name, key, idempotency_key)
                )
            )
        else:
            sent = _read(
                ScreenRequest,
                await receive_body(
                    request, _ITEM + 4096 * 6, place, service.settings.upload_seconds
                ),
            )
            submission = _submission(
                Known(sent.fingerprints.as_set()), sent.name, key, idempotency_key
            )
            outcome = await service.work(lambda: service.screening.screener.screen(submission))
    return _answer(outcome, key)


@router.post(
    "/batch",
    response_model_exclude_none=True,
    summary="Screen many files or fingerprints at once",
    **documented(
        BatchRequest,
        {"items": [EXAMPLE]},
        {"type": "array", "items": FILE},
        {
            "two files": {
                "value": {
                    "results": [
                        {"verdict": "clear"},
                        {"verdict": "match", "case": "7K3M-9QPD-2X4H"},
                    ]
                }
            }
        },
    ),
)
async def screen_batch(
    request: Request,
    service: Here,
    key: Caller,
    idempotency_key: IdempotencyKey = None,
) -> BatchAnswer:
    """Send several multipart fields `file`, or fingerprints as JSON. The answers keep the order."""
    most = service.settings.max_batch
    with service.capacity.place() as place:
        if is_multipart(request):
            uploads = await receive_files(
                request, _upload_limit(service), most, place, service.settings.upload_seconds
            )
            opened = await gather(
                *(service.work(partial(_open_up, service, upload)) for upload in uploads)
            )
            known = [(each, upload.name) for each, upload in zip(opened, uploads, strict=True)]
        else:
            body = await receive_body(request, most * _ITEM, place, service.settings.upload_seconds)
            sent = _read(BatchRequest, body).items
            if len(sent) > most:
                raise TooLargeError(f"{len(sent)} items were sent: send at most {most} at once")
            known = [(Known(item.fingerprints.as_set()), item.name) for item in sent]
        submissions = [
            _submission(each, name, key, idempotency_key and f"{idempotency_key}\0{number}")
            for number, (each, name) in enumerate(known)
        ]
        outcomes = await service.work(lambda: service.screening.screener.screen_many(submissions))
    return BatchAnswer(results=[_answer(outcome, key) for outcome in outcomes])


def _upload_limit(service: Service) -> int:
    return service.settings.max_upload_mib << 20


def _open_up(service: Service, upload: Upload) -> Known:
    with upload.as_descriptor() as descriptor:
        return known_of(service.screening.cells, descriptor, PurePath(upload.name).suffix)


def _submission(known: Known, name: str, key: ApiKey, idempotency_key: str | None) -> Submission:
    return Submission(
        known=known,
        name=name,
        origin=actor_of(key).name,
        request=None
        if idempotency_key is None
        # With what was sent: a key used again for another file must not swallow its case.
        else request_name("key", str(key.id), idempotency_key, str(known.fingerprints.as_texts())),
    )


def _read(model: type[_Sent], body: bytes) -> _Sent:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(str(part) for part in each['loc']) or 'body'}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        )
        raise InvalidInputError(
            f"{details} (send a file as multipart/form-data, or fingerprints as JSON)"
        ) from None


def _answer(outcome: Screened, key: ApiKey) -> ScreenAnswer:
    details = Scope.SCREEN_DETAILS in key.scopes
    # A case opened by a list that lets files pass is not told to callers who may not see lists:
    # to them the file is as clear as any other.
    told = details or outcome.verdict is Verdict.MATCH
    return ScreenAnswer(
        verdict=outcome.verdict,
        case=outcome.case if told else None,
        matches=[MatchAnswer.model_validate(match.as_fields()) for match in outcome.matches]
        if details and outcome.matches
        else None,
        reason=outcome.reason if outcome.verdict is Verdict.UNREADABLE else None,
    )
