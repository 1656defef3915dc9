"""The calls of the real interface, under ``/ispws/``."""

import asyncio
import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from fastapi import APIRouter, Request, Response
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from tutela.testing.authority.answers import Answer
from tutela.testing.authority.documents import Documents
from tutela.testing.authority.faults import next_fault
from tutela.testing.authority.forms import Form, read_form, read_whole
from tutela.testing.authority.model import Call, Code, Fault, Refused, Spoiling
from tutela.testing.authority.registry import Registry
from tutela.testing.authority.spoiling import XML, plain, spoilt


@dataclass(frozen=True, slots=True)
class Rules:
    """What the authority lets in.

    Attributes:
        user: The name in the credentials that are right.
        password: Their password.
        documents: What documents are checked by.
        most_document_bytes: How large a ``<report>`` or ``<fileDetails>`` may be.
        most_file_bytes: How large a file may be.
    """

    user: str
    password: str
    documents: Documents = field(default_factory=Documents.by_own_schema)
    most_document_bytes: int = 10_000_000
    most_file_bytes: int = 10_000_000_000


Act = Callable[[], Answer]


class Counter:
    """Where calls come in, are let through or refused, made to fail, and noted.

    Args:
        registry: What is remembered.
        rules: What is let in.
    """

    def __init__(self, registry: Registry, rules: Rules) -> None:
        self._registry = registry
        self._rules = rules

    async def take(self, call: Call, request: Request) -> Response:
        """Answer a call."""
        fault = next_fault(self._registry, call)
        answer = None
        try:
            if fault is None or fault.spoiling is not Spoiling.HANG_UP:
                answer = await self._answer(call, request, fault)
        except Refused as refused:
            answer = Answer(refused.code, str(refused), refused.report)
        except ClientDisconnect:
            pass
        self._registry.note_call(
            call,
            _credentials(request)[0],
            answer.report if answer else None,
            answer.code if answer else None,
            spoiling=fault.spoiling if fault else None,
            took_effect=answer is not None and answer.code is Code.SUCCESS,
        )
        if fault and fault.spoiling is not Spoiling.SLOW:
            return spoilt(fault, answer or Answer())
        if fault and fault.after_effect:
            await asyncio.sleep(fault.seconds)
        if call is Call.XSD and answer and answer.code is Code.SUCCESS:
            return Response(self._rules.documents.text, media_type=XML)
        return plain(answer or Answer(Code.SERVER_ERROR, "Nobody listens any more"))

    async def _answer(self, call: Call, request: Request, fault: Fault | None) -> Answer | None:
        """Do what is asked, if it is to take effect; ``None`` if it is not."""
        user = self._let_in(request)
        act = await self._read(call, request, user)
        if fault and fault.spoiling is Spoiling.SLOW and not fault.after_effect:
            await asyncio.sleep(fault.seconds)
        return act() if fault is None or fault.takes_effect else None

    def _let_in(self, request: Request) -> str:
        user, password = _credentials(request)
        rules = self._rules
        right = secrets.compare_digest((user or "").encode(), rules.user.encode())
        right &= secrets.compare_digest((password or "").encode(), rules.password.encode())
        if user is None or not right:
            raise Refused(Code.NOT_AUTHENTICATED, "These are not the sandbox's user and password")
        return user

    async def _read(self, call: Call, request: Request, user: str) -> Act:
        """Read what was sent; gives what is to be done."""
        match call:
            case Call.SUBMIT:
                return partial(self._submit, user, await self._document(request))
            case Call.UPLOAD:
                return partial(self._upload, await read_form(request, self._rules.most_file_bytes))
            case Call.FILEINFO:
                return partial(self._describe, await self._document(request))
            case Call.FINISH:
                return partial(self._finish, await read_form(request, 0))
            case Call.RETRACT:
                return partial(self._retract, await read_form(request, 0))
        return partial(Answer, description=f"Remote User : {user}")

    async def _document(self, request: Request) -> bytes:
        kind, options = parse_options_header(request.headers.get("content-type"))
        if kind not in (b"text/xml", b"application/xml"):
            raise Refused(Code.INVALID_REQUEST, "The content type has to be text/xml")
        if options.get(b"charset", b"utf-8").lower() != b"utf-8":
            raise Refused(Code.INVALID_REQUEST, "The character set has to be UTF-8")
        return await read_whole(request, self._rules.most_document_bytes)

    def _submit(self, user: str, body: bytes) -> Answer:
        document = self._rules.documents.check_report(body)
        return Answer(report=self._registry.open_report(user, document))

    def _upload(self, form: Form) -> Answer:
        report = form.number()
        if form.file is None:
            raise Refused(Code.INVALID_REQUEST, "The field file has to be a file", report)
        file = self._registry.add_file(report, form.file)
        return Answer(report=report, file=file, md5=form.file.md5)

    def _describe(self, body: bytes) -> Answer:
        details = self._rules.documents.read_details(body)
        report = details.report_id
        self._registry.describe_file(report, details.file_id, body.decode())
        return Answer(report=report)

    def _finish(self, form: Form) -> Answer:
        report = form.number()
        return Answer(report=report, finished=tuple(self._registry.finish(report)))

    def _retract(self, form: Form) -> Answer:
        report = form.number()
        self._registry.retract(report)
        return Answer(report=report)


def calls(counter: Counter) -> APIRouter:
    """The routes of the real interface."""
    router = APIRouter(prefix="/ispws")
    for call in Call:
        if call is not Call.ELSEWHERE:
            method = "GET" if call in (Call.STATUS, Call.XSD) else "POST"
            router.add_api_route(f"/{call}", _route(counter, call), methods=[method])
    return router


def elsewhere(counter: Counter) -> APIRouter:
    """Where a fault may redirect to: whoever follows is noted, with the name in its credentials."""
    router = APIRouter()
    router.add_api_route("/elsewhere", _route(counter, Call.ELSEWHERE), methods=["GET", "POST"])
    return router


def _route(counter: Counter, call: Call) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await counter.take(call, request)

    return answer


def _credentials(request: Request) -> tuple[str | None, str | None]:
    """The name and the password that were sent, where any were."""
    kind, _, words = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None, None
    try:
        user, colon, password = base64.b64decode(words, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return (user, password) if colon else (None, None)
