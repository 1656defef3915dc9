"""A machine whose kernel has no Landlock, for whatever is started in it: a filter answers so."""

import ctypes
import os
import platform

from tutela.sandbox.seccomp import install
from tutela.sandbox.system_calls import ALLOW, refuse

_CREATE_RULESET, _UNSHARE = 444, {"x86_64": 272, "aarch64": 97}[platform.machine()]
_ENOSYS, _EPERM = 38, 1


def lose(*, landlock: bool = False, namespaces: bool = False) -> None:
    """Take these away from this process and all that it starts, for good."""
    ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
    refused = [(_CREATE_RULESET, _ENOSYS)] * landlock + [(_UNSHARE, _EPERM)] * namespaces
    install(
        [
            (0x20, 0, 0, 0),
            *(
                instruction
                for number, error in refused
                for instruction in ((0x15, 0, 1, number), (0x06, 0, 0, refuse(error)))
            ),
            (0x06, 0, 0, ALLOW),
        ]
    )


def run_without_landlock(program: str, *arguments: str) -> None:
    """Become another program, on such a machine."""
    lose(landlock=True)
    os.execv(program, [program, *arguments])
