"""A real service that is killed: every case that it told of is there, with its evidence."""

import hashlib
import io
import random
import signal
import threading
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.cli.command import json_lines, tutela
from tests.cli.test_serving import serving
from tests.evidence.sealing import AT_LENGTH, opened
from tests.waiting import comes_true
from tutela.cases.model import read_case_id
from tutela.cases.reading import find_case
from tutela.evidence.reading import all_evidence
from tutela.evidence.vault import Vault
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings

KILLS = 50 if AT_LENGTH else 2
SCOPES = ("screen", "lists:write")


def picture(seed: int) -> bytes:
    """A flat picture, which only its SHA-256 can match."""
    pixels = np.full((40, 40, 3), seed % 251, np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    # After the picture's end anything may follow.
    return file.getvalue() + random.Random(seed).randbytes(200_000)


@pytest.mark.timeout(1800)
def test_no_acknowledged_case_is_lost(settings: Settings, database: Database) -> None:
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    (key,) = json_lines(tutela(settings, "key", "add", "test", *scopes, "--json"))
    headers = {"Authorization": f"Bearer {key['key']}"}
    contents = [picture(seed) for seed in range(12)]
    acknowledged: dict[str, int] = {}
    chance = random.Random(3)
    for kill in range(KILLS):
        with serving(settings) as (running, address):
            if kill == 0:
                put_on_a_list(address, headers, contents)
            threads = [
                threading.Thread(target=send, args=(address, headers, contents, seed, acknowledged))
                for seed in range(3)
            ]
            for thread in threads:
                thread.start()
            if kill == 0:
                # However slow this machine is, something has been acknowledged.
                assert comes_true(lambda: bool(acknowledged), 60)
            time.sleep(chance.uniform(0.2, 1.0))
            running.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
    assert acknowledged
    vault = Vault.over(settings, database, system_clock)
    for case, number in acknowledged.items():
        with database.reading() as connection:
            (evidence,) = find_case(connection, read_case_id(case)).evidence
        assert opened(vault, evidence.id) == contents[number]
    kept = list(all_evidence(database))
    assert all(opened(vault, each.id) for each in kept)
    counted = f"{KILLS} kills, {len(acknowledged)} acknowledged, {len(kept)} kept"
    print(counted)  # noqa: T201 - shown by pytest -rP


def put_on_a_list(address: str, headers: dict[str, str], contents: list[bytes]) -> None:
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        client.post("/v1/lists", json={"name": "partner"})
        entries = [
            {"kind": "sha256", "hash": hashlib.sha256(content).hexdigest()} for content in contents
        ]
        added = {"source": "a test", "entries": entries}
        client.post("/v1/lists/partner/entries", json=added).raise_for_status()


def send(
    address: str,
    headers: dict[str, str],
    contents: list[bytes],
    seed: int,
    acknowledged: dict[str, int],
) -> None:
    chance = random.Random(seed)
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        try:
            while True:
                number = chance.randrange(len(contents))
                answer = client.post("/v1/screen", files={"file": contents[number]}).json()
                if answer.get("case"):
                    acknowledged[answer["case"]] = number
        except httpx.HTTPError:
            return
