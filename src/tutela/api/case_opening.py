"""``/v1/cases``: opening a case by hand, and adding items to one."""

from asyncio import gather
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qs

from fastapi import APIRouter, Header, Request, Security
from pydantic import ValidationError

from tutela.accounts.calling import caller_of_key
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.capacity import Place
from tutela.api.case_documents import SentCase, SentItems, StateAnswer
from tutela.api.judging import known_of_upload
from tutela.api.problems import problems
from tutela.api.receiving import Upload, is_multipart, receive_body, receive_form
from tutela.api.screening_documents import FILE, LONGEST_IDEMPOTENCY_KEY, WORD, whole
from tutela.api.service import Here, Permitted, Service
from tutela.cases.by_hand import (
    LONGEST_WORDS,
    MOST_AT_ONCE,
    Given,
    SentForm,
    add_by_hand,
    given_file,
    given_words,
    open_by_hand,
)
from tutela.cases.facts import Fact, said_facts
from tutela.cases.model import CaseId, ItemKind, read_case_id
from tutela.cases.moving import state_of
from tutela.errors import InvalidInputError
from tutela.screening.recognising import recognised

router = APIRouter(
    prefix="/v1/cases",
    tags=["cases"],
    responses=problems(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
Opener = Annotated[ApiKey, Security(Permitted(Permission.CASES_OPEN))]
_Sent = TypeVar("_Sent", bound=SentItems)
_WORDS = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_WORDS}}
_ADDING = {
    "file": {"type": "array", "items": FILE},
    "text": _WORDS,
    "url": _WORDS,
    "reference": WORD,
    "facts": {"type": "array", "items": {"enum": [each for each in Fact if not each.is_derived]}},
}
# Words of the greatest length, as a browser writes them that sends no files.
_LONGEST_FORM = 2 << 20
_OPENING = {**_ADDING, "subject": WORD, "due_at": {"type": "string", "format": "date-time"}}


def _body(model: type[SentItems], form: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": whole(schema, definitions), "example": example},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": form,
                    }
                },
            },
        }
    }


_EXAMPLE = {"items": [{"kind": "text", "words": "An excerpt of the conversation."}]}


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Open a case by hand",
    openapi_extra=_body(SentCase, _OPENING, {**_EXAMPLE, "subject": "account-4711"}),
)
async def open_case(
    request: Request,
    service: Here,
    key: Opener,
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=LONGEST_IDEMPOTENCY_KEY,
            description="Any text that names this request. Sent again, it opens no second case.",
        ),
    ] = None,
) -> StateAnswer:
    """Words and addresses as JSON, or files too, as multipart: `file`, `text`, `url`.

    All of it is sealed as evidence. If a case of the subject is open, it is added to that.
    """
    with service.capacity.place() as place:
        sent, given = await _received(request, service, place, SentCase)
        opening = partial(
            open_by_hand,
            service.screening.vault,
            given,
            caller_of_key(key),
            service.clock,
            subject=sent.subject,
            reference=sent.reference,
            facts=said_facts(sent.facts),
            due_at=sent.due_at,
            due_hours=service.settings.review.due_hours,
            request=None if idempotency_key is None else f"{key.id}\0{idempotency_key}",
        )
        case = await service.judge(opening, place.held)
    return await service.work(partial(_standing, service, case))


@router.post(
    "/{case}/items",
    summary="Add items to a case",
    responses=problems(HTTPStatus.NOT_FOUND),
    openapi_extra=_body(SentItems, _ADDING, _EXAMPLE),
)
async def add_items(request: Request, service: Here, key: Opener, case: str) -> StateAnswer:
    """As long as it is not decided, and in nobody's second look."""
    number = read_case_id(case)
    with service.capacity.place() as place:
        await service.work(partial(_standing, service, number))
        sent, given = await _received(request, service, place, SentItems)
        adding = partial(
            add_by_hand,
            service.screening.vault,
            number,
            given,
            caller_of_key(key),
            service.clock,
            reference=sent.reference,
            facts=said_facts(sent.facts),
        )
        await service.judge(adding, place.held)
    return await service.work(partial(_standing, service, number))


async def _received(
    request: Request, service: Service, place: Place, model: type[_Sent]
) -> tuple[_Sent, list[Given]]:
    """What was sent: its description, and the things themselves, words before files."""
    limit, seconds = service.settings.max_upload_mib << 20, service.settings.upload_seconds
    if not is_multipart(request.headers.get("content-type", "").encode()):
        announced = request.headers.get("content-length", "").encode()
        body = await receive_body(request.receive, announced, limit, place, seconds)
        sent = _understood(lambda: model.model_validate_json(body))
        given = [given_words(ItemKind(each.kind), each.words) for each in sent.items]
        return sent, await _recognised(service, given)
    form = await receive_form(request, limit, MOST_AT_ONCE, place, seconds)
    values: dict[str, object] = {
        name: form.word(name)
        for name in ("subject", "reference", "due_at")
        if name in form.fields and name in model.model_fields
    }
    values["facts"] = form.fields.get("facts", [])
    words = [
        {"kind": kind, "words": each}
        for kind in ("text", "url")
        for each in form.fields.get(kind, [])
    ]
    # A file alone is enough.
    described = words or [{"kind": "text", "words": "-"}]
    sent = _understood(lambda: model.model_validate({**values, "items": described}))
    files = await _given_files(service, form.files)
    spoken = [given_words(ItemKind(each["kind"]), each["words"]) for each in words]
    return sent, [*await _recognised(service, spoken), *files]


@asynccontextmanager
async def sent_by_form(service: Service, request: Request) -> AsyncIterator[SentForm]:
    """What a page's form sends, with or without files, under the limits of ``/v1/cases``.

    Raises:
        TooLargeError, InvalidInputError, TooSlowError, OverCapacityError: As for ``/v1/cases``.
    """
    limit, seconds = service.settings.max_upload_mib << 20, service.settings.upload_seconds
    with service.capacity.place() as place:
        if is_multipart(request.headers.get("content-type", "").encode()):
            form = await receive_form(request, limit, MOST_AT_ONCE, place, seconds)
            fields = form.fields
            # A field for files that nobody chose any for sends one without name and content.
            uploads = [each for each in form.files if each.name or each.content]
        else:
            announced = request.headers.get("content-length", "").encode()
            most = min(limit, _LONGEST_FORM)
            body = await receive_body(request.receive, announced, most, place, seconds)
            fields, uploads = parse_qs(body.decode("utf-8", "replace")), []

        async def judge(task: Callable[[], CaseId]) -> CaseId:
            return await service.judge(task, place.held)

        yield SentForm(
            fields,
            await _given_files(service, uploads),
            judge,
            partial(recognised, service.screening.screener),
        )


async def _recognised(service: Service, given: list[Given]) -> list[Given]:
    return await service.work(partial(recognised, service.screening.screener, given))


async def _given_files(service: Service, uploads: list[Upload]) -> list[Given]:
    known = await gather(*(known_of_upload(service, upload, whole=True) for upload in uploads))
    findings = await service.look_up(known)
    matches = await service.work(partial(service.screening.screener.matches_of, known, findings))
    return [
        given_file(upload.name, upload.pieces, file.fingerprints, matched)
        for upload, file, matched in zip(uploads, known, matches, strict=True)
    ]


def _understood(read: Callable[[], _Sent]) -> _Sent:
    try:
        return read()
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(str(part) for part in each['loc']) or 'body'}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        )
        raise InvalidInputError(details) from None


def _standing(service: Service, case: CaseId) -> StateAnswer:
    with service.database.reading() as connection:
        return StateAnswer(case=case, state=state_of(connection, case))
