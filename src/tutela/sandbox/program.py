"""Running a program of the system that speaks with the network, confined to little.

It is started as ``python -m tutela.sandbox.program PARENT PROGRAM ARGUMENT...``: it confines its
process and then becomes the program. One that has threads could not do that to its child.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tutela.sandbox.sealing import confine_program
from tutela.sandbox.starting import environment

# Each thread may set aside 128 MiB of addresses, whatever it takes of them.
_MEMORY_BYTES = 1 << 30
# Programs and libraries are there, and nothing that is the house's.
_READABLE = tuple(map(Path, ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")))


def start_program(
    command: Sequence[str], output: socket.socket, complaints: socket.socket
) -> subprocess.Popen[bytes]:
    """Start a program. It ends with the thread that starts it.

    Args:
        command: The path of the program, and its arguments.
        output: Where it writes.
        complaints: Where it writes what is amiss.

    Raises:
        OSError: No process can be started.
    """
    return subprocess.Popen(  # noqa: S603 - confined, and its arguments are checked
        [sys.executable, "-P", "-W", "ignore", "-m", __name__, str(os.getpid()), *command],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=output.fileno(),
        stderr=complaints.fileno(),
        # Ctrl-C in a terminal is for the house, which then ends its processes.
        start_new_session=True,
    )


def main(arguments: Sequence[str]) -> None:
    """Become the program."""
    parent, program, *_ = arguments
    confine_program(_MEMORY_BYTES, (*_READABLE, Path(program).resolve()))
    if os.getppid() != int(parent):
        # It ended before it could be said that this one ends with it.
        return
    # Python ignores it: the program is to end when nobody reads what it writes.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execve(  # noqa: S606 - there is to be no shell
        program, list(arguments[1:]), {"PATH": os.environ.get("PATH", os.defpath)}
    )


if __name__ == "__main__":
    main(sys.argv[1:])
