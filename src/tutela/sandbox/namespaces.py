"""Moving a process into namespaces of its own: a network without devices, an empty folder as root.

What bubblewrap does, without that program: it needs a kernel that lets everybody do this, which is
often switched off, above all in containers.
"""

import ctypes
import os
import resource

from tutela.sandbox.asking import LIBC, granted

_USER, _MOUNTS, _NETWORK, _IPC, _NAMES = 0x10000000, 0x20000, 0x40000000, 0x8000000, 0x4000000
_PRIVATE, _RECURSIVE = 1 << 18, 1 << 14
_READ_ONLY, _NO_SET_UID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_REMOUNT, _BIND = 32, 1 << 12
_DETACH = 2
_THREADS = 16
# Since then a user's processes are counted in each namespace for itself. Root's never are.
_COUNTING_KERNEL = (5, 14)
# Something that is a folder on every machine; it is covered in this namespace alone.
_FOLDER = b"/proc"
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def leave() -> None:
    """Leave the machine's files, network, names and messages behind. Needs to be the only thread.

    Raises:
        OSError: The kernel does not let this process.
    """
    pivot_root = _PIVOT_ROOT.get(os.uname().machine)
    if pivot_root is None:
        raise OSError(f"its system calls are not known for {os.uname().machine}")
    granted(LIBC.unshare(_USER | _MOUNTS | _NETWORK | _IPC | _NAMES))
    granted(LIBC.mount(b"none", b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None))
    limited = _READ_ONLY | _NO_SET_UID | _NO_DEVICES | _NO_PROGRAMS
    small = b"size=4k,nr_inodes=2,mode=0111"
    granted(LIBC.mount(b"none", _FOLDER, b"tmpfs", ctypes.c_ulong(limited), small))
    os.chdir(_FOLDER)
    granted(LIBC.syscall(pivot_root, b".", b"."))
    granted(LIBC.umount2(b".", _DETACH))
    os.chdir("/")
    granted(LIBC.mount(None, b"/", None, ctypes.c_ulong(_REMOUNT | _BIND | limited), None))
    if tuple(map(int, os.uname().release.split(".")[:2])) >= _COUNTING_KERNEL:
        resource.setrlimit(resource.RLIMIT_NPROC, (_THREADS, _THREADS))
