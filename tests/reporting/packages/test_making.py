"""A report's package is opened with standard tools by its recipients and by nobody else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from tests.evidence.disclosure.authority import Authority
from tests.reporting.packages.letters import KEY, MESSAGE, enclosure, letter
from tutela.errors import StorageError
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.reporting.model import Environment
from tutela.reporting.packages.document import Document
from tutela.reporting.packages.making import made_package
from tutela.reporting.packages.model import Letter

CONTENTS = {"a" * 26: os.urandom(700_000), "b" * 26: b""}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def opened(made: Letter, authority: Authority, tmp_path: Path) -> Path:
    with made_package(made, tmp_path / "out") as package:
        content = b"".join(package.pieces())
        assert len(content) == package.size
        # Nothing has a name there, so nothing is left there whatever happens.
        assert list((tmp_path / "out").iterdir()) == []
    file = tmp_path / made.file
    file.write_bytes(content)
    return authority.open(file, tmp_path / "opened")


def test_the_authority_opens_it_and_finds_everything(tmp_path: Path, authority) -> None:
    enclosures = [enclosure(content, evidence=name) for name, content in CONTENTS.items()]
    made = letter(*enclosures, recipients=read_recipients(authority.key, "f"))
    folder = opened(made, authority, tmp_path)
    assert folder.name == "tutela-report-7"
    assert {each.name for each in folder.iterdir()} == {
        *("README.txt", "report.pdf", "report.html", "report.json", "report.schema.json"),
        *("media", "SHA256SUMS"),
    }
    for name, content in CONTENTS.items():
        assert (folder / "media" / f"{name}.bin").read_bytes() == content
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF-")
    told = json.loads((folder / "report.json").read_text())
    jsonschema.validate(
        told,
        json.loads((folder / "report.schema.json").read_text()),
        cls=jsonschema.Draft202012Validator,
    )
    document = Document.model_validate(told)
    assert document.report == made.content
    assert [each.details for each in document.files] == [each.details for each in enclosures]
    assert (document.sending.identifier, document.sending.copy_number) == (MESSAGE, 1)
    assert not document.sending.repeats
    read_me = (folder / "README.txt").read_text()
    assert "age -d -i PRIVATE-KEY-FILE tutela-report-7.tar.age | tar -x" in read_me
    assert authority.key in read_me


def test_each_of_several_recipients_can_open_it(tmp_path: Path) -> None:
    two = [Authority(tmp_path / name) for name in ("one", "two")]
    stranger = Authority(tmp_path / "stranger")
    made = letter(recipients=read_recipients("\n".join(each.key for each in two), "f"))
    with made_package(made, tmp_path / "out") as package:
        (tmp_path / "p.age").write_bytes(b"".join(package.pieces(1000)))
    for each in two:
        assert each.open(tmp_path / "p.age", each.private.parent / "opened").exists()
    assert stranger.try_to_open(tmp_path / "p.age", tmp_path / "x").returncode != 0


def test_another_copy_says_that_it_repeats_the_same_report(tmp_path: Path, authority) -> None:
    key = read_recipients(authority.key, "f")
    made = letter(recipients=key, earlier=(MESSAGE, "report-7-old@forum.example"))
    folder = opened(made, authority, tmp_path)
    sending = json.loads((folder / "report.json").read_text())["sending"]
    assert (sending["copy_number"], sending["repeats"]) == (3, True)
    assert sending["replaces"] == ["report-7-old@forum.example"]
    assert sending["identifier"] == MESSAGE
    for name in ("README.txt", "report.html"):
        text = " ".join((folder / name).read_text().split())
        assert "It is not known whether an earlier copy reached you" in text
        assert "takes its place" in text


def test_a_test_says_that_it_is_one(tmp_path: Path, authority) -> None:
    key = read_recipients(authority.key, "f")
    folder = opened(letter(recipients=key, environment=Environment.TEST), authority, tmp_path)
    assert "TEST: report 7" in (folder / "README.txt").read_text()
    assert "about nothing that has" in (folder / "README.txt").read_text()
    assert json.loads((folder / "report.json").read_text())["sending"]["environment"] == "test"


def test_a_file_that_is_not_what_was_sealed_is_never_sent(tmp_path: Path) -> None:
    for given in ([b"another one"], [b"too short"], [b"a landscape and more"]):
        made = letter(enclosure(given=given))
        with (
            pytest.raises(StorageError, match="is not what was sealed"),
            made_package(made, tmp_path / "out"),
        ):
            pytest.fail("it was made")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_fails_while_a_file_is_read_is_let_through(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise ZeroDivisionError

    made = letter(enclosure(given=broken()))
    with pytest.raises(ZeroDivisionError), made_package(made, tmp_path / "out"):
        pytest.fail("it was made")


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    program = _FULL.format(key=KEY)
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot be written in" in done.stdout, done.stderr
    assert list((tmp_path / "out").iterdir()) == []


_FULL = """
import resource, signal, sys
from pathlib import Path
from tests.reporting.packages.letters import enclosure, letter
from tutela.errors import StorageError
from tutela.reporting.packages.making import made_package
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    with made_package(letter(enclosure(bytes(5_000_000))), Path(sys.argv[1])):
        pass
except StorageError as error:
    print(error.message)
"""

_MEASURED = """
import hashlib, resource, sys
from dataclasses import replace
from pathlib import Path
from tests.reporting.packages.letters import enclosure, letter
from tutela.reporting.packages.making import made_package
def make(mebibytes):
    piece = b"x" * (1 << 20)
    told = hashlib.sha256()
    for _ in range(mebibytes):
        told.update(piece)
    file = replace(enclosure(), size=mebibytes << 20, sha256=told.hexdigest(),
                   content=lambda: (piece for _ in range(mebibytes)))
    with made_package(letter(file), Path(sys.argv[1])) as package:
        for _ in package.pieces():
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(make(4), make(256))
"""


def test_memory_does_not_grow_with_the_files(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, tmp_path / "out"],
        capture_output=True,
        text=True,
        check=True,
    )
    small, large = map(int, done.stdout.split())
    assert large - small < 8_192


def test_only_encrypted_bytes_are_on_the_disk(tmp_path: Path) -> None:
    mark = b"this is in the clear" * 5_000
    with made_package(letter(enclosure(mark)), tmp_path / "out") as package:
        content = b"".join(package.pieces())
    assert mark[:20] not in content
    assert content.startswith(b"age-encryption.org/v1\n")
