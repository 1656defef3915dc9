"""A process that has loaded the libraries of others, and becomes the real command when it is asked.

Python and these libraries take a second to load, and a command of ours a tenth of that. Nothing of
ours is loaded before the fork, so that each command still has to load all that it needs.

The client's side is `WarmCommand`; the file itself is the process. For each command it forks twice:
the command, and somebody to wait for it and tell how it ended.
"""

import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_REQUEST_BYTES = 1 << 17


class WarmCommand:
    """The process, started, and the way to ask it. It ends with whoever started it."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        seconds: float,
        typed: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of ours to its end, in this folder. May be called from many threads."""
        request = [list(arguments), dict(environment), str(Path.cwd())]
        told, tell = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with (
            told,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            tempfile.TemporaryFile() as keyboard,
        ):
            keyboard.write(typed.encode())
            keyboard.seek(0)
            files = [keyboard.fileno(), out.fileno(), err.fileno(), tell.fileno()]
            with tell:
                socket.send_fds(self._line, [json.dumps(request).encode()], files)
            command = int(told.recv(20))
            told.settimeout(seconds)
            try:
                ended = int(told.recv(20))
            except TimeoutError:
                os.kill(command, signal.SIGKILL)
                raise
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(
                list(arguments), ended, out.read().decode(), err.read().decode()
            )

    def close(self) -> None:
        """End it."""
        self._line.close()
        self._process.wait()


def _warm_up() -> None:
    import importlib

    for library in (
        *("alembic.command", "argon2", "cronsim", "cryptography.x509", "idna", "numpy.typing"),
        *("cryptography.hazmat.primitives.serialization.ssh", "obstore", "psycopg", "pyotp"),
        *("pydantic_settings", "rich.markdown", "rich.progress", "rich.table", "segno", "smtplib"),
        *("sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.sqlite", "sqlite3", "webauthn"),
        *("tink.streaming_aead", "typer.rich_utils", "urllib.request", "uvicorn", "xxhash"),
    ):
        importlib.import_module(library)
    # The commands look for garbage of their own; touching all this would copy it for each of them.
    gc.collect()
    gc.freeze()


def _wait_to_be_asked(line: socket.socket) -> None:
    """Give back in a new process for each command; never in this one."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, files, _, _ = socket.recv_fds(line, _REQUEST_BYTES, 4)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            line.close()
            command = os.fork()
            if command == 0:
                _become(json.loads(request), files)
                return
            _tell_how_it_ended(command, files)
        for file in files:
            os.close(file)


def _tell_how_it_ended(command: int, files: list[int]) -> None:
    *_, told = files
    with contextlib.suppress(OSError):
        os.write(told, str(command).encode())
    _, status = os.waitpid(command, 0)
    with contextlib.suppress(OSError):
        os.write(told, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(request: tuple[list[str], dict[str, str], str], files: list[int]) -> None:
    arguments, environment, folder = request
    *standard, told = files
    for number, file in enumerate(standard):
        os.dup2(file, number)
    for file in (*standard, told):
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = ["tutela", *arguments]


if __name__ == "__main__":
    _warm_up()
    _wait_to_be_asked(socket.socket(fileno=int(sys.argv[1])))
    from tutela.cli.main import main

    main()
