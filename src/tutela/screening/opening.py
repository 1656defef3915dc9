"""Opening everything that screening needs, and closing it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tutela.evidence.vault import Vault
from tutela.hashlists.indexing import open_index
from tutela.matching.index import Index
from tutela.sandbox.model import Keeping, Limits, Sampling
from tutela.sandbox.pool import CellPool
from tutela.screening.counts import Counts
from tutela.screening.screening import Screener
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings


@dataclass(frozen=True, slots=True)
class ScreeningRoom:
    """Everything that screening needs, open.

    Attributes:
        index: The live list entries.
        cells: Where files are opened up.
        counts: Verdicts that are not yet saved.
        screener: Judges files.
        vault: Where evidence is sealed.
    """

    index: Index
    cells: CellPool
    counts: Counts
    screener: Screener
    vault: Vault


@contextmanager
def open_screening(
    settings: Settings, database: Database, clock: Clock, *, whole: bool = True
) -> Iterator[ScreeningRoom]:
    """Open the index and the cells; at the end close them and save the counts.

    Args:
        settings: The configuration.
        database: The database.
        clock: The time.
        whole: Wait until a damaged index is built anew, as ``open_index`` has it.

    Raises:
        SettingsError: ``vault_key`` or ``blob_url`` cannot be used.
        StorageError: The index cannot be opened or built.
    """
    counts = Counts(clock)
    with (
        open_index(settings.data / "index", database, whole=whole) as index,
        CellPool(settings.cells, limits_of(settings), keeping_of(settings)) as cells,
    ):
        vault = Vault.over(settings, database, clock)
        screener = Screener(
            index,
            vault,
            settings.policy,
            clock,
            counts,
            due_hours=settings.review.due_hours,
            unreadable=settings.unreadable,
            video_frames_if_matched=settings.sandbox.video_frames_if_matched,
        )
        try:
            yield ScreeningRoom(index, cells, counts, screener, vault)
        finally:
            counts.save(database)


def keeping_of(settings: Settings) -> Keeping:
    """How cells are kept under these settings."""
    return Keeping(strict=settings.sandbox.strict, jobs=settings.sandbox.jobs)


def limits_of(settings: Settings) -> Limits:
    """What opening up one file may cost under these settings."""
    sandbox = settings.sandbox
    return Limits(
        pixels=settings.max_pixels,
        memory_bytes=settings.decode_memory_mib << 20,
        seconds=settings.decode_seconds,
        whole_seconds=sandbox.whole_seconds,
        cpu_seconds=sandbox.cpu_seconds,
        frames=sandbox.frames,
        video_frames=sandbox.video_frames,
        sampling=Sampling(sandbox.video_sampling),
        parts=sandbox.parts,
        depth=sandbox.depth,
        ratio=sandbox.ratio,
        freely_unpacked_bytes=sandbox.freely_unpacked_mib << 20,
        unpacked_bytes=sandbox.unpacked_mib << 20,
    )
