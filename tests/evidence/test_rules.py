"""The rules of the package and of the operator, and which of them is in force."""

import tomllib
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from tutela.errors import NotFoundError, SettingsError
from tutela.evidence.retention import Bound, Period, Start
from tutela.evidence.rules import open_rule_book, read_rules
from tutela.storage.settings import Settings, load_settings

OWN = """
[[rule]]
id = "{id}"
version = {version}
jurisdiction = "{jurisdiction}"
starts = "sealed"
period = {{ years = {years} }}
bound = "at-least"
{more}
"""


def own(rule="house", version=1, jurisdiction="US", years=2, more="") -> str:
    return OWN.format(id=rule, version=version, jurisdiction=jurisdiction, years=years, more=more)


def settings_with(tmp_path: Path, text: str, **values: object) -> Settings:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(retention_rules=file, **values)


def test_the_rule_of_the_united_states_is_a_year_from_the_report() -> None:
    rule = open_rule_book(load_settings(jurisdiction="US")).current
    assert (rule.name, rule.starts, rule.period) == (
        "us-2258a@1",
        Start.REPORT_FINISHED,
        Period(years=1),
    )
    assert rule.bound is Bound.AT_LEAST
    assert rule.is_verified


def test_a_rule_has_a_source_and_a_day_or_neither() -> None:
    written = tomllib.loads((files("tutela.evidence") / "rules.toml").read_text(encoding="utf-8"))
    for rule in written["rule"]:
        assert bool(rule["source"]) == ("checked_on" in rule), rule["id"]
        assert rule.get("checked_on", date(2026, 1, 1)) <= datetime.now(UTC).date()


def test_without_a_jurisdiction_no_rule_is_in_force() -> None:
    assert open_rule_book(load_settings()).current is None


def test_a_jurisdiction_without_a_rule_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"no retention rule for .NZ., only for CA, EU"):
        open_rule_book(load_settings(jurisdiction="NZ"))


def test_the_operators_rule_comes_before_the_packages(tmp_path: Path) -> None:
    book = open_rule_book(settings_with(tmp_path, own(), jurisdiction="US"))
    assert book.current.name == "house@1"
    assert not book.current.is_verified
    assert book.named("us-2258a").version == 1


def test_the_operators_wording_takes_the_place_of_the_same_version(tmp_path: Path) -> None:
    packaged = open_rule_book(load_settings()).named("us-2258a@1")
    book = open_rule_book(settings_with(tmp_path, own(rule="us-2258a")))
    changed = book.named("us-2258a@1")
    assert changed.period == Period(years=2)
    assert changed.digest != packaged.digest


def test_the_newest_version_is_the_one_in_force_and_the_old_ones_stay(tmp_path: Path) -> None:
    text = own(version=1) + own(version=3, years=5) + own(version=2)
    book = open_rule_book(settings_with(tmp_path, text, jurisdiction="US"))
    assert book.current.version == 3
    assert book.find("house", 1).period == Period(years=2)
    assert book.find("house", 4) is None
    with pytest.raises(NotFoundError, match="tutela evidence rules"):
        book.named("house@4")


def test_only_the_terms_count_for_the_digest() -> None:
    plain, noted, longer = (
        read_rules(text, "x")[0].digest
        for text in (own(), own(more='notes = "Ask Ana."\nsource = "a law"'), own(years=3))
    )
    assert plain == noted
    assert plain != longer


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[rule]", "not valid TOML"),
        (own(years=0), "needs years, months or days"),
        (own(years=-1), "is less than 0"),
        (own(jurisdiction="usa"), "jurisdiction"),
        (own(more='extended_by = ["destruction-requested"]'), "only report-finished"),
        (own(more='begins = "sealed"'), "begins"),
        (own() + own(), "house@1 is there twice"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        open_rule_book(settings_with(tmp_path, text))


def test_two_rules_for_one_jurisdiction_are_refused(tmp_path: Path) -> None:
    text = own() + own(rule="other")
    with pytest.raises(SettingsError, match="house, other"):
        open_rule_book(settings_with(tmp_path, text, jurisdiction="US"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"retention_rules: .*none\.toml cannot be read"):
        open_rule_book(load_settings(retention_rules=tmp_path / "none.toml"))
