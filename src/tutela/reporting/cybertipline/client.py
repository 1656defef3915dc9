"""Calling the CyberTipline's interface: one request, one answer, within its time.

Where an answer points to is not followed, what is answered is read no further than is foreseen, and
neither what was sent nor the credentials are in any message.
"""

import ssl
import time
from collections.abc import Iterator
from functools import cache

import httpx

import tutela
from tutela.reporting.cybertipline.answers import (
    MOST_BYTES,
    Answer,
    Call,
    UnreadableAnswerError,
    read_answer,
)
from tutela.reporting.cybertipline.in_time import InTime
from tutela.reporting.cybertipline.multipart import Form, form
from tutela.reporting.cybertipline.sandbox import SANDBOX_HEADER
from tutela.reporting.cybertipline.server import Server
from tutela.reporting.delivery.channel import SendingFile, TryLaterError, WrongCredentialsError

_CONNECT_SECONDS = 10.0
# One that takes a file more slowly than this is taken for one that does not answer.
_SLOWEST_BYTES_A_SECOND = 50_000
_XML = {"content-type": "text/xml; charset=utf-8"}
_HEADERS = {
    "user-agent": f"tutela/{tutela.__version__}",
    "accept": "text/xml, application/xml",
    "accept-encoding": "identity",
}


class NoAnswerError(TryLaterError):
    """There was no answer, or none that can be read: what was asked may have been done, or not."""


class WrongServerError(WrongCredentialsError):
    """This is not the server that the settings are meant for."""


class Client:
    """Calls one server. Safe to share between threads.

    Each call raises ``NoAnswerError`` where nobody knows whether it took effect,
    ``WrongCredentialsError`` where the house is not let in, and ``WrongServerError`` where a
    sandbox is taken for the authority or the other way round.

    Args:
        server: Where, as whom, and for how long.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        # Each process connects for itself, and over TLS to a name that a certificate proves.
        self._transport = InTime(_trust() if server.base.startswith("https:") else False)
        self._http = httpx.Client(
            transport=self._transport,
            base_url=server.base,
            auth=(server.user, server.password),
            headers=_HEADERS,
            timeout=httpx.Timeout(server.seconds, connect=min(_CONNECT_SECONDS, server.seconds)),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def status(self) -> Answer:
        """Ask whether it is there, and lets this house in. Changes nothing."""
        return self._call(Call.STATUS)

    def submit(self, document: bytes) -> Answer:
        """Open a report: ``<report>``."""
        return self._call(Call.SUBMIT, content=document, headers=_XML)

    def upload(self, report: str, file: SendingFile, pieces: Iterator[bytes]) -> Answer:
        """Add a file to an open report, piece by piece."""
        sent = form({"id": report}, file=pieces, file_name=file.name, file_size=file.size)
        return self._send(Call.UPLOAD, sent, seconds=sent.size / _SLOWEST_BYTES_A_SECOND)

    def describe(self, document: bytes) -> Answer:
        """Say something of a file: ``<fileDetails>``."""
        return self._call(Call.FILEINFO, content=document, headers=_XML)

    def finish(self, report: str) -> Answer:
        """Have an open report count."""
        return self._send(Call.FINISH, form({"id": report}))

    def retract(self, report: str) -> Answer:
        """Have an open report never count."""
        return self._send(Call.RETRACT, form({"id": report}))

    def _send(self, call: Call, sent: Form, *, seconds: float = 0.0) -> Answer:
        headers = {"content-type": sent.content_type, "content-length": str(sent.size)}
        return self._call(call, content=sent.pieces, headers=headers, seconds=seconds)

    def _call(
        self,
        call: Call,
        *,
        content: bytes | Iterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = 0.0,
    ) -> Answer:
        # To connect, to send, and to be answered.
        whole = 2 * self._server.seconds + seconds
        try:
            method = "GET" if call is Call.STATUS else "POST"
            sending = self._http.stream(method, f"/{call}", content=content, headers=headers)
            with self._transport.within(whole), sending as response:
                body = self._body(response)
        except httpx.TimeoutException:
            raise NoAnswerError(f"no answer within {self._server.seconds:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise NoAnswerError(_words_for(error)) from None
        return self._understood(call, response, body)

    def _body(self, response: httpx.Response) -> bytes | None:
        """What was answered; ``None`` if it is more than anybody answers."""
        # No limit on one step alone keeps a server that sends a byte now and then from holding on.
        deadline = time.monotonic() + self._server.seconds
        body = bytearray()
        for piece in response.iter_raw():
            body += piece
            if len(body) > MOST_BYTES:
                return None
            if time.monotonic() > deadline:
                raise NoAnswerError(f"no whole answer within {self._server.seconds:g} seconds")
        return bytes(body)

    def _understood(self, call: Call, response: httpx.Response, body: bytes | None) -> Answer:
        says_sandbox = response.headers.get(SANDBOX_HEADER, "").strip().lower() == "yes"
        if says_sandbox and not self._server.is_sandbox:
            raise WrongServerError(
                "a sandbox answers where the authority should: somebody stands between; nothing "
                "more is sent"
            )
        try:
            answer = read_answer(call, body) if body is not None else None
        except UnreadableAnswerError:
            answer = None
        if answer is None or (answer.is_success and not response.is_success):
            raise self._failure(response)
        if self._server.is_sandbox and not says_sandbox:
            raise WrongServerError(
                "what answers at reporting.cybertipline.address does not say that it is a sandbox: "
                "set the environment to test or live if it is the real thing"
            )
        return answer

    def _failure(self, response: httpx.Response) -> TryLaterError | WrongCredentialsError:
        status = response.status_code
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return WrongCredentialsError(f"answered {status}: see the user and the password")
        if response.is_redirect:
            return NoAnswerError(f"answered {status}: where an answer points to is not followed")
        if response.is_success:
            return NoAnswerError("answered what is no answer of the CyberTipline")
        return NoAnswerError(f"answered {status}", _asked_seconds(response))


def _asked_seconds(response: httpx.Response) -> float | None:
    # As a date it is hardly ever given, and a minute of ours is as good.
    asked = response.headers.get("retry-after", "").strip()
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else None


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _words_for(error: Exception) -> str:
    # The words of a library may quote what was sent; its kinds of errors say enough.
    if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
        return "its certificate is not trusted"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    return f"no proper answer ({type(error).__name__})"
