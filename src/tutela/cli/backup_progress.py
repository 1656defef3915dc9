"""What a backup and a restore show while they run."""

import time
from types import TracebackType
from typing import Self

from rich import progress as rich_progress

from tutela.backup.model import Progress
from tutela.cli.output import to_people


class BackupProgress:
    """A bar on a terminal; elsewhere nothing until the end."""

    def __init__(self, what: str) -> None:
        self._begin = time.monotonic()
        self._bar = rich_progress.Progress(
            rich_progress.TextColumn("{task.description}", markup=False),
            rich_progress.BarColumn(bar_width=24),
            rich_progress.TaskProgressColumn(),
            rich_progress.TextColumn(
                "{task.fields[rows]:,} rows  {task.fields[blobs]:,} blobs  "
                "{task.fields[mib]:,.0f} MiB  {task.fields[rate]:,.0f} MiB/s"
            ),
            console=to_people,
            transient=True,
            disable=not to_people.is_terminal,
        )
        self._task = self._bar.add_task(what, total=None, rows=0, blobs=0, mib=0.0, rate=0.0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._begin

    def tell(self, progress: Progress) -> None:
        """Show how far it is."""
        mib = progress.bytes / (1 << 20)
        self._bar.update(
            self._task,
            completed=progress.rows + progress.blobs,
            total=progress.rows_total + progress.blobs_total or None,
            rows=progress.rows,
            blobs=progress.blobs,
            mib=mib,
            rate=mib / max(self.seconds, 0.001),
        )
