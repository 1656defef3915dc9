"""A filter of system calls, as the small program that the kernel runs before each of them.

See ``linux/filter.h`` and ``linux/seccomp.h``. The program is made here and not by libseccomp,
which is not there on every machine: it is a list of comparisons.
"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterable, Iterator

from tutela.sandbox.asking import LIBC, granted
from tutela.sandbox.system_calls import (
    AARCH64,
    KILL,
    MACHINES,
    X86_64,
    Check,
    Rule,
    refuse,
    rules,
)

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_NOT_LESS = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANSWER = 0x06  # BPF_RET | BPF_K
# Where struct seccomp_data has what.
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
# On x86-64, the same calls for programs with short addresses have numbers from here on.
_X32 = 0x40000000

_SECCOMP = {X86_64: 317, AARCH64: 277}
_SET_MODE_FILTER, _ALL_THREADS = 1, 1

Instruction = tuple[int, int, int, int]
"""``struct sock_filter``: what to do; how many to skip if it is so, and if not; a number."""


def program(rules: Iterable[Rule], machine: str) -> tuple[Instruction, ...]:
    """The filter that follows these rules, and refuses everything else.

    Args:
        rules: What becomes of which system call.
        machine: The kind of processor; calls in the manner of another one are deadly.
    """
    return (
        (_LOAD, 0, 0, _MACHINE),
        (_IF_EQUAL, 1, 0, MACHINES[machine]),
        (_ANSWER, 0, 0, KILL),
        (_LOAD, 0, 0, _NUMBER),
        *(((_IF_NOT_LESS, 0, 1, _X32), (_ANSWER, 0, 0, KILL)) if machine == X86_64 else ()),
        *(instruction for rule in rules for instruction in _ruled(rule)),
        (_ANSWER, 0, 0, refuse()),
    )


def _ruled(rule: Rule) -> Iterator[Instruction]:
    checks = [instruction for check in rule.checks for instruction in _checked(check, rule)]
    yield (_IF_EQUAL, 0, len(checks) + 1, rule.number)
    yield from checks
    yield (_ANSWER, 0, 0, rule.answer)


def _checked(check: Check, rule: Rule) -> Iterator[Instruction]:
    # Both kinds of processors have the lower half first.
    yield (_LOAD, 0, 0, _ARGUMENTS + 8 * check.argument + 4 * check.upper)
    yield (_AND, 0, 0, check.mask)
    for place, value in enumerate(check.values):
        yield (_IF_EQUAL, len(check.values) - place, 0, value)
    yield (_ANSWER, 0, 0, rule.otherwise)


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def filter_calls(machine: str = platform.machine()) -> None:
    """Put the filter over all threads of this process, for good. It needs ``no_new_privs``.

    Raises:
        OSError: It cannot be: the kernel has no such filters, or this kind of processor is unknown.
    """
    if machine not in MACHINES:
        raise OSError(f"its system calls are not known for {machine}")
    install(program(rules(os.getpid(), machine), machine), machine)


def install(instructions: Iterable[Instruction], machine: str = platform.machine()) -> None:
    """Put a filter over all threads of this process, for good.

    Raises:
        OSError: The kernel does not take it.
    """
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    told = _Program(len(packed) // 8, packed)
    answer = LIBC.syscall(_SECCOMP[machine], _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(told))
    if thread := granted(answer):
        raise OSError(f"thread {thread} cannot be sealed with the others")
