"""A body that is not in memory is signed and posted as one that is."""

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhooks.receiver import Receiver, running_receiver
from tutela.webhooks.posting import Answer, LargeBody, post
from tutela.webhooks.signing import (
    is_secret,
    new_secret,
    signed_headers,
    signed_headers_of_pieces,
)

OWN = (ip_network("127.0.0.0/8"),)


def large(content: bytes, piece: int = 1000) -> LargeBody:
    def pieces() -> Iterator[bytes]:
        for start in range(0, len(content), piece):
            yield content[start : start + piece]

    return LargeBody(len(content), pieces)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@given(st.text(), st.integers(1, 50))
def test_both_ways_of_signing_give_the_same(text: str, piece: int) -> None:
    body = text.encode("utf-8", "replace")
    known, now = [new_secret(), new_secret()], datetime.now(UTC)
    assert signed_headers_of_pieces(
        "msg_1", large(body, piece).pieces(), known, now
    ) == signed_headers("msg_1", body, known, now)


def test_a_receiver_knows_a_large_body_by_its_signature(receiver: Receiver) -> None:
    receiver.secrets.append(new_secret())
    content = json.dumps({"content": os.urandom(500_000).hex()}).encode()
    body = large(content, 70_000)
    headers = signed_headers_of_pieces("msg_1", body.pieces(), receiver.secrets, datetime.now(UTC))
    assert post(receiver.address, body, headers, private=OWN, seconds=20).failure is None
    (told,) = receiver.told
    assert (told.body, told.data) == (content, json.loads(content))
    assert "transfer-encoding" not in told.headers


@pytest.mark.parametrize(
    "text", ["", "x", "whsec_", "whsec_!!", "whsec_YWJj", f"whsec_{'A' * 200}"]
)
def test_what_is_no_secret_is_told(text: str) -> None:
    assert not is_secret(text)
    assert is_secret(new_secret())


def test_no_more_of_an_answer_is_kept_than_is_wanted(receiver: Receiver) -> None:
    receiver.status, receiver.answer = 200, b"y" * 3_000_000
    receiver.headers["retry-after"] = "120"
    answer = post(receiver.address, b"{}", {}, private=OWN, seconds=20, keeping=4096)
    assert (answer.failure, answer.beginning, answer.retry_after) == (None, b"y" * 4096, "120")


@contextmanager
def answering(words: Callable[[socketserver.StreamRequestHandler], None]) -> Iterator[str]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.request.recv(1 << 16)
            words(self)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


def asked(address: str) -> Answer:
    return post(address, b"{}", {}, private=OWN, seconds=1, keeping=4096)


def test_one_that_says_yes_and_never_ends_has_said_yes() -> None:
    ended = threading.Event()

    def drip(handler: socketserver.StreamRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
        ended.wait(30)

    with answering(drip) as address:
        answer = asked(address)
        ended.set()
    assert (answer.status, answer.failure, answer.beginning) == (200, None, b"{")


def test_one_that_says_yes_and_hangs_up_has_said_yes() -> None:
    with answering(
        lambda handler: (
            handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{") and None
        )
    ) as address:
        assert (asked(address).status, asked(address).failure) == (200, None)


def test_headers_without_end_are_no_answer() -> None:
    def talk(handler: socketserver.StreamRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(10_000):
            handler.wfile.write(b"x: " + b"y" * 1000 + b"\r\n")

    with answering(talk) as address:
        answer = asked(address)
    assert answer.status is None
    assert answer.failure is not None


def test_a_receiver_that_refuses_before_the_end_is_heard() -> None:
    def refuse(handler: socketserver.StreamRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 413 no\r\ncontent-length: 0\r\n\r\n")
        while handler.request.recv(1 << 16):
            pass

    with answering(refuse) as address:
        answer = post(address, large(bytes(3_000_000)), {}, private=OWN, seconds=20)
    assert (answer.status, answer.failure) == (413, "answered 413")


_MEASURED = """
import resource, sys
from ipaddress import ip_network
from tutela.webhooks.posting import LargeBody, post
def send(many):
    body = LargeBody(many << 16, lambda: (bytes(1 << 16) for _ in range(many)))
    post(sys.argv[1], body, {}, private=(ip_network("127.0.0.0/8"),), seconds=60)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(send(10), send(1000))
"""


def test_memory_does_not_grow_with_the_body(receiver: Receiver) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, receiver.address],
        capture_output=True,
        text=True,
        check=True,
    )
    small, large_one = map(int, done.stdout.split())
    assert large_one - small < 8192
    assert len(receiver.told) == 2
