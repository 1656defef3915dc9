"""What an import shows while it runs."""

from rich.progress import TimeRemainingColumn

from tutela.cli.progress_bar import ProgressBar
from tutela.hashlists.importing import Progress


class ImportProgress(ProgressBar):
    """A bar with rate and time left."""

    def __init__(self, what: str) -> None:
        super().__init__(
            what,
            "{task.fields[rows]:,} rows  {task.fields[rate]:,.0f}/s",
            TimeRemainingColumn(compact=True),
            rows=0,
            rate=0.0,
        )

    def tell(self, progress: Progress) -> None:
        """Show how far it is."""
        self.show(
            progress.bytes_read,
            progress.bytes_total,
            rows=progress.rows,
            rate=(progress.rows - progress.resumed_at) / max(self.seconds, 0.001),
        )
