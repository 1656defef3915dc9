"""What a sealed cell may still ask of the kernel, and what no decoder ever asks.

Whatever is not named here is refused with an error, so that a library that looks for something it
can do without goes on without it. What only an attack would ask for ends the process.
"""

import platform
from collections.abc import Iterator
from dataclasses import dataclass

X86_64 = "x86_64"
AARCH64 = "aarch64"
MACHINES = {X86_64: 0xC000003E, AARCH64: 0xC00000B7}
"""Kinds of processors for which the numbers are known, and their marks (``AUDIT_ARCH_*`` of
``linux/audit.h``)."""

_ABSENT = -1

# Numbers of system calls, on x86-64 and on aarch64: of the kernel's asm/unistd_64.h and
# asm-generic/unistd.h. A number once given is never changed.
_NUMBERS = {
    # Reading what is open already. CPython, libtiff, the digests.
    "read": (0, 63),
    "readv": (19, 65),
    "pread64": (17, 67),
    "preadv": (295, 69),
    "preadv2": (327, 286),
    "lseek": (8, 62),
    "fstat": (5, 80),
    "close": (3, 57),
    # Memory.
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    # Threads of one's own: libde265 (HEIC) and FFmpeg start some even when told not to, and one
    # ends the cell when the house is gone.
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "exit": (60, 93),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getcpu": (309, 168),
    "membarrier": (324, 283),
    "gettid": (186, 178),
    # Ending, signals to oneself, and their handlers.
    "exit_group": (231, 94),
    "restart_syscall": (219, 128),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "alarm": (37, _ABSENT),
    "setitimer": (38, 103),
    "getpid": (39, 172),
    # Time, chance, and how large the machine is (glibc's qsort asks).
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, _ABSENT),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "times": (100, 153),
    "sysinfo": (99, 179),
    "getrlimit": (97, 163),
    # The line to the house: files come in by it, answers go out.
    "recvmsg": (47, 212),
    "recvfrom": (45, 207),
    "getsockopt": (55, 209),
    "getsockname": (51, 204),
    "poll": (7, _ABSENT),
    "ppoll": (271, 73),
    # Allowed with some arguments only.
    "sendto": (44, 206),
    "write": (1, 64),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "clone": (56, 220),
    "clone3": (435, 435),
    "tgkill": (234, 131),
    "fcntl": (72, 25),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    # Never asked for by a decoder: other programs and processes, the network, the kernel itself.
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, _ABSENT),
    "vfork": (58, _ABSENT),
    "kill": (62, 129),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "open_by_handle_at": (304, 265),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "fsconfig": (431, 431),
    "mount_setattr": (442, 442),
    "chroot": (161, 51),
    "setns": (308, 268),
    "unshare": (272, 97),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "personality": (135, 92),
    "modify_ldt": (154, _ABSENT),
    "iopl": (172, _ABSENT),
    "ioperm": (173, _ABSENT),
}
_ALLOWED = tuple(_NUMBERS)[: tuple(_NUMBERS).index("sendto")]
_DEADLY = tuple(_NUMBERS)[tuple(_NUMBERS).index("execve") :]

_PROT_EXEC = 4
_MAP_ANONYMOUS = 0x20
_CLONE_VM, _CLONE_THREAD = 0x100, 0x10000
_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_DUPFD_CLOEXEC = 0, 1, 2, 3, 1030
_PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA = 15, 16, 0x53564D41
_PR_GET_DUMPABLE, _PR_GET_NO_NEW_PRIVS, _PR_GET_SECCOMP = 3, 39, 21
_EVERY_BIT = 0xFFFFFFFF
_EPERM, _ENOSYS = 1, 38

ALLOW = 0x7FFF0000
KILL = 0x80000000
"""What a filter answers (``SECCOMP_RET_*`` of ``linux/seccomp.h``)."""


def refuse(error: int = _EPERM) -> int:
    """The filter's answer that makes a system call fail with this error."""
    return 0x00050000 | error


@dataclass(frozen=True, slots=True)
class Check:
    """What an argument of a system call must be.

    Attributes:
        argument: Which, from 0.
        values: One of these,
        mask: of these bits.
        upper: Whether of the argument's upper 32 bits, not of the lower ones.
    """

    argument: int
    values: tuple[int, ...]
    mask: int = _EVERY_BIT
    upper: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of one system call.

    Attributes:
        name: Its name.
        number: Its number on this kind of processor.
        answer: What becomes of it if all checks hold.
        checks: Of its arguments.
        otherwise: What becomes of it if one does not.
    """

    name: str
    number: int
    answer: int
    checks: tuple[Check, ...] = ()
    otherwise: int = refuse()


def rules(process: int, machine: str = platform.machine()) -> tuple[Rule, ...]:
    """Every system call that is allowed, or deadly, the most frequent first.

    Args:
        process: The id of the process that is to be sealed.
        machine: Its kind of processor, one of ``MACHINES``.
    """
    column = list(MACHINES).index(machine)
    named = {rule.name: rule for rule in _checked(process)}
    found = [Rule(name, 0, ALLOW) for name in _ALLOWED]
    found += list(named.values())
    found += [Rule(name, 0, KILL) for name in _DEADLY]
    return tuple(
        Rule(rule.name, number, rule.answer, rule.checks, rule.otherwise)
        for rule in found
        if (number := _NUMBERS[rule.name][column]) != _ABSENT
    )


def _checked(process: int) -> Iterator[Rule]:
    nowhere = (Check(4, (0,)), Check(4, (0,), upper=True))
    yield Rule("sendto", 0, ALLOW, nowhere)
    # What decoders have to say goes to /dev/null.
    yield Rule("write", 0, ALLOW, (Check(0, (1, 2)),))
    # New memory, never a file's: a file that is shared could be changed that way. And never to be
    # run: nothing new is.
    yield Rule(
        "mmap", 0, ALLOW, (Check(2, (0,), _PROT_EXEC), Check(3, (_MAP_ANONYMOUS,), _MAP_ANONYMOUS))
    )
    yield Rule("mprotect", 0, ALLOW, (Check(2, (0,), _PROT_EXEC),))
    thread = _CLONE_VM | _CLONE_THREAD
    yield Rule("clone", 0, ALLOW, (Check(0, (thread,), thread),), otherwise=KILL)
    # Its arguments are in memory, where a filter does not see them. The C library then takes clone.
    yield Rule("clone3", 0, refuse(_ENOSYS))
    yield Rule("tgkill", 0, ALLOW, (Check(0, (process,)),))
    copies = (_F_DUPFD, _F_DUPFD_CLOEXEC)
    yield Rule("fcntl", 0, ALLOW, (Check(1, (_F_GETFD, _F_SETFD, _F_GETFL, *copies)),))
    asking = (_PR_GET_NAME, _PR_GET_DUMPABLE, _PR_GET_NO_NEW_PRIVS, _PR_GET_SECCOMP)
    yield Rule("prctl", 0, ALLOW, (Check(0, (_PR_SET_NAME, _PR_SET_VMA, *asking)),))
    # Asking for one's own limits, and setting none.
    own = (Check(0, (0,)), Check(2, (0,)), Check(2, (0,), upper=True))
    yield Rule("prlimit64", 0, ALLOW, own)
