"""Whoever takes a decoder over finds nothing in the cell to go on with."""

import errno
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.drawing import landscape
from tests.sandbox.taking_over import found_by, let_files_take_over, picture_that_does
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import FileFingerprints, Unreadable
from tutela.fingerprints.pdq import pdq_of
from tutela.sandbox.model import Limits
from tutela.sandbox.pool import CellPool

MEBIBYTE = 1 << 20
CELL_MEMORY = 256 * MEBIBYTE

# What is refused keeps its error. Each would do no harm to this machine, were it not refused.
TRYING = """
import ctypes, mmap, os, resource, signal, socket, sys
def call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)
found = 0
try:
    {}
except OSError as error:
    found = error.errno
"""
REFUSED = {
    "open a file": "open(sys.executable, 'rb')",
    "open a file by the newer call": "call('syscall', 437, -100, b'/', bytes(24), 24)",
    "look a file up": "os.stat(sys.executable)",
    "list a folder": "os.listdir('/')",
    "look at its own memory": "open('/proc/self/maps')",
    "look at the house's secrets": "open(f'/proc/{os.getppid()}/environ', 'rb')",
    "make a file": "os.open('VICTIM.new', os.O_CREAT | os.O_WRONLY)",
    "delete a file": "os.unlink('VICTIM')",
    "rename a file": "os.rename('VICTIM', 'VICTIM.renamed')",
    "make a link": "os.symlink('/', 'VICTIM.link')",
    "change the working folder": "os.chdir('/')",
    "write into a file that it was given": "[os.pwrite(each, b'x', 0) for each in range(3, 32)]",
    "cut a file that it was given": "[os.ftruncate(each, 0) for each in range(3, 32)]",
    "make memory that can be run": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "make a file in memory": "os.memfd_create('x')",
    "set its own limits": "call('setrlimit', resource.RLIMIT_CORE, bytes(16))",
    "set the house's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_CORE, "
    "resource.prlimit(os.getppid(), resource.RLIMIT_CORE))",
    "slow the house down": "os.setpriority(os.PRIO_PROCESS, os.getppid(), "
    "os.getpriority(os.PRIO_PROCESS, os.getppid()))",
    "become who it is": "os.setuid(os.getuid())",
}
DEADLY = {
    "run a program": "os.execv(sys.executable, [sys.executable, '-c', 'print(0)'])",
    "split a process off": "os.fork() or os._exit(0)",
    "open a connection": "socket.socket().connect(('127.0.0.1', 9))",
    "send a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "talk to another program": "socket.socket(socket.AF_UNIX)",
    "listen": "socket.create_server(('127.0.0.1', 0))",
    "signal the house": "os.kill(os.getppid(), 0)",
    "take hold of the house": "os.pidfd_open(os.getppid())",
    "let itself be traced": "call('ptrace', 0, 0, 0, 0)",
    "look for a process to trace": "call('ptrace', 0x4206, -1, 0, 0)",
    "read the house's memory": "call('process_vm_readv', os.getppid(), None, 0, None, 0, 0)",
    "change the house's memory": "call('process_vm_writev', os.getppid(), None, 0, None, 0, 0)",
    "use a ring of calls": "call('syscall', 425, 1, None)",
    "load a program into the kernel": "call('syscall', IF(321, 280), -1, None, 0)",
    "ask for keys": "call('syscall', IF(250, 219), -1, 0, 0)",
    "mount a file system": "call('mount', None, None, None, 0, None)",
    "leave for a namespace": "call('unshare', 0)",
}


def tried(what: str, victim: Path) -> str:
    """The code of a file that tries this."""
    column = platform.machine() == "aarch64"
    code = TRYING.format(what.replace("VICTIM", str(victim)))
    return f"IF = lambda *numbers: numbers[{column:d}]\n{code}"


@pytest.fixture(scope="module")
def taken_over(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CellPool]:
    with pytest.MonkeyPatch.context() as patch:
        let_files_take_over(patch, tmp_path_factory.mktemp("over"))
        with CellPool(1, Limits(memory_bytes=CELL_MEMORY, seconds=5)) as cells:
            yield cells


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_bytes(b"whole")
    return path


def opened(cells: CellPool, content: bytes) -> FileFingerprints:
    descriptor = os.memfd_create("opened")
    try:
        os.write(descriptor, content)
        found = cells.fingerprint(descriptor)
        assert os.pread(descriptor, len(content) + 1, 0) == content, "the file was changed"
        return found
    finally:
        os.close(descriptor)


def reason_for(cells: CellPool, content: bytes) -> str:
    """Why this picture is unreadable; its digests are there all the same."""
    found = opened(cells, content)
    assert found.digests == digests_of(content)
    return str(found.picture.reason)


def test_a_decoder_can_be_taken_over_by_its_file(taken_over: CellPool) -> None:
    assert found_by(reason_for(taken_over, picture_that_does("found = 7"))) == 7


@pytest.mark.parametrize("what", REFUSED)
def test_what_decoding_does_not_take_is_refused(
    taken_over: CellPool, victim: Path, what: str
) -> None:
    reason = reason_for(taken_over, picture_that_does(tried(REFUSED[what], victim)))
    assert found_by(reason) in (errno.EPERM, errno.EACCES)
    assert [each.name for each in victim.parent.iterdir()] == ["victim"]
    assert victim.read_bytes() == b"whole"


@pytest.mark.parametrize("what", DEADLY)
def test_what_only_an_attack_would_try_ends_the_cell_and_the_next_file_is_read(
    taken_over: CellPool, victim: Path, what: str
) -> None:
    before = taken_over.process_ids
    found = opened(taken_over, picture_that_does(tried(DEADLY[what], victim)))
    assert found.picture.unreadable is Unreadable.ATTACK
    assert found_by(reason_for(taken_over, picture_that_does("found = 8"))) == 8
    assert taken_over.process_ids != before


def test_without_a_seal_a_file_could_do_nearly_all_of_it(victim: Path) -> None:
    # Else the tests above would show nothing.
    could = set()
    for what, code in (REFUSED | DEADLY).items():
        process = os.fork()
        if process == 0:
            said: dict[str, int] = {}
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                exec(tried(code, victim), said)
            finally:
                os._exit(said.get("found", 99))
        found = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if found not in (errno.EPERM, errno.EACCES, errno.ENOSYS, 99):
            could.add(what)
        victim.write_bytes(b"whole")
    assert len(could) > 0.8 * len(REFUSED | DEADLY), could


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ctypes.string_at(0)", "damaged picture: it crashed the decoder"),
        ("os.abort()", "damaged picture: it crashed the decoder"),
        ("os._exit(0)", "damaged picture: it crashed the decoder"),
        ("bytearray(1 << 30)", "took more than 256 MiB to decode"),
        ("time.sleep(600)", "took more than 0.5 seconds to decode"),
        ("[None for _ in iter(int, 1)]", "took more than 0.5 seconds to decode"),
    ],
)
def test_a_crash_a_hang_and_a_bomb_cost_their_own_file_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, reason: str
) -> None:
    let_files_take_over(monkeypatch, tmp_path)
    with CellPool(1, Limits(memory_bytes=CELL_MEMORY, seconds=0.5)) as cells:
        bad = picture_that_does(f"import ctypes, os, time\n{code}")
        assert reason_for(cells, bad) == reason
        good = landscape()
        good.save(tmp_path / "good.png")
        found = opened(cells, (tmp_path / "good.png").read_bytes())
        assert found.picture.pdq == pdq_of(np.asarray(good))
