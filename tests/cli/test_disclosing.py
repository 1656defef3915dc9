"""``tutela evidence disclose``, ``agree``, ``package``: two people hand a case to an authority."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.actors import custodians_key
from tests.cli.command import TUTELA, environment, json_lines
from tests.evidence.disclosure.authority import Authority
from tests.pictures import drawn, encoded
from tutela.cases.adding import Opening
from tutela.cases.model import Item
from tutela.cases.sealing import open_cases
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.fingerprints.model import FingerprintSet
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings

PICTURE = encoded(drawn())


# What the commands do is tested on both databases in tests/evidence; they themselves take a second
# each only to start.
on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@dataclass
class Office:
    """A house with one case, and two people who have keys."""

    settings: Settings
    folder: Path
    keys: dict[str, str]
    case: str

    def run(self, who: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TUTELA, "evidence", *map(str, arguments)],
            env=environment(self.settings) | {"TUTELA_KEY": self.keys.get(who, "")},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def ask(self, to: Path, *more: str) -> subprocess.CompletedProcess[str]:
        why = ("--legal-basis", "Order 1", "--authority", "State Police", "--reference", "X 1")
        return self.run("ada", "disclose", self.case, "--to", to, *why, *more)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def office(settings: Settings, database: Database, tmp_path: Path) -> Office:
    vault = Vault.over(settings, database, system_clock)
    prepare_keys(vault.keyring, database, tell=lambda _: None)
    opening = Opening(
        Item("Фото.png", "scan", FingerprintSet(size=len(PICTURE))),
        [],
        content=lambda: [PICTURE],
    )
    (case,) = open_cases(vault, [opening], system_clock)
    with database.writing() as connection:
        keys = {name: custodians_key(connection, name, system_clock) for name in ("ada", "ben")}
    return Office(settings, tmp_path, keys, case)


@on_sqlite
def test_two_people_hand_a_case_over_and_the_authority_opens_it(
    office: Office, authority: Authority, tmp_path: Path
) -> None:
    asked = office.ask(authority.public)
    assert asked.stdout == "1\n"
    assert "tutela evidence agree 1" in asked.stderr

    alone = office.run("ada", "agree", "1", "--yes")
    assert alone.returncode == 2
    assert "another person" in alone.stderr

    agreed = office.run("ben", "agree", "1", "--yes")
    assert agreed.returncode == 0, agreed.stderr
    for shown in (authority.key, "State Police", "Order 1", "Фото.png", office.case, "(key:1)"):
        assert shown in "".join(agreed.stderr.split("\n")), shown

    (made,) = json_lines(office.run("ben", "package", "1", "--json"))
    package = office.folder / made["package"]
    assert package.name == f"tutela-{office.case}-disclosure-1.tar.age"
    folder = authority.open(package, tmp_path / "opened")
    (medium,) = (folder / "media").iterdir()
    assert medium.read_bytes() == PICTURE

    (listed,) = json_lines(office.run("", "disclosures", "--json"))
    assert (listed["package_sha256"], listed["state"]) == (made["sha256"], "agreed")
    assert (listed["asked_by"], listed["decided_by"]) == ("key:1", "key:2")
    names = (listed["asked_by_name"], listed["decided_by_name"])
    assert all(names)
    assert f"{names[0]} (key:1)" in office.run("", "disclosures").stdout


@on_sqlite
def test_a_person_without_a_key_can_do_nothing(office: Office, authority: Authority) -> None:
    office.ask(authority.public)
    done = office.run("nobody", "agree", "1", "--yes")
    assert done.returncode == 2
    assert "set TUTELA_KEY" in done.stderr
    office.keys["stranger"] = "tutela_wrong"
    assert "unknown or revoked" in office.run("stranger", "agree", "1", "--yes").stderr


@on_sqlite
def test_nobody_agrees_unseen_and_a_refusal_says_why(office: Office, authority: Authority) -> None:
    office.ask(authority.public)
    done = office.run("ben", "agree", "1")
    assert done.returncode == 2
    assert "add --yes" in done.stderr
    assert authority.key in done.stderr
    assert office.run("ben", "refuse", "1", "--reason", "wrong key").returncode == 0
    later = office.run("ben", "agree", "1", "--yes")
    assert "was refused by key:2: wrong key" in later.stderr


@on_sqlite
def test_mistakes_are_said_in_one_line(office: Office, authority: Authority) -> None:
    private = office.ask(authority.private)
    assert "this is a private key" in private.stderr
    assert "AGE-SECRET" not in private.stderr
    nothing = office.ask(authority.public, "--without", "a" * 26)
    assert "has no evidence" in nothing.stderr
    unknown = office.run("ben", "agree", "7", "--yes")
    assert "there is no disclosure 7" in unknown.stderr
    for done in (private, nothing, unknown):
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
