"""What a backup and a restore show while they run."""

from tutela.backup.model import Progress
from tutela.cli.progress_bar import ProgressBar


class BackupProgress(ProgressBar):
    """A bar with rows, blobs and rate."""

    def __init__(self, what: str) -> None:
        super().__init__(
            what,
            "{task.fields[rows]:,} rows  {task.fields[blobs]:,} blobs  "
            "{task.fields[mib]:,.0f} MiB  {task.fields[rate]:,.0f} MiB/s",
            rows=0,
            blobs=0,
            mib=0.0,
            rate=0.0,
        )

    def tell(self, progress: Progress) -> None:
        """Show how far it is."""
        mib = progress.bytes / (1 << 20)
        self.show(
            progress.rows + progress.blobs,
            progress.rows_total + progress.blobs_total or None,
            rows=progress.rows,
            blobs=progress.blobs,
            mib=mib,
            rate=mib / max(self.seconds, 0.001),
        )
