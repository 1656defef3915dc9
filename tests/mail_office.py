"""A mail server as authorities run them (RFC 5321), which can be told to fail at any step."""

import base64
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

STEPS = ("connect", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "middle", "end", "QUIT")


@dataclass
class Mail:
    """One message as it was taken."""

    sender: str
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=default)  # type: ignore[return-value]

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    @property
    def attached(self) -> bytes:
        (file,) = self.message.iter_attachments()
        content = file.get_content()
        assert isinstance(content, bytes)
        return content


@dataclass
class MailOffice:
    """What a test says of the server, and what the server has seen.

    Attributes:
        extensions: What it offers to whoever says EHLO.
        answers: By step, what it answers the next times instead of what is usual.
        drops: The steps at which it closes the connection, the next time that one comes: those
            before the end before anything is answered, the end after the message is kept.
        loses_it: Whether a message whose end was dropped is forgotten instead of kept.
        stalls: The steps at which it says nothing any more.
        password: What ``AUTH PLAIN`` wants, if it wants that.
    """

    port: int = 0
    extensions: list[str] = field(default_factory=lambda: ["SIZE 50000000", "DSN"])
    answers: dict[str, list[str]] = field(default_factory=dict)
    drops: list[str] = field(default_factory=list)
    loses_it: bool = False
    stalls: set[str] = field(default_factory=set)
    password: tuple[str, str] | None = None
    certificate: tuple[Path, Path] | None = None
    received: list[Mail] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    going_on: threading.Event = field(default_factory=threading.Event)
    reached: dict[str, threading.Event] = field(
        default_factory=lambda: {step: threading.Event() for step in STEPS}
    )

    def lines_of(self, word: str) -> list[str]:
        return [line for line in self.said if line.upper().startswith(word)]


@contextmanager
def running_mail_office(**changes: object) -> Iterator[MailOffice]:
    office = MailOffice(**changes)  # type: ignore[arg-type]

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def __init__(self) -> None:
            super().__init__(("127.0.0.1", 0), _Session)
            self.office = office

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # A sender that hangs up is what is tested.

    with Server() as server:
        office.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield office
        finally:
            office.going_on.set()
            server.shutdown()
            thread.join()


class _DroppedError(Exception):
    pass


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.office: MailOffice = self.server.office  # type: ignore[attr-defined]
        self.sender = self.recipient = ""
        try:
            self.answer("connect", "220 mail.authority.example")
            while line := self.rfile.readline().decode().strip():
                self.office.said.append(line)
                if not self.command(line):
                    return
        except _DroppedError:
            pass

    def command(self, line: str) -> bool:
        word = line.split(" ", maxsplit=1)[0].upper()
        match word:
            case "EHLO" | "HELO":
                names = ["mail.authority.example", *self.office.extensions]
                lines = [f"250-{name}" for name in names[:-1]] + [f"250 {names[-1]}"]
                self.answer("EHLO", "\r\n".join(lines))
            case "STARTTLS":
                self.say("220 go on")
                self.protect()
            case "AUTH":
                wanted = "\0".join(("", *(self.office.password or ("", "")))).encode()
                good = base64.b64decode(line.split(" ")[2]) == wanted
                self.answer("AUTH", "235 2.7.0 well" if good else "535 5.7.8 who are you?")
            case "MAIL":
                self.sender = self.address(line)
                self.answer("MAIL", "250 2.1.0 well")
            case "RCPT":
                self.recipient = self.address(line)
                self.answer("RCPT", "250 2.1.5 well")
            case "DATA":
                if self.answer("DATA", "354 go on").startswith("354"):
                    self.message()
            case "QUIT":
                self.answer("QUIT", "221 bye")
                return False
            case "RSET" | "NOOP":
                self.say("250 well")
            case _:
                self.say("502 what?")
        return True

    def message(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return  # Without its end it is no message.
            if len(lines) == 20:
                self.reach("middle")
            lines.append(line[1:] if line.startswith(b".") else line)
        kept = Mail(self.sender, self.recipient, b"".join(lines))
        dropping = "end" in self.office.drops
        if not (dropping and self.office.loses_it):
            answers = self.office.answers.get("end")
            if not answers or answers[0].startswith("2"):
                self.office.received.append(kept)
        self.answer("end", f"250 2.0.0 kept as {len(self.office.received)}")

    def answer(self, step: str, usual: str) -> str:
        self.reach(step)
        answers = self.office.answers.get(step)
        said = answers.pop(0) if answers else usual
        self.say(said)
        return said

    def reach(self, step: str) -> None:
        self.office.reached[step].set()
        if step in self.office.stalls:
            self.office.going_on.wait(60)
        if step in self.office.drops:
            self.office.drops.remove(step)
            raise _DroppedError

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def protect(self) -> None:
        assert self.office.certificate is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.office.certificate)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    @staticmethod
    def address(line: str) -> str:
        found = re.search(r"<(.*?)>", line)
        assert found is not None
        return found[1]
