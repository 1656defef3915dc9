"""A platform's own server, as its people would write it: it checks signatures with the library."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


@dataclass
class Told:
    """One message as it came in."""

    message: str
    headers: dict[str, str]
    body: bytes
    data: dict[str, Any] | None


@dataclass
class Receiver:
    """Keeps what it is told, and answers as a test wants it to."""

    address: str
    secrets: list[str] = field(default_factory=list)
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""
    told: list[Told] = field(default_factory=list)
    before_answer: threading.Event | None = None

    def types(self) -> list[str]:
        return [each.data["type"] for each in self.told if each.data]

    def messages(self) -> list[str]:
        return [each.message for each in self.told]

    def verified(self, headers: dict[str, str], body: bytes) -> dict[str, Any] | None:
        for secret in self.secrets:
            try:
                return Webhook(secret).verify(body, headers)
            except WebhookVerificationError:
                continue
        return None


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            data = receiver.verified(headers, body)
            receiver.told.append(Told(headers.get("webhook-id", ""), headers, body, data))
            if receiver.before_answer is not None:
                receiver.before_answer.wait(30)
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hooks/tutela")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        if receiver.before_answer is not None:
            receiver.before_answer.set()
        server.shutdown()
        thread.join()
        server.server_close()
