"""A program that speaks with the network reads nothing of the house, and does not outlive it."""

import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

from tests.requirements import missing
from tutela.sandbox import landlock
from tutela.sandbox.program import start_program


def run(*command: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        program = shutil.which(command[0]) or ""
        return start_program([program, *command[1:]], theirs, theirs), ours


def test_it_reads_programs_and_libraries_alone(tmp_path: Path) -> None:
    if not landlock.version():
        missing("Landlock", "take a kernel that has it switched on")
    file = tmp_path / "file"
    file.write_text("an excerpt")
    process, said = run("cat", str(file))
    with said, said.makefile("rb") as told:
        assert b"Permission denied" in told.read()
    assert process.wait(10) == 1


def test_it_ends_with_the_thread_that_started_it() -> None:
    started: list[tuple[subprocess.Popen[bytes], socket.socket]] = []

    def start() -> None:
        started.append(run("sh", "-c", "echo; exec sleep 60"))
        started[0][1].recv(1)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    with started[0][1]:
        assert started[0][0].wait(10) == -signal.SIGKILL
