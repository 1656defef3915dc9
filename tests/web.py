"""A server of the web that answers, byte by byte, as a test wants it to; so it can lie too."""

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answer = bytes | Callable[[Callable[[bytes], None]], None]


def answering(
    content: bytes = b"", status: str = "200 OK", *, length: bool = True, **headers: str
) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}"]
    if length:
        lines.append(f"content-length: {len(content)}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + content


def pointing_to(location: str, status: str = "302 Found") -> bytes:
    """A redirect."""
    return answering(b"", status, location=location)


@dataclass
class Web:
    """What is there, and what was asked for.

    Attributes:
        port: Where.
        pages: What is answered, by the path with its query.
        asked: The heads of the requests, in lower case.
    """

    port: int
    pages: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def at(self, path: str, answer: Answer, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """Put something there, and give its address."""
        self.pages[path] = answer
        return f"{scheme}://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        """What was asked for."""
        return [head.split(" ")[1] for head in self.asked]


@contextmanager
def running_web(context: ssl.SSLContext | None = None) -> Iterator[Web]:
    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            if context is not None:
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head and (line := self.rfile.readline()):
                head += line
            if not head:
                return
            web.asked.append(head.decode("latin-1").lower())
            path = head.split(b" ")[1].decode("latin-1")
            answer = web.pages.get(path, answering(b"", "404 Not Found"))
            with suppress(OSError):
                if callable(answer):
                    answer(self._send)
                else:
                    self._send(answer)

        def _send(self, piece: bytes) -> None:
            self.wfile.write(piece)
            self.wfile.flush()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A caller who hangs up is no matter."""

    server = Server(("127.0.0.1", 0), Handler)
    web = Web(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
