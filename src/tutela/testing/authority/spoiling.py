"""Answers that are not as they should be."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tutela.testing.authority.answers import Answer
from tutela.testing.authority.model import Fault, Spoiling

XML = "text/xml;charset=utf-8"

# A name in the scope of a request: its connection, which an answer may cut.
CONNECTION = "tutela.connection"

_LAUGHS = (
    "<!DOCTYPE {root} [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    + "]>"
)
_DEPTH = 100_000


class Cut(Response):
    """Ends the connection in place of an answer, or in the midst of one.

    Args:
        of: What would have been answered; half of it is sent. ``None`` sends nothing.
    """

    def __init__(self, of: bytes | None = None) -> None:
        super().__init__()
        self._of = of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do it, on the server of this room."""
        connection: asyncio.Transport = scope["extensions"][CONNECTION]
        if self._of is None:
            connection.abort()
        else:
            length = str(len(self._of)).encode()
            headers = [(b"content-type", XML.encode()), (b"content-length", length)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            half = self._of[: len(self._of) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            connection.close()
        while (await receive())["type"] != "http.disconnect":
            pass


def spoilt(fault: Fault, answer: Answer) -> Response:
    """An answer as a fault would have it.

    Args:
        fault: It; any but a slow one, which spoils nothing.
        answer: What would have been answered.
    """
    return _WAYS[fault.spoiling](fault, answer)


def plain(answer: Answer, status: int = 200) -> Response:
    """An answer as it should be: whether it went well is in the body, not the status."""
    return Response(answer.xml(), status, media_type=XML)


def _drop(_fault: Fault, _answer: Answer) -> Response:
    return Cut()


def _status(fault: Fault, _answer: Answer) -> Response:
    wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    words = "The sandbox was told to answer so.\n"
    return Response(words, fault.status, wait, media_type="text/plain")


def _code(fault: Fault, answer: Answer) -> Response:
    return plain(Answer(fault.code, "The sandbox was told to answer so", answer.report))


def _redirect(fault: Fault, _answer: Answer) -> Response:
    # 307 asks for the same request once more, with its body.
    return Response(status_code=307, headers={"Location": fault.location or "/elsewhere"})


def _wrong_xml(_fault: Fault, _answer: Answer) -> Response:
    words = "<html><body><p>This is not what you asked for.</p></body></html>"
    return Response(words, media_type=XML)


def _half_xml(_fault: Fault, answer: Answer) -> Response:
    whole = answer.xml()
    return Response(whole[: len(whole) // 2], media_type=XML)


def _truncated(_fault: Fault, answer: Answer) -> Response:
    return Cut(answer.xml().encode())


def _huge(fault: Fault, answer: Answer) -> Response:
    return StreamingResponse(_padded(answer, fault.megabytes), media_type=XML)


async def _padded(answer: Answer, megabytes: int) -> AsyncIterator[bytes]:
    before, after = answer.xml(inside="\0").split("\0")
    yield before.encode()
    for _ in range(megabytes):
        yield b" " * 1_000_000
    yield after.encode()


def _trickle(fault: Fault, answer: Answer) -> Response:
    return StreamingResponse(_bytewise(answer.xml().encode(), fault.seconds), media_type=XML)


async def _bytewise(whole: bytes, seconds: float) -> AsyncIterator[bytes]:
    for place in range(len(whole)):
        await asyncio.sleep(seconds / len(whole))
        yield whole[place : place + 1]


def _doctype(_fault: Fault, answer: Answer) -> Response:
    prologue = _LAUGHS.replace("{root}", answer.root)
    return Response(answer.xml(prologue, "&a9;"), media_type=XML)


def _nested(_fault: Fault, answer: Answer) -> Response:
    return Response(answer.xml(inside="<a>" * _DEPTH + "</a>" * _DEPTH), media_type=XML)


def _other_md5(_fault: Fault, answer: Answer) -> Response:
    if answer.md5 is None:
        return plain(answer)
    return plain(replace(answer, md5="".join("1" if d == "0" else "0" for d in answer.md5)))


def _content_type(_fault: Fault, answer: Answer) -> Response:
    return Response(answer.xml(), media_type="text/html; charset=utf-8")


_WAYS = {
    Spoiling.HANG_UP: _drop,
    Spoiling.DROP: _drop,
    Spoiling.TRICKLE: _trickle,
    Spoiling.STATUS: _status,
    Spoiling.CODE: _code,
    Spoiling.REDIRECT: _redirect,
    Spoiling.WRONG_XML: _wrong_xml,
    Spoiling.HALF_XML: _half_xml,
    Spoiling.TRUNCATED: _truncated,
    Spoiling.HUGE: _huge,
    Spoiling.DOCTYPE: _doctype,
    Spoiling.NESTED: _nested,
    Spoiling.OTHER_MD5: _other_md5,
    Spoiling.CONTENT_TYPE: _content_type,
}
