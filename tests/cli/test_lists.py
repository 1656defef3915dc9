"""``tutela list``, as people use it."""

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import TUTELA, environment
from tutela.cli.main import run
from tutela.fingerprints.model import Kind
from tutela.hashlists.indexing import open_index
from tutela.matching.model import Query
from tutela.storage.database import Database
from tutela.storage.settings import Settings

MD5, SHA1, WIDE = "a1" * 16, "b2" * 20, "c3" * 32
Output = pytest.CaptureFixture[bytes]


class Commands:
    """Runs commands in one house."""

    def __init__(self, captured: Output) -> None:
        self._captured = captured
        self.told = ""

    def __call__(self, *words: str | Path, code: int = 0) -> bytes:
        """Run a command that ends with a code; gives what it answered, keeps what it told."""
        assert run(["list", *map(str, words)]) == code, self._captured.readouterr().err
        found = self._captured.readouterr()
        self.told = " ".join(found.err.decode().split())
        return found.out

    def json(self, *words: str | Path) -> list[dict[str, Any]]:
        """The objects that a command answers."""
        return [json.loads(line) for line in self(*words, "--json").splitlines()]


@pytest.fixture(autouse=True)
def _house(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def tutela(capsysbinary: Output) -> Commands:
    commands = Commands(capsysbinary)
    commands("create", "known", "--description", "What we know")
    return commands


@pytest.fixture
def hashes(tmp_path: Path) -> Path:
    path = tmp_path / "hashes.csv"
    path.write_text(f"kind,hash,quality,label\nmd5,{MD5},,A1\npdq,{WIDE},80,\nmd5,oops,,\n")
    return path


def test_a_list_is_made_filled_shown_and_exported(
    tutela: Commands, hashes: Path, tmp_path: Path
) -> None:
    [result] = tutela.json(
        "import", "known", hashes, "--source", "Hotline", "--label", "B2", "--reason", "contract"
    )
    rejects = tmp_path / "hashes.csv.rejects.csv"
    assert {name: result[name] for name in ("rows", "added", "already", "rejected", "rejects")} == {
        "rows": 3,
        "added": 2,
        "already": 0,
        "rejected": 1,
        "rejects": str(rejects),
    }
    assert rejects.read_text().splitlines()[1].startswith("4,")
    [shown] = tutela.json("show", "known")
    assert shown["entries"] == {"md5": 1, "pdq": 1}
    [record] = shown["imports"]
    assert (record["source"], record["label"], record["reason"], record["file"]) == (
        "Hotline",
        "B2",
        "contract",
        "hashes.csv",
    )
    assert record["imported_by"].startswith("cli:")
    assert [each["name"] for each in tutela.json("ls")] == ["known"]
    lines = tutela("export", "known").decode().splitlines()
    assert lines[1].startswith(f"md5,{MD5},,A1,Hotline,contract,")
    assert lines[2].startswith(f"pdq,{WIDE},80,B2,Hotline,contract,")
    assert [each["hash"] for each in tutela.json("export", "known")] == [MD5, WIDE]
    tutela("export", "known", tmp_path / "out.jsonl", "--format", "jsonl")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2
    tutela("export", "known", tmp_path / "out.jsonl", code=2)
    assert "--force" in tutela.told


def test_an_imported_hash_is_in_the_index_when_the_command_ends(
    tutela: Commands, hashes: Path, settings: Settings, database: Database
) -> None:
    tutela("import", "known", hashes)
    with open_index(settings.data / "index", database) as index:
        assert index.look_up(Query(md5=bytes.fromhex(MD5)), 0)


def test_the_file_name_is_the_source_where_none_is_named(tutela: Commands, hashes: Path) -> None:
    tutela("import", "known", hashes)
    assert tutela.json("show", "known")[0]["imports"][0]["source"] == "hashes.csv"


def test_people_are_told_what_an_import_did(tutela: Commands, hashes: Path) -> None:
    assert tutela("import", "known", hashes) == b""
    for words in ("3 rows: 2 added", "1 rejected", "hashes.csv.rejects.csv"):
        assert words in tutela.told
    tutela("import", "known", hashes)
    assert "0 added, 2 there already" in tutela.told


def test_a_file_without_any_good_row_is_an_error(tutela: Commands, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("just\nwords\n")
    tutela("import", "known", path, code=2)
    assert "2 rejected" in tutela.told


def test_an_entry_is_withdrawn_listed_and_restored(tutela: Commands, hashes: Path) -> None:
    tutela("import", "known", hashes)
    tutela("withdraw", "known", MD5.upper(), "--reason", "not what it seemed")
    [entry] = tutela.json("withdrawn", "known")
    assert (entry["hash"], entry["kind"], entry["reason"]) == (MD5, "md5", "not what it seemed")
    assert tutela.json("show", "known")[0]["withdrawn"] == 1
    [again] = tutela.json("import", "known", hashes)
    assert (again["added"], again["already"], again["withdrawn"]) == (0, 1, 1)
    tutela("withdraw", "known", MD5, "--reason", "twice", code=2)
    tutela("restore", "known", MD5, "--reason", "looked at again")
    assert tutela.json("withdrawn", "known") == []
    assert tutela.json("show", "known")[0]["entries"] == {"md5": 1, "pdq": 1}


def test_a_file_of_entries_is_withdrawn_whole_or_not_at_all(
    tutela: Commands, hashes: Path, tmp_path: Path
) -> None:
    tutela("import", "known", hashes)
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(f"md5 {MD5}\nnonsense\n")
    tutela("withdraw", "known", "--file", wrong, "--reason", "x", code=2)
    assert "line 2" in tutela.told
    assert tutela.json("withdrawn", "known") == []
    right = tmp_path / "right.txt"
    right.write_text(f"md5 {MD5}\npdq {WIDE}\nsha1 {SHA1}\n")
    [done] = tutela.json("withdraw", "known", "--file", right, "--reason", "x")
    assert done == {"name": "known", "withdrawn": 2, "left": 1}


def test_a_file_of_which_nothing_can_be_changed_is_an_error(
    tutela: Commands, hashes: Path, tmp_path: Path
) -> None:
    tutela("import", "known", hashes)
    path = tmp_path / "two.txt"
    path.write_text(f"md5 {MD5}\nsha1 {SHA1}\n")
    tutela("withdraw", "known", "--file", path, "--reason", " ", code=2)
    assert "a reason is needed" in tutela.told
    tutela("restore", "known", "--file", path, "--reason", "x", code=2)
    assert "none of the 2 hashes is withdrawn" in tutela.told
    tutela("withdraw", "known", "--file", path, "--reason", "x")
    tutela("withdraw", "known", "--file", path, "--reason", "x", code=2)
    assert "none of the 2 hashes is live" in tutela.told
    [done] = tutela.json("restore", "known", "--file", path, "--reason", "x")
    assert done == {"name": "known", "restored": 1, "left": 1}
    path.write_text("# nothing\n")
    tutela("withdraw", "known", "--file", path, "--reason", "x", code=2)
    assert "there is no hash in it" in tutela.told


def test_a_removed_list_is_gone_from_the_list_of_lists(tutela: Commands) -> None:
    tutela("remove", "known", "--reason", "done", "--yes")
    assert tutela.json("ls") == []
    tutela("show", "known", code=2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["create", "known"], 'there is a list "known" already'),
        (["create", "a\nb"], "printable"),
        (["show", "knwon"], 'did you mean "known"?'),
        (["import", "knwon", "nowhere"], 'did you mean "known"?'),
        (["import", "known", "nowhere"], "nowhere: there is no such file"),
        (["import", "known", "/"], "/: it is a folder"),
        (["export", "other"], 'there is no list "other"'),
        (["withdraw", "known", "--reason", "x"], "--file"),
        (["withdraw", "known", MD5, "--reason", " "], "a reason is needed"),
        (["withdraw", "known", MD5, "--reason", "x"], 'is not on the list "known"'),
        (["withdraw", "known", WIDE, "--reason", "x"], "--kind"),
        (["withdraw", "known", "zz", "--reason", "x"], "not hexadecimal"),
        (["remove", "known", "--reason", "x"], "--yes"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_the_way_out(
    words: list[str], told: str, tutela: Commands
) -> None:
    tutela(*words, code=2)
    assert tutela.told.startswith("error: ")
    assert told in tutela.told


def test_64_digits_of_no_stated_kind_are_refused(tutela: Commands, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{WIDE}\n")
    tutela("import", "known", path, code=2)
    assert "--kind sha256 or --kind pdq" in tutela.told
    tutela("import", "known", path, "--kind", "pdq")
    assert tutela.json("show", "known")[0]["entries"] == {str(Kind.PDQ): 1}


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_terminal_asks_before_a_list_is_removed(
    tutela: Commands, hashes: Path, settings: Settings
) -> None:
    tutela("import", "known", hashes)
    for answer, left in (("n", 1), ("y", 0)):
        ours, theirs = pty.openpty()
        done = subprocess.Popen(
            [TUTELA, "list", "remove", "known", "--reason", "x"],
            env=environment(settings),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        os.write(ours, f"{answer}\n".encode())
        _out, told = done.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)
        assert b'Stop matching the list "known" (1 md5, 1 pdq)?' in told
        assert len(tutela.json("ls")) == left
