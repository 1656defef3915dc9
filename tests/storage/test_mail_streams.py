"""A large message is handed over in pieces, and what became of it is known, or known not to be."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.certificates import own_certificate
from tests.mail_office import Mail as Mailed
from tests.mail_office import MailOffice, running_mail_office
from tutela.storage.mail_streams import (
    Attached,
    MailAddressRefusedError,
    MailNotTakenError,
    MailOutcomeUnknownError,
    MailRefusedError,
    MailSignInError,
    MailTooLargeError,
    Taken,
    hand_over,
)
from tutela.storage.settings import Mail, MailSecurity

CONTENT = os.urandom(200_001)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def office() -> Iterator[MailOffice]:
    with running_mail_office() as running:
        yield running


def attached(content: bytes = CONTENT) -> Attached:
    def pieces(size: int) -> Iterator[bytes]:
        for start in range(0, len(content), size):
            yield content[start : start + size]

    return Attached("package.tar.age", len(content), pieces)


def message(text: str = "Words for people.\n.\n.. and ünïcode 北京\n") -> EmailMessage:
    made = EmailMessage()
    made["To"] = "reports@authority.example"
    made["Subject"] = "Report 7 from Förum"
    made["Message-ID"] = "<tutela-7+a=b@forum.example>"
    made.set_content(text)
    return made


def send(
    office: MailOffice,
    content: Attached | None = None,
    before: Callable[[], None] = lambda: None,
    **mail: object,
) -> Taken:
    settings = {"server": "127.0.0.1", "security": MailSecurity.NONE} | mail
    return hand_over(
        Mail(port=office.port, sender="tutela@forum.example", **settings),  # type: ignore[arg-type]
        message(),
        content or attached(),
        before,
        step_seconds=20,
        end_seconds=20,
    )


def test_what_is_sent_arrives_as_it_is(office: MailOffice) -> None:
    assert send(office) == Taken("2.0.0 kept as 1", True)
    (mail,) = office.received
    assert (mail.sender, mail.recipient) == ("tutela@forum.example", "reports@authority.example")
    assert mail.text == "Words for people.\n.\n.. and ünïcode 北京\n"
    assert mail.message["Subject"] == "Report 7 from Förum"
    assert mail.message["Message-ID"] == "<tutela-7+a=b@forum.example>"
    assert mail.attached == CONTENT
    (file,) = mail.message.iter_attachments()
    assert file.get_filename() == "package.tar.age"
    assert mail.content.isascii()
    assert max(map(len, mail.content.splitlines())) <= 998
    assert office.said[-1].upper() == "QUIT"


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 1024 * 57, 1024 * 57 + 1])
def test_files_of_any_size_arrive_and_their_size_is_said_before(office, size: int) -> None:
    content = os.urandom(size)
    send(office, attached(content))
    assert office.received[0].attached == content
    said = int(office.lines_of("MAIL")[0].split("SIZE=")[1].split()[0])
    assert abs(said - len(office.received[0].content)) < 10


def test_notices_are_asked_for_where_the_server_gives_them(office: MailOffice) -> None:
    assert send(office).notifies
    assert "RET=HDRS ENVID=tutela-7+2Ba+3Db@forum.example" in office.lines_of("MAIL")[0]
    assert office.lines_of("RCPT")[0].endswith(
        "NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;reports@authority.example"
    )
    office.extensions = ["HELP"]
    assert not send(office).notifies
    assert "RET" not in office.lines_of("MAIL")[1]
    assert "NOTIFY" not in office.lines_of("RCPT")[1]


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "middle"])
def test_a_connection_that_breaks_before_the_end_has_left_nothing(office, step: str) -> None:
    office.drops.append(step)
    ends: list[str] = []
    # Large enough that the break is noticed while it is being sent.
    large = attached(bytes(20_000_000))
    with pytest.raises(MailNotTakenError) as caught:
        send(office, large, lambda: ends.append("end"))
    assert not isinstance(caught.value, MailRefusedError)
    assert office.received == ends == []


@pytest.mark.parametrize("loses_it", [True, False])
def test_one_that_breaks_after_the_end_leaves_a_question(office, loses_it: bool) -> None:
    office.drops.append("end")
    office.loses_it = loses_it
    with pytest.raises(MailOutcomeUnknownError, match="may have been taken"):
        send(office)
    assert len(office.received) == (0 if loses_it else 1)


def test_silence_after_the_end_is_a_question_too(office: MailOffice) -> None:
    office.stalls.add("end")
    with pytest.raises(MailOutcomeUnknownError):
        hand_over(
            Mail(server="127.0.0.1", port=office.port, security=MailSecurity.NONE),
            message(), attached(), lambda: None, end_seconds=0.2,
        )  # fmt: skip


@pytest.mark.parametrize("answer", ["354 more?", "99", "hello", "120 wait"])
def test_an_answer_to_the_end_that_nobody_understands_is_one_as_well(office, answer: str) -> None:
    office.answers["end"] = [answer]
    with pytest.raises(MailOutcomeUnknownError):
        send(office)


def test_whatever_the_server_says_to_goodbye_it_has_taken_it(office: MailOffice) -> None:
    office.answers["QUIT"] = ["500 no"]
    assert send(office).answer == "2.0.0 kept as 1"
    office.drops.append("QUIT")
    assert send(office).answer == "2.0.0 kept as 2"


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "end"])
def test_not_now_is_not_never(office: MailOffice, step: str) -> None:
    for_good = MailAddressRefusedError if step in ("MAIL", "RCPT") else MailRefusedError
    for code, kind in ((451, MailNotTakenError), (550, for_good)):
        office.answers[step] = [f"{code} 4.7.1 greylisted"] * 2
        with pytest.raises(kind, match=str(code)) as caught:
            send(office)
        assert type(caught.value) is kind
        office.answers.clear()
    assert office.received == []


def test_what_is_too_large_is_said_before_it_is_sent(office: MailOffice) -> None:
    office.extensions = ["SIZE 100000"]
    with pytest.raises(MailTooLargeError, match="at most 100,000 bytes") as caught:
        send(office)
    assert caught.value.limit == 100_000
    assert office.lines_of("MAIL") == []
    office.extensions = ["SIZE 0"]
    office.answers["MAIL"] = ["552 5.3.4 too big for us"]
    with pytest.raises(MailTooLargeError):
        send(office)
    assert send(office).answer


def test_if_it_may_not_end_it_has_not_been_taken(office: MailOffice) -> None:
    def lost() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        send(office, before=lost)
    assert office.received == []


def test_a_file_that_cannot_be_read_to_its_end_is_not_sent(office: MailOffice) -> None:
    def broken(_: int) -> Iterator[bytes]:
        yield bytes(57)
        raise OSError("the disk")

    with pytest.raises(OSError, match="the disk"):
        send(office, Attached("x", 200, broken))
    assert office.received == []


def test_a_server_that_is_not_there_is_said(office: MailOffice) -> None:
    gone = MailOffice(port=1)
    with pytest.raises(MailNotTakenError, match="cannot be reached"):
        send(gone)


@pytest.fixture
def protected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailOffice]:
    certificate = own_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with running_mail_office(
        certificate=certificate,
        extensions=["STARTTLS", "AUTH PLAIN", "SIZE 50000000"],
        password=("house", "secret"),
    ) as running:
        yield running


def test_the_way_is_protected_and_the_house_signs_in(protected: MailOffice) -> None:
    how = {"server": "localhost", "security": MailSecurity.STARTTLS, "user": "house"}
    send(protected, **how, password="secret")
    assert protected.received[0].attached == CONTENT
    with pytest.raises(MailSignInError, match="who are you"):
        send(protected, **how, password="another")
    protected.answers["MAIL"] = ["530 5.7.0 sign in first"]
    with pytest.raises(MailSignInError, match="sign in first"):
        send(protected, server="localhost", security=MailSecurity.STARTTLS)


def test_a_stranger_with_its_name_gets_nothing(protected, monkeypatch, tmp_path) -> None:
    empty = tmp_path / "none.pem"
    empty.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(empty))
    with pytest.raises(MailNotTakenError, match="not protected"):
        send(protected, server="localhost", security=MailSecurity.STARTTLS)
    assert protected.lines_of("MAIL") == []


def test_a_server_without_protection_is_not_spoken_to(office: MailOffice) -> None:
    with pytest.raises(MailSignInError, match="STARTTLS"):
        send(office, security=MailSecurity.STARTTLS)
    assert office.lines_of("MAIL") == []


_MEASURED = """
import resource, sys
from email.message import EmailMessage
from tutela.storage.mail_streams import Attached, hand_over
from tutela.storage.settings import Mail
def pieces(many):
    return lambda size: (bytes(size) for _ in range(many))
def send(many):
    message = EmailMessage()
    message["To"], message["Message-ID"] = "a@b.example", "<1@c.example>"
    message.set_content("words")
    size = 1024 * 57
    hand_over(Mail(server="127.0.0.1", port=int(sys.argv[1]), security="none"), message,
              Attached("x", many * size, pieces(many)), lambda: None)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(send(10), send(600))
"""


def test_memory_does_not_grow_with_the_message(office: MailOffice) -> None:
    office.extensions = []
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(office.port)],
        capture_output=True,
        text=True,
        check=True,
    )
    small, large = map(int, done.stdout.split())
    assert large - small < 4096


def test_another_projects_server_takes_it(tmp_path: Path, monkeypatch) -> None:
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Sink
    from aiosmtpd.smtp import AuthResult, Envelope

    taken: list[Envelope] = []

    class Keeping(Sink):
        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            taken.append(envelope)
            return "250 2.0.0 kept"

    certificate = own_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    controller = Controller(
        Keeping(),
        "127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=lambda *arguments: AuthResult(
            success=arguments[-1].login == b"house" and arguments[-1].password == b"secret",
            handled=False,
        ),
        data_size_limit=1_000_000,
    )
    controller.start()
    try:
        office = MailOffice(port=controller.port)
        how = {"server": "localhost", "security": MailSecurity.STARTTLS, "user": "house"}
        assert send(office, **how, password="secret").answer == "2.0.0 kept"
        with pytest.raises(MailSignInError):
            send(office, **how, password="another")
        with pytest.raises(MailTooLargeError, match="at most 1,000,000 bytes"):
            send(office, attached(bytes(1_000_000)), **how, password="secret")
    finally:
        controller.stop()
    (envelope,) = taken
    assert envelope.rcpt_tos == ["reports@authority.example"]
    assert Mailed("", "", envelope.content).attached == CONTENT
