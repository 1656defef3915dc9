"""Folders whose entries outlive a power cut."""

import os
from pathlib import Path


def flush_folder(folder: Path) -> None:
    """Make durable which names a folder holds."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for this user alone, and make that durable.

    If another process has just made it, that is made durable too.
    """
    if not folder.parent.is_dir():
        make_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    flush_folder(folder.parent)
