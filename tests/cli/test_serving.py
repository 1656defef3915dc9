"""``tutela serve`` starts, answers, and stops cleanly."""

import hashlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from tests.amazon import CREDENTIALS
from tests.cli.command import TUTELA, environment, json_lines, tutela
from tests.silence import silent_server
from tests.waiting import comes_true
from tutela.storage.settings import Settings


@contextmanager
def serving(settings: Settings, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    running = subprocess.Popen(
        [TUTELA, "serve", "--port", "0", *arguments],
        env=environment(settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stderr
        for line in iter(lambda: _line_of(running.stderr), ""):
            if found := re.search(r"http://[^ ]+", line):
                break
        else:
            pytest.fail("it ended before it said where it is")
        address = found[0]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{address}/healthz", timeout=5).is_success:
                    break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield running, address
    finally:
        running.kill()
        running.communicate()


def _line_of(pipe: IO[str]) -> str:
    """The next line, and nothing of what comes behind it, which a buffer would keep."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(pipe.fileno(), 1)):
        line += byte
    return line.decode()


def test_it_answers_and_ctrl_c_stops_it_cleanly(settings: Settings) -> None:
    # By itself on the one database, and with a process beside it on the other.
    workers = "2" if settings.database_url else "1"
    made = tutela(settings, "key", "add", "forum", "--scope", "screen", "--scope",
                  "metrics:read", "--scope", "lists:write", "--json")  # fmt: skip
    (key,) = json_lines(made)
    assert key["scopes"] == ["lists:write", "metrics:read", "screen"]
    headers = {"Authorization": f"Bearer {key['key']}"}
    with serving(settings, "--workers", workers) as (running, address):
        sent = {"fingerprints": {"md5": "0" * 32}}
        httpx.post(f"{address}/v1/lists", json={"name": "partner"}, headers=headers, timeout=60)
        for _ in range(20):
            answer = httpx.post(f"{address}/v1/screen", json=sent, headers=headers, timeout=30)
            assert answer.json() == {"verdict": "clear"}
        added = {"source": "a test", "entries": [{"kind": "md5", "hash": "0" * 32}]}
        httpx.post(f"{address}/v1/lists/partner/entries", json=added, headers=headers, timeout=60)
        matches = 0

        def is_a_match() -> bool:
            nonlocal matches
            answer = httpx.post(f"{address}/v1/screen", json=sent, headers=headers, timeout=30)
            matches += answer.json()["verdict"] == "match"
            return answer.json()["verdict"] == "match"

        assert comes_true(lambda: all(is_a_match() for _ in range(20)))

        def all_are_counted() -> bool:
            text = httpx.get(f"{address}/metrics", headers=headers, timeout=60).text
            count = f'tutela_screened_files_total{{verdict="match"}} {matches:.1f}'
            return count in text

        assert comes_true(all_are_counted)
        text = httpx.get(f"{address}/metrics", headers=headers, timeout=60).text
        (requests,) = re.findall(
            r'tutela_http_requests_total{method="POST",route="/v1/screen"} ([0-9]+)', text
        )
        assert int(requests) >= 20 + matches
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
        assert running.returncode == 0
        # Nobody works here yet: the link of the first administrator is shown once, by one process.
        named = address.replace("127.0.0.1", "localhost")
        assert len(re.findall(rf"{named}/welcome/[\w-]{{43}}\n", said)) == 1
        assert said.splitlines()[-1] == "Tutela has stopped."


def test_a_port_in_use_is_said_in_one_line(data) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = tutela(Settings(data=data), "serve", "--port", str(port))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        f"error: cannot listen on 127.0.0.1 port {port}: Address already in use; "
        "choose others with --host and --port"
    )


def test_a_wrong_setting_stops_it_at_the_start(data, tmp_path) -> None:
    (tmp_path / "tutela.toml").write_text("[policy]\non_match = 'blok'\n")
    env = environment(Settings(data=data)) | {"TUTELA_CONFIG": str(tmp_path / "tutela.toml")}
    done = subprocess.run([TUTELA, "serve"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "tutela.toml: policy.on_match: is 'blok', but should be" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_worker_processes_end_when_the_one_that_started_them_is_killed(
    settings: Settings,
) -> None:
    with serving(settings, "--workers", "2") as (running, address):
        running.kill()
        running.wait()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and is_answered_or_cut_off(address):
            time.sleep(0.1)
        assert not is_answered_or_cut_off(address)


def is_answered_or_cut_off(address: str) -> bool:
    """Whether somebody still listens there, be it a process that ends while it is asked."""
    try:
        httpx.get(f"{address}/healthz", timeout=5)
    except httpx.ConnectError:
        return False
    except httpx.TransportError:
        return True
    return True


def test_what_a_service_keeps_is_for_its_user_alone(new_settings: Settings) -> None:
    new_settings.data.mkdir(mode=0o755, parents=True, exist_ok=True)
    with serving(new_settings):
        files = [file for file in new_settings.data.rglob("*") if file.is_file()]
        assert files
        assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_a_policy_for_a_list_that_does_not_exist_is_mentioned(data, tmp_path) -> None:
    tutela(Settings(data=data), "list", "create", "partner")
    (tmp_path / "tutela.toml").write_text('[policy.lists."partnr"]\non_match = "count"\n')
    env = environment(Settings(data=data)) | {"TUTELA_CONFIG": str(tmp_path / "tutela.toml")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [TUTELA, "serve", "--port", port], env=env, capture_output=True, text=True, check=False
        )
    assert (
        'warning: policy.lists."partnr": there is no list of this name: did you mean "partner"?'
        in done.stderr
    )


def test_without_the_vaults_key_it_starts_and_a_match_waits_for_the_key(
    data: Path, tmp_path: Path
) -> None:
    settings = Settings(data=data)
    known, other = b"known, and no picture", b"known as well"
    listed = tmp_path / "known-sha256.txt"
    listed.write_text("".join(f"{hashlib.sha256(each).hexdigest()}\n" for each in (known, other)))
    tutela(settings, "list", "create", "partner")
    tutela(
        settings, "list", "import", "partner", listed, "--source", "a test", "--reason", "a test"
    )
    (tmp_path / "known.bin").write_bytes(known)
    assert tutela(settings, "scan", tmp_path / "known.bin").returncode == 1
    (key,) = json_lines(tutela(settings, "key", "add", "forum", "--scope", "screen", "--json"))
    vault_key = settings.keys_folder / "vault.key"
    vault_key.rename(tmp_path / "vault.key")
    with serving(settings) as (_, address):

        def screen(content: bytes) -> httpx.Response:
            return httpx.post(
                f"{address}/v1/screen",
                files={"file": ("any.bin", content)},
                headers={"Authorization": f"Bearer {key['key']}"},
                timeout=60,
            )

        assert screen(b"not known").json() == {"verdict": "clear"}
        refused = screen(other)
        assert refused.status_code == 503
        assert "storage fails just now" in refused.json()["detail"]
        assert httpx.get(f"{address}/readyz", timeout=60).status_code == 503
        (tmp_path / "vault.key").rename(vault_key)
        assert screen(other).json()["verdict"] == "match"


def test_a_checkpoint_place_that_hangs_delays_neither_start_nor_stop(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data=data)
    tutela(settings, "list", "create", "partner")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with silent_server() as address:
        monkeypatch.setenv("TUTELA_LEDGER_CHECKPOINTS", "s3://bucket/prefix")
        monkeypatch.setenv("TUTELA_S3_ENDPOINT", address)
        with serving(settings) as (running, here):
            checks = httpx.get(f"{here}/readyz", timeout=30).json()["checks"]
            # Nobody has waited for its ten seconds.
            assert {each["name"]: each["detail"] for each in checks}["ledger"] == "not looked yet"
            begin = time.monotonic()
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=30)
            assert time.monotonic() - begin < 9


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_root_makes_no_files_in_another_users_house(data: Path) -> None:
    settings = Settings(data=data)
    tutela(settings, "list", "create", "partner")
    os.chown(data, 65534, 65534)
    done = tutela(settings, "list", "ls")
    assert done.returncode == 2
    assert "belongs to the user nobody" in done.stderr
    assert "sudo -u" in done.stderr
