"""A bar that shows how far a command is."""

import time
from types import TracebackType
from typing import Any, Self

from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn

from tutela.cli.output import to_people


class ProgressBar:
    """A bar on a terminal; elsewhere nothing until the end. A context.

    Args:
        what: What is done.
        figures: Shown behind the bar, in the form of ``{task.fields[NAME]}``.
        more: Further columns.
        fields: What the figures are in the beginning.
    """

    def __init__(self, what: str, figures: str, *more: ProgressColumn, **fields: Any) -> None:
        self._begin = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn(figures),
            *more,
            console=to_people,
            transient=True,
            disable=not to_people.is_terminal,
        )
        self._task = self._bar.add_task(what, total=None, **fields)

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

    def show(self, completed: float, total: float | None, **fields: Any) -> None:
        """Show how far it is, and new figures."""
        self._bar.update(self._task, completed=completed, total=total, **fields)
