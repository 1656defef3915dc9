"""A running house for tests of the faces, with a key for everything."""

import hashlib
import io
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import numpy as np
import uvicorn
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import text

from tests.actors import actor_called
from tutela.accounts.keys import add_key
from tutela.accounts.permissions import Permission
from tutela.api.service import Service
from tutela.application import build
from tutela.fingerprints.pdq import pdq_of
from tutela.storage.clock import Clock
from tutela.storage.settings import Settings


class House:
    """The application as its callers see it, and what they cannot see."""

    def __init__(self, application: FastAPI, settings: Settings, clock: Clock, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.application = application
        self.service: Service = application.state.service
        self.settings = settings
        self._clock = clock
        self._clients: list[httpx.Client] = []
        self.client = self.client_with(*Permission)

    def client_with(self, *scopes: Permission) -> httpx.Client:
        """A caller whose key has these scopes."""
        name = f"test {secrets.token_hex(8)}"
        with self.service.database.writing() as connection:
            key = add_key(connection, name, scopes, actor_called("test"), self._clock)
        return self.stranger({"Authorization": f"Bearer {key}"})

    def stranger(self, headers: dict[str, str] | None = None) -> httpx.Client:
        """A caller without a key of ours."""
        # There is no TLS here, and its certificates would take 25 ms to load.
        client = httpx.Client(base_url=self.address, headers=headers, timeout=60, verify=False)
        self._clients.append(client)
        return client

    def hang_up(self) -> None:
        """Close every caller's connections."""
        for client in self._clients:
            client.close()

    def add_picture(self, hash_list: str, content: bytes) -> None:
        """Put a picture on a list, by MD5 and PDQ."""
        known = self.fingerprints(content)
        self.add(
            hash_list,
            {"kind": "md5", "hash": known["md5"]},
            {"kind": "pdq", "hash": known["pdq"], "quality": known["pdq_quality"]},
        )

    def add_digest(self, hash_list: str, content: bytes) -> None:
        """Put any bytes on a list, by SHA-256."""
        self.add(hash_list, {"kind": "sha256", "hash": hashlib.sha256(content).hexdigest()})

    def add(self, hash_list: str, *entries: dict[str, object]) -> None:
        """Put entries on a list, which is made if need be."""
        self.client.post("/v1/lists", json={"name": hash_list})
        answer = self.client.post(
            f"/v1/lists/{hash_list}/entries", json={"source": "a test", "entries": entries}
        )
        assert answer.status_code == 200, answer.text

    @staticmethod
    def fingerprints(content: bytes) -> dict[str, str | int]:
        """What a caller would send instead of the picture."""
        pdq = pdq_of(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
        return {
            "md5": hashlib.md5(content).hexdigest(),
            "sha1": hashlib.sha1(content).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
            "pdq": pdq.text,
            "pdq_quality": pdq.quality,
        }

    def everything_kept(self) -> list[tuple[str, bytes]]:
        """Every file of the data folder, and every row of a database outside it."""
        kept = [
            (str(file), file.read_bytes())
            for file in self.settings.data.rglob("*")
            if file.is_file()
        ]
        database = self.service.database
        if not database.is_sqlite:
            with database.reading() as connection:
                tables = connection.execute(
                    text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                )
                for table in tables.scalars().all():
                    rows = connection.execute(text(f'SELECT "{table}"::text FROM "{table}"'))
                    kept += [(table, row.encode()) for row in rows.scalars()]
        return kept


@contextmanager
def running_house(settings: Settings, clock: Clock) -> Iterator[House]:
    """The application behind a real server on a free port, stopped at the end."""
    application = build(settings, clock)
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", access_log=False))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        assert server.started, "the application did not start: see its log"
        house = House(application, settings, clock, listening.getsockname()[1])
        try:
            yield house
        finally:
            house.hang_up()
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
