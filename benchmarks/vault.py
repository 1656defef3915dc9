"""Sealing and opening evidence, as a share of plain AES-GCM over the same bytes."""

import hashlib
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert

from benchmarks.results import Findings, Table
from benchmarks.scale import Scale
from tutela.cases.tables import cases
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.model import ItemId, new_item_id
from tutela.evidence.vault import Vault
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import load_settings

_PIECE = os.urandom(1 << 20)
_PLAIN = "AES-256-GCM alone, in memory"
_HASH = "SHA-256 alone, in memory"
_BY_HAND = "AES-256-GCM and SHA-256, written to a file and flushed"
_SEAL = "Tutela seals: the same, durable under a name of its own"
_KEEP = "Tutela seals and keeps: and its rows in SQLite"
_PLAIN_OPEN = "AES-256-GCM alone, decrypting in memory"
_OPEN = "Tutela opens: read, decrypted, hashed, compared"


def measure(scale: Scale) -> Findings:
    """Files of several sizes, each by all contenders in turn, again and again."""
    tables = []
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as folder:
        desk = _Desk(Path(folder))
        try:
            for size, rounds in scale.pick(
                ((1 << 16, 2), (1 << 20, 2)),
                ((1 << 16, 30), (1 << 20, 30), (1 << 26, 7), (1 << 30, 3)),
            ):
                tables.append(desk.compare(size, rounds))
        finally:
            desk.close()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Findings(
        tables=tables,
        notes=[
            "Each file goes by pieces of 1 MiB. The share is the median of the rounds' own ratios "
            "to AES-256-GCM by the library cryptography, which does nothing else: no hash, no "
            "file, no flush, no database, and always the same piece, which stays in the "
            "processor's cache. A vault also has to hash: it is never quicker than SHA-256 alone. "
            "One thread.",
            f"The most memory that the process ever took, with the largest file: {most:.0f} MiB.",
        ],
    )


class _Desk:
    def __init__(self, folder: Path) -> None:
        settings = load_settings(data=folder / "data")
        self._folder = folder
        self._database = Database.open(settings)
        upgrade(self._database, settings.data, tell=lambda _: None)
        self._vault = Vault.over(settings, self._database, system_clock)
        prepare_keys(self._vault.keyring, self._database, tell=lambda _: None)
        with self._database.writing() as connection:
            connection.execute(insert(cases).values(id="A", state="open", opened_at=system_clock()))
        self._key = AESGCM(os.urandom(32))
        self._opened = ItemId("")

    def close(self) -> None:
        self._database.close()

    def compare(self, size: int, rounds: int) -> Table:
        sealed = [
            self._key.encrypt(_nonce(number), piece, None)
            for number, piece in enumerate(_pieces(min(size, 1 << 26)))
        ]
        repeats = max(1, size >> 26)
        contenders: dict[str, Callable[[int], object]] = {
            _PLAIN: self._plain,
            _HASH: self._hash,
            _BY_HAND: self._by_hand,
            _SEAL: lambda size: self._vault.seal(lambda: _pieces(size), "A", new_item_id()),
            _KEEP: self._keep,
            _PLAIN_OPEN: lambda _: [self._decrypt(sealed) for _ in range(repeats)],
            _OPEN: lambda _: [None for _ in self._vault.open(self._opened)],
        }
        taken: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, contender in contenders.items():
                begin = time.perf_counter()
                contender(size)
                taken[name].append(time.perf_counter() - begin)
            self._sweep()
        return Table(
            f"A file of {_size(size)}",
            ("", "MB/s", "ms", "share of AES-GCM"),
            [
                [
                    name,
                    size / 1e6 / median(seconds),
                    1e3 * median(seconds),
                    median(
                        plain / ours
                        for plain, ours in zip(
                            taken[_PLAIN_OPEN if name in (_PLAIN_OPEN, _OPEN) else _PLAIN],
                            seconds,
                            strict=True,
                        )
                    ),
                ]
                for name, seconds in taken.items()
            ],
        )

    def _plain(self, size: int) -> None:
        for number, piece in enumerate(_pieces(size)):
            self._key.encrypt(_nonce(number), piece, None)

    def _hash(self, size: int) -> None:
        digest = hashlib.sha256()
        for piece in _pieces(size):
            digest.update(piece)

    def _by_hand(self, size: int) -> None:
        digest = hashlib.sha256()
        path = self._folder / "by-hand"
        with path.open("wb") as file:
            for number, piece in enumerate(_pieces(size)):
                digest.update(piece)
                file.write(self._key.encrypt(_nonce(number), piece, None))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()

    def _keep(self, size: int) -> None:
        sealed = self._vault.seal(lambda: _stamped(size), "A", new_item_id())
        with self._database.writing() as connection:
            self._vault.claim(connection, [sealed])
            self._vault.keep(connection, sealed)
        self._opened = sealed.item

    def _decrypt(self, sealed: list[bytes]) -> None:
        for number, piece in enumerate(sealed):
            self._key.decrypt(_nonce(number), piece, None)

    def _sweep(self) -> None:
        for blob in self._vault.store.list():
            self._vault.store.delete(blob.id)


def _nonce(number: int) -> bytes:
    return number.to_bytes(12)


def _pieces(size: int) -> Iterator[bytes]:
    for start in range(0, size, len(_PIECE)):
        yield _PIECE[: min(len(_PIECE), size - start)]


def _stamped(size: int) -> Iterator[bytes]:
    """Pieces that are not there yet."""
    yield os.urandom(16)
    yield from _pieces(size - 16)


def _size(size: int) -> str:
    return f"{size >> 10} KiB" if size < 1 << 20 else f"{size >> 20} MiB"
