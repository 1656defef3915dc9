"""``/v1/screen``: is this file known?"""

from asyncio import gather
from functools import partial
from http import HTTPStatus
from pathlib import PurePath
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Request, Security
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from tutela.accounts.model import ApiKey, Scope
from tutela.api.problems import problems
from tutela.api.receiving import Upload, is_multipart, receive_body, receive_files
from tutela.api.service import Here, Permitted, Service, actor_of
from tutela.cases.model import CaseId
from tutela.errors import InvalidInputError, TooLargeError
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.screening.fingerprinting import known_of
from tutela.screening.model import Known, Screened, Verdict
from tutela.screening.screening import Submission, request_name

router = APIRouter(prefix="/v1/screen", tags=["screening"])

_Sent = TypeVar("_Sent", bound=BaseModel)

# One item of fingerprints is less than this, written out with all its names.
_ITEM = 4 << 10


def _digits(count: int) -> dict[str, JsonValue]:
    # Said, but checked by our own words: theirs would only repeat the pattern.
    return {"pattern": f"^[0-9A-Fa-f]{{{count}}}$"}


class SentFingerprints(BaseModel):
    """Fingerprints made by the caller, as hexadecimal digits; at least one."""

    model_config = ConfigDict(extra="forbid")

    md5: str | None = Field(
        None, description="32 hexadecimal digits.", json_schema_extra=_digits(32)
    )
    sha1: str | None = Field(
        None, description="40 hexadecimal digits.", json_schema_extra=_digits(40)
    )
    sha256: str | None = Field(
        None, description="64 hexadecimal digits.", json_schema_extra=_digits(64)
    )
    pdq: str | None = Field(
        None,
        description="64 hexadecimal digits, in the order of public lists",
        json_schema_extra=_digits(64),
    )
    pdq_quality: int | None = Field(
        None, ge=0, le=100, description="The picture's PDQ quality. Left out, it counts as good."
    )

    def known(self) -> Known:
        """The same as bytes.

        Raises:
            InvalidInputError: One is malformed, or there is none.
        """
        values = {
            kind: Fingerprint.from_text(kind, text).value
            for kind in Kind
            if (text := getattr(self, kind)) is not None
        }
        if not values:
            raise InvalidInputError("no fingerprint was sent: give md5, sha1, sha256 or pdq")
        return Known(
            md5=values.get(Kind.MD5),
            sha1=values.get(Kind.SHA1),
            sha256=values.get(Kind.SHA256),
            pdq=values.get(Kind.PDQ),
            pdq_quality=self.pdq_quality,
        )


class ScreenRequest(BaseModel):
    """Fingerprints to screen instead of a file."""

    model_config = ConfigDict(extra="forbid")

    fingerprints: SentFingerprints
    name: str = Field("", max_length=4096, description="The file's name; kept only with a case.")


class BatchRequest(BaseModel):
    """Many sets of fingerprints to screen at once."""

    model_config = ConfigDict(extra="forbid")

    items: list[ScreenRequest] = Field(min_length=1)


class MatchAnswer(BaseModel):
    """A list that has the file."""

    list: str = Field(description="The list's name.")
    kind: Kind = Field(description="The kind of fingerprint that matched.")
    distance: int = Field(description="Number of differing bits; 0 for an exact digest.")


class ScreenAnswer(BaseModel):
    """The verdict on one file."""

    verdict: Verdict = Field(
        description="`clear`: no list has it. `match`: keep it back. `unreadable`: a picture that "
        "cannot be decoded, so nobody knows."
    )
    case: CaseId | None = Field(None, description="The case that was opened.")
    matches: list[MatchAnswer] | None = Field(
        None, description="What matched. Only for keys with the scope `screen:details`."
    )
    reason: str | None = Field(None, description="Why the file is unreadable.")


class BatchAnswer(BaseModel):
    """The verdicts, in the order of what was sent."""

    results: list[ScreenAnswer]


_FINGERPRINTS = {
    "fingerprints": {"md5": "9e107d9d372bb6826bd81d3542a419d6", "pdq": "f8f8f0cce0f4a84d" * 4}
}
_FILE = {"type": "string", "format": "binary"}
_PROBLEMS = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def _documented(
    json_model: type[BaseModel],
    json_example: dict[str, Any],
    form: dict[str, Any],
    answers: dict[str, Any],
) -> dict[str, Any]:
    schema = json_model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {
        "responses": {
            **_PROBLEMS,
            200: {"content": {"application/json": {"examples": answers}}},
        },
        "openapi_extra": {
            "requestBody": {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "required": ["file"],
                            "additionalProperties": False,
                            "properties": {"file": form},
                        }
                    },
                    "application/json": {"schema": schema, "example": json_example},
                },
            }
        },
    }


@router.post(
    "",
    response_model_exclude_none=True,
    summary="Screen one file or its fingerprints",
    **_documented(
        ScreenRequest,
        _FINGERPRINTS,
        _FILE,
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
    key: Annotated[ApiKey, Security(Permitted(Scope.SCREEN))],
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=255,
            description="Any text that names this request. Sent again, it opens no second case.",
        ),
    ] = None,
) -> ScreenAnswer:
    """Send a file as multipart field `file`, or fingerprints as JSON.

    What is `clear` leaves nothing behind but a count: no file, no hash, no name.
    """
    with service.capacity.place():
        if is_multipart(request):
            (upload,) = await receive_files(request, _upload_limit(service), 1)
            outcome = await service.work(
                lambda: service.screening.screener.screen(
                    _submission(_open_up(service, upload), upload.name, key, idempotency_key)
                )
            )
        else:
            sent = _read(ScreenRequest, await receive_body(request, _ITEM + 4096 * 6))
            submission = _submission(sent.fingerprints.known(), sent.name, key, idempotency_key)
            outcome = await service.work(lambda: service.screening.screener.screen(submission))
    return _answer(outcome, key)


@router.post(
    "/batch",
    response_model_exclude_none=True,
    summary="Screen many files or fingerprints at once",
    **_documented(
        BatchRequest,
        {"items": [_FINGERPRINTS]},
        {"type": "array", "items": _FILE},
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
    key: Annotated[ApiKey, Security(Permitted(Scope.SCREEN))],
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=255,
            description="Any text that names this request. Sent again, it opens no second cases.",
        ),
    ] = None,
) -> BatchAnswer:
    """Send several multipart fields `file`, or fingerprints as JSON. The answers keep the order."""
    most = service.settings.max_batch
    with service.capacity.place():
        if is_multipart(request):
            uploads = await receive_files(request, _upload_limit(service), most)
            opened = await gather(
                *(service.work(partial(_open_up, service, upload)) for upload in uploads)
            )
            known = [(each, upload.name) for each, upload in zip(opened, uploads, strict=True)]
        else:
            body = await receive_body(request, most * _ITEM)
            sent = _read(BatchRequest, body).items
            if len(sent) > most:
                raise TooLargeError(f"{len(sent)} items were sent: send at most {most} at once")
            known = [(item.fingerprints.known(), item.name) for item in sent]
        submissions = [
            _submission(each, name, key, idempotency_key and f"{idempotency_key}\0{place}")
            for place, (each, name) in enumerate(known)
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
        else request_name("key", str(key.id), idempotency_key),
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
        matches=[
            MatchAnswer(list=match.list_name, kind=match.kind, distance=match.distance)
            for match in outcome.matches
        ]
        if details and outcome.matches
        else None,
        reason=outcome.reason if outcome.verdict is Verdict.UNREADABLE else None,
    )
