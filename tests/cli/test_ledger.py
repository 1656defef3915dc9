"""``tutela ledger``: what was done is seen, proved and verified from the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.actors import actor_called
from tests.cli.command import json_lines, tutela
from tutela.accounts.keys import add_key
from tutela.accounts.permissions import Permission
from tutela.hashlists.lists import create_list, remove_list
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.tables import ledger_entries
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_proof.py"


@pytest.fixture
def settings(data: Path) -> Settings:
    """On SQLite alone: starting so many commands takes time, and the ledger's own tests do both."""
    return load_settings(data=data, cells=2)


def do_some(settings: Settings) -> None:
    """What three commands would do, but quicker."""
    database = Database.open(settings)
    upgrade(database, settings.data, tell=lambda _: None)
    actor = actor_called("cli:test")
    for act in (
        lambda to: add_key(to, "forum", [Permission.SCREEN], actor, system_clock),
        lambda to: create_list(to, "known", "", actor, system_clock),
        lambda to: remove_list(to, "known", "asked by Jo", actor, system_clock),
    ):
        with database.writing() as connection:
            act(connection)
        Checkpoints(database, settings, system_clock).make()
    database.close()


def test_what_commands_did_is_entered_signed_and_verified(settings, tmp_path: Path) -> None:
    assert tutela(settings, "key", "add", "forum", "--scope", "screen").returncode == 0
    assert tutela(settings, "list", "create", "known").returncode == 0
    removed = tutela(settings, "list", "remove", "known", "--reason", "asked by Jo", "--yes")
    assert removed.returncode == 0
    entries = json_lines(tutela(settings, "ledger", "ls", "--json"))
    assert [(each["entry"], each["act"], each["thing"], each["reason"]) for each in entries] == [
        (2, "list.removed", "list:1", "asked by Jo"),
        (1, "list.created", "list:1", None),
        (0, "key.added", "key:1", None),
    ]
    assert [each["thing_name"] for each in entries] == [None, None, "forum"]
    assert "forum (key:1)" in tutela(settings, "ledger", "ls").stdout
    assert "forum" in tutela(settings, "ledger", "show", "0").stdout
    assert {each["actor"].partition(":")[0] for each in entries} == {"os"}
    assert len(list((settings.keys_folder / "checkpoints").iterdir())) == 3
    done = tutela(settings, "ledger", "verify")
    assert done.returncode == 0
    assert "Sound. Every entry is below a signed checkpoint." in done.stdout
    assert "3 entries and 3 checkpoints verified" in done.stdout


def test_a_changed_entry_gives_exit_code_1_and_its_place(database, settings) -> None:
    do_some(settings)
    with database.writing() as connection:
        connection.execute(
            update(ledger_entries).where(ledger_entries.c.number == 1).values(actor="os:9")
        )
    done = tutela(settings, "ledger", "verify")
    assert done.returncode == 1
    assert "Not sound: 1 findings." in done.stdout
    assert "entry 1: not as it was written" in done.stdout
    done = tutela(settings, "ledger", "verify", "--json")
    assert done.returncode == 1
    finding, summary = json_lines(done)
    assert (finding["trouble"], finding["first"], finding["last"]) == ("changed", 1, 1)
    assert (summary["sound"], summary["findings"]) == (False, 1)


def test_a_proof_is_checked_by_the_script_with_the_printed_key(settings, tmp_path: Path) -> None:
    do_some(settings)
    key = tutela(settings, "ledger", "key").stdout.strip()
    file = tmp_path / "proof.json"
    assert tutela(settings, "ledger", "prove", "2", file, "--with-words").returncode == 0
    done = subprocess.run(
        [sys.executable, "-I", SCRIPT, file, key], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "asked by Jo" in done.stdout
    again = tutela(settings, "ledger", "prove", "2", file)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert tutela(settings, "ledger", "prove", "2", file, "--force").returncode == 0
    assert json.loads(tutela(settings, "ledger", "prove", "2").stdout)["number"] == 2
    absent = tutela(settings, "ledger", "prove", "99")
    assert absent.returncode == 2
    assert "there is no entry 99" in absent.stderr


def test_words_are_erased_and_the_ledger_stays_sound(settings) -> None:
    do_some(settings)
    assert tutela(settings, "ledger", "erase-reason", "2", "--yes").returncode == 0
    assert "asked by Jo" not in tutela(settings, "ledger", "ls").stdout
    (shown,) = json_lines(tutela(settings, "ledger", "show", "2", "--json"))
    assert (shown["reason"], shown["reason_erased"]) == (None, True)
    assert tutela(settings, "ledger", "verify").returncode == 0


def test_a_second_place_that_fails_is_a_warning_and_the_act_is_done(
    settings, tmp_path: Path, monkeypatch
) -> None:
    blocked = tmp_path / "second"
    blocked.write_text("a file in its way")
    monkeypatch.setenv("TUTELA_LEDGER_CHECKPOINTS", str(blocked))
    added = tutela(settings, "key", "add", "forum", "--scope", "screen")
    assert added.returncode == 0
    assert added.stdout.startswith("tutela_")
    assert "warning:" in added.stderr
    assert "ledger_checkpoints" in added.stderr
    blocked.unlink()
    made = json_lines(tutela(settings, "ledger", "checkpoint", "--json"))
    assert made == [{"size": 1, "made": True}]


def test_a_place_or_key_that_cannot_be_used_gives_exit_code_2(settings) -> None:
    do_some(settings)
    assert tutela(settings, "ledger", "verify", "--checkpoints", "ftp://x/y").returncode == 2
    assert tutela(settings, "ledger", "verify", "--key", "nonsense").returncode == 2


def test_a_named_place_without_a_checkpoint_gives_exit_code_2(settings, tmp_path: Path) -> None:
    do_some(settings)
    (tmp_path / "empty").mkdir()
    for where in (tmp_path / "nosuch", tmp_path / "empty", ""):
        done = tutela(settings, "ledger", "verify", "--checkpoints", where)
        assert done.returncode == 2
        assert "nothing was checked" in done.stderr
        assert "Sound" not in done.stdout + done.stderr


def test_a_ledger_of_which_nothing_is_signed_is_not_called_sound(database, settings) -> None:
    actor = actor_called("cli:test")
    with database.writing() as connection:
        add_key(connection, "forum", [Permission.SCREEN], actor, system_clock)
    done = tutela(settings, "ledger", "verify")
    assert done.returncode == 0
    assert "Not signed yet" in done.stdout
    assert "Sound" not in done.stdout


def test_an_old_copy_of_the_checkpoints_verifies_with_the_key_of_then(
    settings, tmp_path: Path
) -> None:
    do_some(settings)
    key = tutela(settings, "ledger", "key").stdout.strip()
    folder = settings.keys_folder / "checkpoints"
    aside = tmp_path / "aside"
    folder.rename(aside)
    (settings.keys_folder / "ledger.key").unlink()
    lost = tutela(settings, "ledger", "key")
    assert lost.returncode == 2
    assert "tutela ledger key --new" in lost.stderr
    assert tutela(settings, "ledger", "key", "--new").stdout.strip() != key
    assert tutela(settings, "key", "revoke", "forum").returncode == 0
    assert tutela(settings, "ledger", "verify").returncode == 0
    old = tutela(settings, "ledger", "verify", "--checkpoints", aside, "--key", key, "--json")
    assert (old.returncode, json_lines(old)[-1]["checkpoints"]) == (0, 3)
