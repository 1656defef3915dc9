"""What evidence is kept under changes by a person's word only."""

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.evidence.custody import (
    ANA,
    acts,
    american_vault,
    ready_vault,
    report,
    sealed_item,
    standing,
)
from tutela.errors import AlreadyExistsError
from tutela.evidence.assigning import assign_rule, confirm_rule, confirmations, unruled_evidence
from tutela.evidence.rules import open_rule_book
from tutela.evidence.subjects import Subject
from tutela.evidence.vault import Vault
from tutela.ledger.tables import ledger_entries
from tutela.storage.database import Database
from tutela.storage.settings import Settings

RULE = """
[[rule]]
id = "house"
version = {version}
jurisdiction = "NZ"
starts = "sealed"
period = {{ days = {days} }}
bound = "at-least"
"""


def house_vault(
    settings: Settings, database: Database, clock, days=10, version=1, more="", **values
) -> Vault:
    """A vault of an operator in New Zealand, who wrote a rule."""
    path = Path(settings.data) / "rules.toml"
    path.write_text(RULE.format(days=days, version=version) + more, encoding="utf-8")
    values = {"jurisdiction": "NZ", "retention_rules": path} | values
    return ready_vault(settings.model_copy(update=values), database, clock)


def confirm(vault: Vault) -> None:
    with vault.database.writing() as connection:
        confirm_rule(connection, vault.rules.current, ANA, vault.clock, reason="our counsel says")


def test_an_unverified_rule_makes_nothing_due_until_it_is_confirmed(
    settings, database, new_case, clock
) -> None:
    vault = house_vault(settings, database, clock)
    item = sealed_item(vault, new_case(), b"one")
    clock.turn(days=100)
    assert standing(vault, item).due.why == (
        "the rule house@1 is unverified and nobody has confirmed it"
    )
    confirm(vault)
    assert standing(vault, item).due.is_due(clock())
    with vault.database.reading() as connection:
        (confirmed,) = confirmations(connection).values()
        entry = connection.execute(select(ledger_entries).order_by(ledger_entries.c.number.desc()))
        said = entry.first()
    assert (confirmed.confirmed_by, confirmed.reason) == ("ana", "our counsel says")
    assert (said.act, said.thing) == (
        "retention-rule.confirmed",
        f"rule:house@1:{vault.rules.current.digest}",
    )
    with pytest.raises(AlreadyExistsError, match="as it reads now"):
        confirm(vault)


def test_a_rule_that_was_changed_has_to_be_confirmed_and_assigned_again(
    settings, database, new_case, clock
) -> None:
    vault = house_vault(settings, database, clock)
    case = new_case()
    item = sealed_item(vault, case, b"one")
    confirm(vault)
    clock.turn(days=100)
    assert standing(vault, item).due.is_due(clock())
    changed = house_vault(settings, database, clock, days=5)
    assert "reads otherwise than when it was sealed" in standing(changed, item).due.why
    with database.writing() as connection:
        current = changed.rules.current
        assign_rule(connection, Subject(case), current, ANA, clock, reason="the new wording")
    assert "unverified" in standing(changed, item).due.why
    confirm(changed)
    assert standing(changed, item).due.is_due(clock())


def test_neither_a_new_version_nor_a_new_setting_moves_what_is_there(
    settings, database, new_case, clock
) -> None:
    vault = house_vault(settings, database, clock)
    case = new_case()
    item = sealed_item(vault, case, b"one")
    newer = house_vault(
        settings, database, clock, version=2, days=1, more=RULE.format(version=1, days=10)
    )
    assert newer.rules.current.name == "house@2"
    assert standing(newer, item).rule == "house@1"
    american = american_vault(settings, database, clock)
    assert standing(american, item).rule == "house@1"
    assert "not among the rules any more" in standing(american, item).due.why
    assert standing(american, sealed_item(american, case, b"two")).rule == "us-2258a@1"


def test_without_a_jurisdiction_evidence_has_no_rule_until_a_person_gives_it_one(
    settings, database, new_case, clock
) -> None:
    vault = ready_vault(settings, database, clock)
    case = new_case()
    item = sealed_item(vault, case, b"one")
    report(vault, case, clock())
    clock.turn(days=5000)
    assert (standing(vault, item).rule, standing(vault, item).due.at) == (None, None)
    assert "tutela evidence assign-rule" in standing(vault, item).due.why
    with database.reading() as connection:
        assert unruled_evidence(connection) == [Subject(case, item)]
    rule = open_rule_book(settings).named("us-2258a")
    with database.writing() as connection:
        assert assign_rule(connection, Subject(case, item), rule, ANA, clock, reason="US") == 1
    assert standing(vault, item).due.is_due(clock())
    assert acts(vault)[-1] == "evidence.rule-assigned"
    with database.writing() as connection:
        assign_rule(connection, Subject(case), None, ANA, clock, reason="keep it after all")
    assert standing(vault, item).due.at is None


def test_what_a_person_decided_to_keep_for_good_does_not_count_as_without_a_rule(
    settings, database, new_case, clock
) -> None:
    vault = ready_vault(settings, database, clock)
    case = new_case()
    decided, open_ = sealed_item(vault, case, b"one"), sealed_item(vault, case, b"two")
    with database.writing() as connection:
        assign_rule(connection, Subject(case, decided), None, ANA, clock, reason="for research")
        assert unruled_evidence(connection) == [Subject(case, open_)]
    assert standing(vault, decided).rule is None
    assert standing(vault, decided).due.why == "kept for good: a person has decided so"
    rule = open_rule_book(settings).named("us-2258a")
    with database.writing() as connection:
        assign_rule(connection, Subject(case, decided), rule, ANA, clock, reason="changed my mind")
    assert standing(vault, decided).rule == "us-2258a@1"
