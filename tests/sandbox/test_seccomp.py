"""The filter says of each system call what the rules say, on every kind of processor."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tutela.sandbox.seccomp import Instruction, program
from tutela.sandbox.system_calls import AARCH64, ALLOW, KILL, MACHINES, X86_64, refuse, rules

PROCESS = 4321
REFUSED, UNKNOWN = refuse(), refuse(38)
HEADERS = {
    X86_64: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    # Of which aarch64 has no numbers of its own.
    AARCH64: Path("/usr/include/asm-generic/unistd.h"),
}


def answer(instructions: Sequence[Instruction], machine: int, number: int, *arguments: int) -> int:
    """What the kernel would be told: its machine for such programs, in a few lines."""
    halves = [half for each in arguments for half in (each & 0xFFFFFFFF, each >> 32)]
    data = [number, machine, 0, 0, *halves, *[0] * (12 - len(halves))]
    held = place = 0
    while True:
        code, if_so, if_not, value = instructions[place]
        place += 1
        match code:
            case 0x20:
                held = data[value // 4]
            case 0x54:
                held &= value
            case 0x15:
                place += if_so if held == value else if_not
            case 0x35:
                place += if_so if held >= value else if_not
            case 0x06:
                return value
            case _:
                raise AssertionError(code)


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def asked(machine: str, name: str, *arguments: int) -> int:
    known = rules(PROCESS, machine)
    (number,) = {rule.number for rule in known if rule.name == name}
    return answer(program(known, machine), MACHINES[machine], number, *arguments)


def test_the_numbers_are_those_of_the_kernel(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not here")
    said = HEADERS[machine].read_text()
    pattern = r"#define __NR(?:3264)?_(\w+)\s+(\d+)\n"
    numbers = {name: int(number) for name, number in re.findall(pattern, said)}
    known = {rule.name: rule.number for rule in rules(PROCESS, machine)}
    assert known == {name: numbers[name] for name in known}
    assert len(known) > 90


def test_each_call_has_one_rule(machine: str) -> None:
    numbers = [rule.number for rule in rules(PROCESS, machine)]
    assert len(numbers) == len(set(numbers))


def test_whatever_is_not_named_is_refused(machine: str) -> None:
    known = {rule.number for rule in rules(PROCESS, machine)}
    filter_ = program(rules(PROCESS, machine), machine)
    for number in set(range(1024)) - known:
        assert answer(filter_, MACHINES[machine], number) == REFUSED


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("read", (3,), ALLOW),
        ("exit_group", (0,), ALLOW),
        ("execve", (), KILL),
        ("socket", (2, 1, 0), KILL),
        ("mmap", (0, 4096, 3, 0x22, 2**32 - 1, 0), ALLOW),
        ("mmap", (0, 4096, 7, 0x22, 2**32 - 1, 0), REFUSED),
        ("mmap", (0, 4096, 1, 0x02, 3, 0), REFUSED),
        ("mmap", (0, 4096, 3, 0x01, 3, 0), REFUSED),
        ("mprotect", (0, 4096, 3), ALLOW),
        ("mprotect", (0, 4096, 5), REFUSED),
        ("clone", (0x3D0F00,), ALLOW),
        ("clone", (0x01200011,), KILL),
        ("clone", (0x4111,), KILL),
        ("clone3", (), UNKNOWN),
        ("tgkill", (PROCESS, PROCESS, 6), ALLOW),
        ("tgkill", (PROCESS - 1, PROCESS - 1, 9), REFUSED),
        ("write", (2,), ALLOW),
        ("write", (3,), REFUSED),
        ("sendto", (3, 0, 4, 0, 0, 0), ALLOW),
        ("sendto", (3, 0, 4, 0, 1, 16), REFUSED),
        ("sendto", (3, 0, 4, 0, 1 << 32, 16), REFUSED),
        ("prlimit64", (0, 7, 0, 99), ALLOW),
        ("prlimit64", (0, 7, 99, 0), REFUSED),
        ("prlimit64", (0, 7, 1 << 32, 0), REFUSED),
        ("prlimit64", (PROCESS - 1, 7, 0, 99), REFUSED),
        ("fcntl", (3, 1030), ALLOW),
        ("fcntl", (3, 8), REFUSED),
        ("prctl", (15,), ALLOW),
        ("prctl", (4, 1), REFUSED),
    ],
)
def test_arguments_count(
    machine: str, name: str, arguments: tuple[int, ...], expected: int
) -> None:
    assert asked(machine, name, *arguments) == expected


def test_calls_in_the_manner_of_another_processor_are_deadly(machine: str) -> None:
    filter_ = program(rules(PROCESS, machine), machine)
    for other in {0x40000003, 0x40000028, *MACHINES.values()} - {MACHINES[machine]}:
        assert answer(filter_, other, 0) == KILL
    if machine == X86_64:
        assert answer(filter_, MACHINES[machine], 0x40000000) == KILL
        assert answer(filter_, MACHINES[machine], 0xFFFFFFFF) == KILL
