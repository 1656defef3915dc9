"""Over https a receiver is known by its name, although the checked address is connected to."""

import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.certificates import own_certificate

# The trust of a process is read once: so each question is asked in a process of its own.
_ASK = """
import sys
from ipaddress import ip_network
from tutela.webhooks.posting import post
own = (ip_network("127.0.0.0/8"), ip_network("::1"))
print(post(sys.argv[1], b"{}", {"webhook-id": "msg_1"}, private=own, seconds=20).failure)
"""


class Handler(BaseHTTPRequestHandler):
    hosts: list[str] = []  # noqa: RUF012 - one server at a time

    def do_POST(self) -> None:
        self.hosts.append(self.headers["host"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return own_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def port(certificate: tuple[Path, Path]) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def failure(url: str, trusted: Path | None, monkeypatch: pytest.MonkeyPatch) -> str:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    # A proxy of the environment is not asked: it would look names up by itself.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-c", _ASK, url], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def test_a_receiver_is_known_by_its_name(certificate, port, monkeypatch) -> None:
    url = f"https://localhost:{port}/hooks"
    assert failure(url, certificate[0], monkeypatch) == "None"
    assert Handler.hosts == [f"localhost:{port}"]


def test_one_that_is_not_known_by_it_is_told_nothing(certificate, port, monkeypatch) -> None:
    before = len(Handler.hosts)
    untrusted = failure(f"https://localhost:{port}/hooks", None, monkeypatch)
    assert untrusted == "its certificate is not trusted"
    other_name = failure(f"https://127.0.0.1:{port}/hooks", certificate[0], monkeypatch)
    assert other_name == "its certificate is not trusted"
    assert len(Handler.hosts) == before
