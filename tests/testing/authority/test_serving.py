"""One is there for the time of a test, says of itself that it is a sandbox, and comes back."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.testing.authority.caller import Caller
from tutela.testing.authority.model import State
from tutela.testing.authority.serving import Authority, running_authority


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/control/counts"), ("GET", "/nothing"), ("DELETE", "/ispws/submit")],
)
def test_every_answer_says_that_this_is_a_sandbox(authority: Authority, method, path) -> None:
    answer = httpx.request(method, f"{authority.address}{path}")
    assert answer.headers["X-Tutela-Sandbox"] == "yes"


def test_so_does_the_answer_to_what_is_no_http(authority: Authority) -> None:
    parts = urlsplit(authority.address)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert b"x-tutela-sandbox: yes" in connection.recv(10_000).lower()


def test_a_report_can_be_finished_after_the_server_was_started_anew(tmp_path: Path) -> None:
    with running_authority(tmp_path) as first:
        with Caller(first.base, first.user, first.password) as caller:
            report = caller.opened()
        port = urlsplit(first.address).port
    with running_authority(tmp_path, port=port) as second:
        assert second.address == first.address
        with Caller(second.base, second.user, second.password) as caller:
            assert caller.finish(report).code == 0
        assert second.control.report(report).state is State.FINISHED


def test_credentials_are_what_they_were_chosen_to_be(tmp_path: Path) -> None:
    with (
        running_authority(tmp_path, user="ünser", password="a:b ü") as running,
        Caller(running.base, "ünser", "a:b ü") as caller,
    ):
        assert caller.status()["responseDescription"] == "Remote User : ünser"
