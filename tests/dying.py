"""A process that is killed when it is about to do one of its steps."""

import os
import signal
from collections.abc import Callable, Collection

from sqlalchemy import event

from tutela.storage.database import Database

_DISK = ("write", "fsync", "rename", "unlink", "mkdir")
_DATABASE = ("before_cursor_execute", "commit")

really_write = os.write
"""Writes without that being a step."""


def die_at(step: int, database: Database, besides: Collection[tuple[object, str]] = ()) -> None:
    """Have this process killed when it is about to do its step of this number.

    Args:
        step: The number, from 0: of statements and commits, writes to the disk, and what else is
            given.
        database: The database whose statements and commits count.
        besides: Other functions each call of which is a step: of whom, and its name.
    """
    left = [step]

    def count() -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def act(*arguments: object, **options: object) -> object:
            count()
            return real(*arguments, **options)

        return act

    for owner, name in (*((os, name) for name in _DISK), *besides):
        setattr(owner, name, counted(getattr(owner, name)))
    for name in _DATABASE:
        event.listen(database.engine, name, lambda *_: count())
