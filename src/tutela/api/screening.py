"""``/v1/screen``: is this file known?

Described here is all that may be sent. What comes as JSON does not arrive here: it is answered on
the way by ``fingerprint_lane.py``.
"""

from asyncio import gather
from typing import Annotated

from fastapi import APIRouter, Header, Request, Security

from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.judging import answer_of, judged, known_of_upload, one_of_many, submission_of
from tutela.api.receiving import Form, receive_files
from tutela.api.screening_documents import (
    EXAMPLE,
    FILE,
    LONGEST_IDEMPOTENCY_KEY,
    WORD,
    BatchAnswer,
    BatchRequest,
    ScreenAnswer,
    ScreenRequest,
    documented,
)
from tutela.api.service import Here, Permitted, Service
from tutela.errors import InvalidInputError

router = APIRouter(prefix="/v1/screen", tags=["screening"])

Caller = Annotated[ApiKey, Security(Permitted(Permission.SCREEN))]
IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=LONGEST_IDEMPOTENCY_KEY,
        description="Any text that names this request. Sent again, it opens no second case.",
    ),
]


@router.post(
    "",
    response_model_exclude_none=True,
    summary="Screen one file, its fingerprints, an address or a text",
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
            "match of one frame, with the scope screen:details": {
                "value": {
                    "verdict": "match",
                    "case": "7K3M-9QPD-2X4H",
                    "matches": [
                        {"list": "partner", "kind": "pdq", "distance": 4, "place": "frame 12"}
                    ],
                }
            },
            "match of an address, with the scope screen:details": {
                "value": {
                    "verdict": "match",
                    "case": "7K3M-9QPD-2X4H",
                    "matches": [{"list": "hotline", "kind": "url_prefix", "distance": 0}],
                }
            },
            "unreadable": {
                "value": {
                    "verdict": "unreadable",
                    "reason": "damaged picture: the data ends early",
                    "unreadable": "ends_early",
                    "action": "refuse",
                }
            },
        },
        {"subject": WORD, "reference": WORD},
    ),
)
async def screen(
    request: Request,
    service: Here,
    key: Caller,
    idempotency_key: IdempotencyKey = None,
) -> ScreenAnswer:
    """Send a file as multipart field `file`, or fingerprints, an address or a text as JSON.

    What is `clear` leaves nothing behind but a count: no file, no hash, no name.
    """
    with service.capacity.place() as place:
        form = await receive_files(
            request, _upload_limit(service), 1, place, service.settings.upload_seconds
        )
        (upload,) = form.files
        known = await known_of_upload(service, upload)
        submission = submission_of(
            known,
            upload.name,
            key,
            idempotency_key,
            upload.pieces,
            subject=form.word("subject"),
            reference=form.word("reference"),
        )
        (outcome,) = await judged(service, [submission], place)
    return answer_of(outcome, key)


@router.post(
    "/batch",
    response_model_exclude_none=True,
    summary="Screen many files, fingerprints, addresses or texts at once",
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
        {
            "subject": {"type": "array", "items": WORD},
            "reference": {"type": "array", "items": WORD},
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
    with service.capacity.place() as place:
        form = await receive_files(
            request,
            _upload_limit(service),
            service.settings.max_batch,
            place,
            service.settings.upload_seconds,
        )
        opened = await gather(*(known_of_upload(service, upload) for upload in form.files))
        submissions = [
            submission_of(
                known,
                upload.name,
                key,
                one_of_many(idempotency_key, number),
                upload.pieces,
                subject=subject,
                reference=reference,
            )
            for number, (known, upload, subject, reference) in enumerate(
                zip(
                    opened,
                    form.files,
                    _for_each("subject", form),
                    _for_each("reference", form),
                    strict=True,
                )
            )
        ]
        outcomes = await judged(service, submissions, place)
    return BatchAnswer(results=[answer_of(outcome, key) for outcome in outcomes])


def _for_each(name: str, form: Form) -> list[str | None]:
    """A field's words for each file: one for all of them, or as many as there are."""
    words = form.fields.get(name, [])
    if len(words) <= 1:
        return [words[0] if words else None] * len(form.files)
    if len(words) != len(form.files):
        raise InvalidInputError(
            f'send the field "{name}" once for all files, or once for each, in their order'
        )
    return list(words)


def _upload_limit(service: Service) -> int:
    return service.settings.max_upload_mib << 20
