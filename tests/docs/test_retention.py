"""The operator's page tells of the rules that there are, and its example is one."""

import re
from pathlib import Path

from tutela.evidence.rules import open_rule_book, read_rules
from tutela.storage.settings import load_settings

PAGE = (Path(__file__).parents[2] / "docs" / "retention.md").read_text(encoding="utf-8")


def test_the_page_has_every_rule_with_its_state_and_no_other() -> None:
    rows = {
        f"| `{rule.name}` | {rule.jurisdiction} | {rule.bound.replace('-', ' ')} {rule.period} "
        f"| {rule.starts.replace('-', ' ')} "
        f"| {f'verified {rule.checked_on}' if rule.is_verified else 'unverified'} |"
        for rule in open_rule_book(load_settings()).rules.values()
    }
    assert set(re.findall(r"^\| `.*@\d+` .*\|$", PAGE, re.MULTILINE)) == rows


def test_the_example_is_a_rule() -> None:
    (example,) = (each for each in PAGE.split("```toml\n")[1:] if each.startswith("[[rule]]"))
    (rule,) = read_rules(example.split("```")[0], "the example")
    assert rule.is_verified
