"""Screening of fingerprints, addresses and texts, sent as JSON, past the framework.

A look-up takes some tens of microseconds, and the framework's own work for a request is many times
that (``docs/decisions/0017``). So a request without files is answered here, on the event loop,
without a thread and without the database, as long as nothing is found. Its routes are described
with those for files in ``screening.py``, which get what is sent as multipart.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from fastapi.responses import Response
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from tutela.accounts.keys import require
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.fetching import screen_file_of
from tutela.api.judging import answer_of, one_of_many, submission_of
from tutela.api.problems import answer_to, answer_to_one_who_left
from tutela.api.receiving import is_multipart, receive_body
from tutela.api.screening_documents import (
    LONGEST_IDEMPOTENCY_KEY,
    BatchAnswer,
    BatchRequest,
    ScreenAnswer,
    ScreenRequest,
)
from tutela.api.service import Service, no_key
from tutela.errors import InvalidInputError, TooLargeError, TutelaError
from tutela.fingerprints.vpdq import MOST_FRAMES
from tutela.screening.model import Known
from tutela.screening.screening import Findings

# One item of fingerprints is less than this, written out with all its names, a subject and a
# reference of 200 characters, each of which JSON may write in twelve bytes.
_ITEM = 9 << 10
# A name has up to 4096 characters, which JSON may write in six bytes each.
_LONGEST_NAME = 4096 * 6
# A frame of a vPDQ hash is 64 digits, its quality and its instant, written in JSON.
_LONGEST_VIDEO = 90 * MOST_FRAMES
# What is longer takes longer to read than handing it to a thread is worth.
_SHORT = 64 << 10
# So is more than so many letters of addresses and texts, which are brought into their form first.
_FEW_LETTERS = 2_000

_Headers = Mapping[bytes, bytes]
_Items = Sequence[ScreenRequest]
_Sent = TypeVar("_Sent", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Route:
    """One of the two ways to ask.

    Attributes:
        path: Where.
        limit: How long the body may be, in bytes.
        read: Understands the body.
        clear: The answer when nothing was found of so many items.
        told: The answer otherwise.
        idempotency_key: The one of an item, by its place.
        file_of: Answers for a file that an address leads to, or holds.
    """

    path: str
    limit: Callable[[Service], int]
    read: Callable[[Service, bytes], _Items]
    clear: Callable[[int], Response]
    told: Callable[[list[ScreenAnswer]], BaseModel]
    idempotency_key: Callable[[str | None, int], str | None]
    file_of: Callable[[Service, _Items, ApiKey, str | None], Awaitable[ScreenAnswer]]


class FingerprintLane:
    """Middleware that answers for fingerprints, and lets all other requests pass."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer one request."""
        route = _ROUTES.get(scope["path"]) if scope["type"] == "http" else None
        if route is None or scope["method"] != "POST":
            await self._application(scope, receive, send)
            return
        # Of headers that come twice the first counts, as it does with the framework.
        headers = dict(reversed(scope["headers"]))
        if is_multipart(headers.get(b"content-type", b"")):
            await self._application(scope, receive, send)
            return
        # For the measurements.
        scope["route"] = route
        try:
            answer = await _answer(scope["app"].state.service, route, headers, receive)
        except TutelaError as error:
            answer = answer_to(error)
        except ClientDisconnect:
            answer = answer_to_one_who_left()
        await answer(scope, receive, send)


async def _answer(service: Service, route: _Route, headers: _Headers, receive: Receive) -> Response:
    await service.fingerprint_turns.take()
    key = await service.check_key(_bearer(headers))
    require(key, Permission.SCREEN)
    idempotency_key = _idempotency_key(headers)
    with service.fingerprint_capacity.place() as place:
        body = await receive_body(
            receive,
            headers.get(b"content-length", b""),
            route.limit(service),
            place,
            service.settings.upload_seconds,
        )
        is_short = len(body) <= _SHORT
        read = partial(route.read, service, body)
        items = read() if is_short else await service.work(read)
        if not any(item.is_file for item in items):
            letters = sum(len(item.url or item.text or "") for item in items)
            is_quick = is_short and letters <= _FEW_LETTERS
            files = _known(items) if is_quick else await service.work(partial(_known, items))
            findings = await service.look_up(files)
            if findings.nothing:
                service.screening.screener.count_clear(len(items))
                return route.clear(len(items))
            answers = await service.judge(
                partial(
                    _judge,
                    service,
                    route,
                    items,
                    files,
                    findings,
                    key=key,
                    idempotency_key=idempotency_key,
                ),
                place.held,
            )
            return _told(route, answers)
    # Which may take long, and has places of its own.
    return _told(route, [await route.file_of(service, items, key, idempotency_key)])


def _known(items: _Items) -> list[Known]:
    return [item.known() for item in items]


def _judge(
    service: Service,
    route: _Route,
    items: _Items,
    files: Sequence[Known],
    findings: Findings,
    *,
    key: ApiKey,
    idempotency_key: str | None,
) -> list[ScreenAnswer]:
    submissions = [
        submission_of(
            known,
            item.name,
            key,
            route.idempotency_key(idempotency_key, number),
            item.content(),
            subject=item.subject,
            reference=item.reference,
        )
        for number, (item, known) in enumerate(zip(items, files, strict=True))
    ]
    outcomes = service.screening.screener.judge(submissions, findings)
    return [answer_of(outcome, key) for outcome in outcomes]


def _bearer(headers: _Headers) -> str:
    scheme, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer":
        raise no_key()
    return key.strip()


def _idempotency_key(headers: _Headers) -> str | None:
    sent = headers.get(b"idempotency-key")
    if sent is None:
        return None
    if len(sent) > LONGEST_IDEMPOTENCY_KEY:
        raise InvalidInputError(
            f"header.idempotency-key: it has at most {LONGEST_IDEMPOTENCY_KEY} characters"
        )
    return sent.decode("latin-1")


def _read_one(_service: Service, body: bytes) -> _Items:
    return [_understood(ScreenRequest, body)]


def _read_batch(service: Service, body: bytes) -> _Items:
    items = _understood(BatchRequest, body).items
    most = service.settings.max_batch
    if len(items) > most:
        raise TooLargeError(f"{len(items)} items were sent: send at most {most} at once")
    return items


def _understood(model: type[_Sent], body: bytes) -> _Sent:
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


async def _file_of_one(
    service: Service, items: _Items, key: ApiKey, idempotency_key: str | None
) -> ScreenAnswer:
    return answer_of(await screen_file_of(service, items[0], key, idempotency_key), key)


async def _file_of_none(*_: object) -> ScreenAnswer:
    raise InvalidInputError(
        "what addresses lead to or hold is screened one by one: send each to /v1/screen"
    )


def _told(route: _Route, answers: list[ScreenAnswer]) -> Response:
    return _json(route.told(answers).model_dump_json(exclude_none=True).encode())


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


_CLEAR = b'{"verdict":"clear"}'
_CLEAR_ANSWER = _json(_CLEAR)
_ROUTES = {
    route.path: route
    for route in (
        _Route(
            path="/v1/screen",
            limit=lambda _: _ITEM + _LONGEST_NAME + _LONGEST_VIDEO,
            read=_read_one,
            clear=lambda _: _CLEAR_ANSWER,
            told=lambda answers: answers[0],
            idempotency_key=lambda key, _: key,
            file_of=_file_of_one,
        ),
        _Route(
            path="/v1/screen/batch",
            limit=lambda service: service.settings.max_batch * _ITEM,
            read=_read_batch,
            clear=lambda count: _json(b'{"results":[' + b",".join([_CLEAR] * count) + b"]}"),
            told=lambda answers: BatchAnswer(results=answers),
            idempotency_key=one_of_many,
            file_of=_file_of_none,
        ),
    )
}
