"""Giving up files and the network by Landlock, which asks at the things and not at the calls.

See ``linux/landlock.h``. What is open already stays readable.
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from tutela.sandbox.asking import LIBC, granted

# The same on every kind of processor.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
# What is given up, by the version of Landlock that first knew it: each right is a bit.
_FILES = {1: 13, 2: 14, 3: 15, 5: 16}
_NETWORK = {4: 2}
_OTHERS = {6: 2}
"""Signals to, and abstract sockets of, processes outside."""

_BENEATH = 1
"""The kind of rule that is about a path and what lies in it."""
_EXECUTE_AND_READ, _READ_FOLDERS = 0b101, 0b1000


def version() -> int:
    """Which version of Landlock the kernel has; 0 if it has none, or has it switched off."""
    return max(0, int(LIBC.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)))


def give_up_files_and_network(but_read: Iterable[Path] = ()) -> None:
    """Open and connect to nothing any more, for good; of this thread and those it starts.

    It needs ``no_new_privs``. UDP is none of what Landlock knows.

    Args:
        but_read: Files and folders that may still be read, and programs in them be started.
            Those that are not there, or out of reach, are passed over.

    Raises:
        OSError: The kernel has no Landlock.
    """
    here = version()
    if not here:
        raise OSError("the kernel has no Landlock, or has it switched off")
    handled = b"".join(
        struct.pack("=Q", (1 << bits) - 1)
        for known in (_FILES, _NETWORK, _OTHERS)
        if (bits := max((count for since, count in known.items() if since <= here), default=0))
    )
    size = ctypes.c_size_t(len(handled))
    rules = granted(LIBC.syscall(_CREATE_RULESET, handled, size, 0))
    try:
        for path in but_read:
            _let_read(rules, path)
        granted(LIBC.syscall(_RESTRICT_SELF, rules, 0))
    finally:
        os.close(rules)


def _let_read(rules: int, path: Path) -> None:
    try:
        there = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = _EXECUTE_AND_READ | (_READ_FOLDERS if path.is_dir() else 0)
        rule = struct.pack("=Qi", rights, there)
        granted(LIBC.syscall(_ADD_RULE, rules, _BENEATH, rule, 0))
    finally:
        os.close(there)
