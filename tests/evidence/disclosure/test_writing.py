"""A package is encrypted before it reaches the disk, and whole or absent."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evidence.disclosure.authority import Authority
from tests.evidence.disclosure.parcels import NOON
from tests.waiting import comes_true
from tutela.errors import AlreadyExistsError, StorageError
from tutela.evidence.disclosure.archive import Member, archive
from tutela.evidence.disclosure.recipients import read_recipients, read_recipients_file
from tutela.evidence.disclosure.writing import UNFINISHED, Package, write_package

KEY = "age1jw48gptpw649dx3gul60qupapw0d4x38jydrkqqv2xhq0m62p35qrt8tg9"
RECIPIENTS = read_recipients(KEY, "f")
MARK = b"this is in the clear"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def _write(path: Path, members: list[Member], authority: Authority) -> Package:
    content = archive(members, "folder", NOON)
    return write_package(path, content, read_recipients_file(authority.public), lambda _: None)


def test_the_standard_tools_open_it_and_every_sum_is_right(tmp_path: Path, authority) -> None:
    package = _write(
        tmp_path / "p.age",
        [
            Member.of("README.txt", b"hello"),
            Member.of("empty", b""),
            Member("media/x.bin", 1_300_000, lambda: [b"x" * 1_000_000, b"", b"y" * 300_000]),
        ],
        authority,
    )
    folder = authority.open(tmp_path / "p.age", tmp_path / "opened")
    assert (folder / "media/x.bin").read_bytes() == b"x" * 1_000_000 + b"y" * 300_000
    assert folder.name == "folder"
    assert package.size == (tmp_path / "p.age").stat().st_size
    said = subprocess.run(["sha256sum", tmp_path / "p.age"], capture_output=True, check=True)
    assert said.stdout.split()[0].decode() == package.sha256


@settings(max_examples=15)
@given(st.lists(st.integers(0, 3000), max_size=6), st.integers(1, 1500))
def test_any_sizes_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], piece: int
) -> None:
    folder = tmp_path_factory.mktemp("any")
    contents = [os.urandom(size) for size in sizes]

    def pieces(content: bytes) -> Iterator[bytes]:
        for start in range(0, len(content), piece):
            yield content[start : start + piece]

    members = [
        Member(f"f{number}", len(content), lambda content=content: pieces(content))
        for number, content in enumerate(contents)
    ]
    tar = b"".join(archive(members, "d", NOON))
    assert len(tar) % 10_240 == 0
    subprocess.run(["tar", "-x", "-C", folder], input=tar, check=True)
    found = [(folder / "d" / f"f{number}").read_bytes() for number in range(len(contents))]
    assert found == contents


def test_only_its_owner_can_read_the_file(tmp_path: Path, authority) -> None:
    before = os.umask(0)
    try:
        _write(tmp_path / "p.age", [Member.of("a", b"a")], authority)
    finally:
        os.umask(before)
    assert (tmp_path / "p.age").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.999])
def test_a_package_with_one_bit_changed_does_not_open(tmp_path: Path, authority, where) -> None:
    package = tmp_path / "p.age"
    _write(package, [Member.of("a", os.urandom(200_000))], authority)
    content = bytearray(package.read_bytes())
    content[int(len(content) * where)] ^= 1
    package.write_bytes(content)
    assert authority.try_to_open(package, tmp_path / "opened").returncode != 0


@pytest.mark.parametrize("cut", [1, 70_000])
def test_a_package_cut_short_does_not_open(tmp_path: Path, authority, cut: int) -> None:
    package = tmp_path / "p.age"
    _write(package, [Member.of("a", os.urandom(200_000))], authority)
    os.truncate(package, package.stat().st_size - cut)
    assert authority.try_to_open(package, tmp_path / "opened").returncode != 0


def test_nobody_else_can_open_it(tmp_path: Path, authority) -> None:
    _write(tmp_path / "p.age", [Member.of("a", b"a")], authority)
    stranger = Authority(tmp_path / "stranger")
    assert stranger.try_to_open(tmp_path / "p.age", tmp_path / "opened").returncode != 0


@pytest.mark.parametrize("content", [[b"1234"], [b"123456"], [b"12345", b"6"], []])
def test_a_content_of_another_length_leaves_no_package(tmp_path: Path, content) -> None:
    members = [Member("media/x.bin", 5, lambda: content)]
    with pytest.raises(StorageError, match=r"media/x.bin is not what was sealed"):
        write_package(tmp_path / "p.age", archive(members, "d", NOON), RECIPIENTS, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_a_content_with_another_digest_leaves_no_package(tmp_path: Path) -> None:
    members = [Member("media/x.bin", 5, lambda: [b"12345"], "00" * 32)]
    with pytest.raises(StorageError, match="is not what was sealed"):
        write_package(tmp_path / "p.age", archive(members, "d", NOON), RECIPIENTS, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_it_appears_only_after_it_was_told_of(tmp_path: Path) -> None:
    path = tmp_path / "p.age"
    told = []

    def tell(package: Package) -> None:
        (unfinished,) = tmp_path.iterdir()
        assert unfinished.name.endswith(UNFINISHED)
        assert unfinished.stat().st_size == package.size
        assert MARK not in unfinished.read_bytes()
        told.append(package)

    assert write_package(path, iter([MARK]), RECIPIENTS, tell) == told[0]
    assert list(tmp_path.iterdir()) == [path]


def test_if_it_cannot_be_told_of_there_is_none(tmp_path: Path) -> None:
    def fail(_: Package) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_package(tmp_path / "p.age", iter([b"a"]), RECIPIENTS, fail)
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "p.age"
    path.write_text("precious")
    with pytest.raises(AlreadyExistsError, match="is there already"):
        write_package(path, iter([b"a"]), RECIPIENTS, lambda _: None)
    path.unlink()
    with pytest.raises(AlreadyExistsError, match="is there already"):
        write_package(path, iter([b"a"]), RECIPIENTS, lambda _: path.write_text("precious"))
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_and_a_missing_folder_are_said_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no such folder"):
        write_package(tmp_path / "no" / "p.age", iter([b"a"]), RECIPIENTS, lambda _: None)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot be written .*: nothing was left of it"):
            write_package(tmp_path / "p.age", iter([bytes(3_000_000)]), RECIPIENTS, lambda _: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


_WRITER = """
import sys, time
from pathlib import Path
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.evidence.disclosure.writing import write_package
def content():
    while True:
        yield {mark!r} * 10_000
        time.sleep(0.001)
def never(package):
    time.sleep(600)
write_package(Path(sys.argv[1]), {content}, read_recipients({key!r}, "f"), never)
"""


@pytest.mark.parametrize("content", ["content()", "iter([b'all of it' * 100_000])"])
def test_a_writer_that_is_killed_leaves_nothing_that_looks_finished(
    tmp_path: Path, content
) -> None:
    program = _WRITER.format(mark=MARK, key=KEY, content=content)
    writer = subprocess.Popen([sys.executable, "-c", program, tmp_path / "p.age"])
    assert comes_true(lambda: any(each.stat().st_size > 500_000 for each in tmp_path.iterdir()))
    time.sleep(0.05)
    writer.kill()
    writer.wait()
    (left,) = tmp_path.iterdir()
    assert left.name.endswith(UNFINISHED)
    assert MARK not in left.read_bytes()
    # And nothing stands in the way of the next one.
    write_package(tmp_path / "p.age", iter([b"a"]), RECIPIENTS, lambda _: None)


_MEASURED = """
import resource, sys
from datetime import datetime, UTC
from pathlib import Path
from tutela.evidence.disclosure.archive import Member, archive
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.evidence.disclosure.writing import write_package
def write(name, mebibytes):
    piece = b"x" * (1 << 20)
    member = Member("m", mebibytes << 20, lambda: (piece for _ in range(mebibytes)))
    write_package(Path(sys.argv[1]) / name, archive([member], "d", datetime.now(UTC)),
                  read_recipients({key!r}, "f"), lambda _: None)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(write("small", 4), write("large", 256))
"""


def test_memory_does_not_grow_with_the_media(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED.format(key=KEY), tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    small, large = map(int, done.stdout.split())
    assert large - small < 8_192
