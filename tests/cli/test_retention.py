"""``tutela evidence`` from sealing to the tombstone, as an operator goes about it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from subprocess import CompletedProcess

import pytest
from sqlalchemy import insert, update

from tests.cli.command import environment, json_lines
from tests.evidence.custody import acts, ready_vault, sealed_item
from tutela.cases.model import new_case_id
from tutela.cases.tables import cases
from tutela.cli.main import run
from tutela.evidence.tables import destruction_watch, evidence_items
from tutela.evidence.vault import Vault
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings


@pytest.fixture
def vault(settings: Settings, database: Database, monkeypatch) -> Vault:
    """Evidence in the house that the commands see, in the United States."""
    monkeypatch.setenv("TUTELA_JURISDICTION", "US")
    there = settings.model_copy(update={"jurisdiction": "US"})
    return ready_vault(there, database, system_clock)


@pytest.fixture
def tutela(settings: Settings, monkeypatch, capfd) -> Callable[..., CompletedProcess[str]]:
    """Runs a command in this process: starting Python anew for each takes longer than the rest."""

    def command(*words: str) -> CompletedProcess[str]:
        for name, value in environment(settings).items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        mask = os.umask(0o077)
        try:
            code = run(list(words))
        finally:
            os.umask(mask)
        out, err = capfd.readouterr()
        return CompletedProcess(words, code, out, err)

    return command


def seal(vault: Vault, content: bytes) -> tuple[str, str]:
    case = new_case_id()
    with vault.database.writing() as connection:
        connection.execute(insert(cases).values(id=case, state="open", opened_at=datetime.now(UTC)))
    return case, sealed_item(vault, case, content)


def long_sealed(vault: Vault, content: bytes) -> tuple[str, str]:
    """Evidence that was sealed more than a year ago."""
    case, item = seal(vault, content)
    then = datetime.now(UTC) - timedelta(days=410)
    with vault.database.writing() as connection:
        connection.execute(update(evidence_items).values(sealed_at=then))
    return case, item


def long_ago(days: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}"


def test_from_the_report_to_the_tombstone(tutela, vault) -> None:
    case, item = long_sealed(vault, b"a hill")
    reason = ("--reason", "as the law has it")

    def evidence(*words: str) -> list[dict]:
        done = tutela("evidence", *words, "--json")
        assert done.returncode == 0, done.stderr
        return json_lines(done)

    assert evidence("due") == []
    (kept,) = evidence("due", "--all")
    assert (kept["due_at"], kept["rule"]) == (None, "us-2258a@1")
    (event,) = evidence(
        "event", case, "report-finished", "--reference", "CT-1", "--at", long_ago(400), *reason
    )
    assert (event["case"], event["item"]) == (case, None)
    (then,) = event["evidence"]
    assert (then["item"], then["due"]) == (item, True)
    assert "at least 1 year from the report CT-1" in then["why"]
    (due,) = evidence("due")
    assert (due["item"], due["due"]) == (item, True)
    (held,) = evidence("hold", item, "--reference", "H-1", *reason)
    assert held["evidence"][0]["why"] == "held: H-1"
    shown = tutela("evidence", "show", item).stdout
    for words in ("us-2258a@1", "held by", "H-1", "report-finished"):
        assert words in shown
    assert evidence("due") == []
    refused = tutela("evidence", "destroy", item, *reason)
    assert refused.returncode == 2
    assert "tutela evidence release" in refused.stderr
    assert "H-1" in refused.stderr
    assert "--ordered-by" not in refused.stderr
    evidence("release", item, "--reference", "H-1", *reason)
    assert [line.get("kind") or line["hold"] for line in evidence("events", item)] == [
        "report-finished",
        "H-1",
    ]
    assert evidence("destroy", item, *reason) == [{"item": item, "state": "destroyed"}]
    (shown,) = evidence("show", item)
    assert shown["tombstone"]["destroyed_entry"] > shown["tombstone"]["begun_entry"]
    assert "tombstone" in tutela("evidence", "show", item).stdout
    assert evidence("verify") == [{"item": item, "case": case, "sound": True}]
    assert evidence("due", "--all") == []
    again = tutela("evidence", "hold", case, "--reference", "H-2", *reason)
    assert again.returncode == 2
    assert "no evidence of a case" in again.stderr
    assert acts(vault, item)[1:] == [
        "evidence.held",
        "evidence.released",
        "evidence.destruction-begun",
        "evidence.destroyed",
    ]


def test_events_say_when_the_evidence_is_due_now(tutela, vault) -> None:
    case, item = seal(vault, b"a hill")
    words = (case, "report-finished", "--reference", "CT-1", "--reason", "reported")
    early = tutela("evidence", "event", *words, "--at", long_ago(3))
    assert early.returncode == 2
    assert "cannot contain what was sealed on" in early.stderr
    told = tutela("evidence", "event", *words)
    assert f"{item}: due on" in told.stderr
    told = tutela("evidence", "withdraw-event", "1", "--reason", "the wrong case")
    assert f"{item}: never due" in told.stderr


def test_an_order_is_carried_out_on_a_whole_case_if_it_is_meant(tutela, vault) -> None:
    case, item = seal(vault, b"a hill")
    words = ("destroy", case, "--ordered-by", "C-1", "--reason", "a court", "--json")
    assert tutela("evidence", *words).returncode == 2
    done = tutela("evidence", *words, "--yes")
    assert json_lines(done) == [{"item": item, "state": "destroyed"}]


def test_all_that_is_due_is_destroyed_only_if_a_person_means_it(tutela, vault) -> None:
    case, item = long_sealed(vault, b"a hill")
    words = ("--reference", "CT-1", "--at", long_ago(400), "--reason", "reported")
    tutela("evidence", "event", case, "report-finished", *words)
    unsure = tutela("evidence", "destroy", "--due", "--reason", "monthly")
    assert unsure.returncode == 2
    assert "all that is due by this machine's clock, 1 in number" in unsure.stderr
    assert "--yes" in unsure.stderr
    mute = tutela("evidence", "destroy", "--due", "--yes")
    assert mute.returncode == 2
    assert "say why" in mute.stderr
    done = tutela("evidence", "destroy", "--due", "--yes", "--reason", "monthly", "--json")
    assert json_lines(done) == [{"item": item, "state": "destroyed"}]


def test_after_a_jump_of_the_clock_even_one_item_needs_a_word(tutela, vault) -> None:
    case, item = long_sealed(vault, b"a hill")
    words = ("--reference", "CT-1", "--at", long_ago(400), "--reason", "reported")
    tutela("evidence", "event", case, "report-finished", *words)
    with vault.database.writing() as connection:
        before = datetime.now(UTC) - timedelta(days=90)
        connection.execute(insert(destruction_watch).values(id=1, looked_at=before))
    doubtful = tutela("evidence", "destroy", item, "--reason", "due")
    assert doubtful.returncode == 2
    assert "by this machine's clock" in doubtful.stderr
    with vault.database.writing() as connection:
        connection.execute(update(destruction_watch).values(looked_at=datetime.now(UTC)))
    assert tutela("evidence", "destroy", item, "--reason", "due").returncode == 0


def test_rules_are_listed_with_their_state_and_confirmed(tutela, vault) -> None:
    def rules() -> dict[str, dict]:
        lines = json_lines(tutela("evidence", "rules", "--json"))
        return {line["rule"]: line for line in lines}

    assert rules()["us-2258a@1"]["state"] == "verified"
    assert rules()["us-2258a@1"]["in_force"]
    assert rules()["eu-2021-1232@1"]["state"] == "unverified"
    done = tutela("evidence", "confirm-rule", "eu-2021-1232", "--reason", "counsel")
    assert done.returncode == 0
    confirmed = rules()["eu-2021-1232@1"]
    assert confirmed["state"] == "confirmed"
    assert confirmed["confirmed_by"].startswith("cli:")
    unknown = tutela("evidence", "confirm-rule", "eu-1", "--reason", "x")
    assert 'there is no rule "eu-1"' in unknown.stderr


def test_a_house_without_a_jurisdiction_is_told_what_to_set(
    tutela, settings, vault, monkeypatch
) -> None:
    monkeypatch.delenv("TUTELA_JURISDICTION")
    there = settings.model_copy(update={"jurisdiction": None})
    _, item = seal(ready_vault(there, vault.database, system_clock), b"a hill")
    told = tutela("evidence", "due", "--all")
    assert "jurisdiction =" in told.stderr
    assert "no rule" in told.stdout
    words = ("assign-rule", "us-2258a", "--without-rule", "--reason", "we are in the US", "--json")
    assert json_lines(tutela("evidence", *words)) == [{"rule": "us-2258a@1", "items": 1}]
    (kept,) = json_lines(tutela("evidence", "due", "--all", "--json"))
    assert (kept["item"], kept["rule"]) == (item, "us-2258a@1")
    monkeypatch.setenv("TUTELA_JURISDICTION", "NZ")
    wrong = tutela("evidence", "due")
    assert wrong.returncode == 2
    assert 'no retention rule for "NZ"' in wrong.stderr


def test_what_cannot_be_meant_is_refused(tutela, vault) -> None:
    case, item = seal(vault, b"a hill")
    for words, complaint in (
        (("destroy", "--reason", "x"), "name what to destroy"),
        (
            ("destroy", item, "--due", "--reason", "x"),
            "--due is given and evidence is named as well",
        ),
        (("destroy", item, "--ordered-by", "x", "--reason", "x"), "confirm with --yes"),
        (("destroy", item, "--ordered-by", "x", "--yes"), "say why with --reason"),
        (("assign-rule", "us-2258a", "--reason", "x"), "name an item or a case"),
        (("hold", "nothing", "--reference", "x", "--reason", "x"), "neither a case number"),
        (("due", "--within", "soon"), "is not a period"),
        (
            ("event", case, "report-finished", "--reference", "x", "--reason", "x", "--at", "now"),
            "is not a date",
        ),
        (("event", case, "preservation-letter", "--reference", "x", "--reason", "x"), "--until"),
        (("withdraw-event", "7", "--reason", "x"), "no event 7"),
    ):
        done = tutela("evidence", *words)
        assert done.returncode == 2, words
        assert complaint in done.stderr.replace("\n", " ")
