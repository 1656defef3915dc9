"""The retention rules as data: those of the package, those of the operator, and which are in force.

The package's are in ``rules.toml`` beside this file. The operator's own, in the file that the
setting ``retention_rules`` names, add to them or take the place of one of the same id and version.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tutela.errors import NotFoundError, SettingsError
from tutela.evidence.retention import Bound, EventKind, Period, Rule, Start
from tutela.refusing import words_of_refusal
from tutela.storage.settings import Settings

_PACKAGED = files("tutela.evidence") / "rules.toml"


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every rule there is, and the one that new evidence is sealed under.

    Attributes:
        rules: Every rule, by its id and version.
        current: The rule of the house's jurisdiction, or ``None`` if the setting is left out.
    """

    rules: Mapping[tuple[str, int], Rule]
    current: Rule | None

    def find(self, rule: str, version: int) -> Rule | None:
        """The rule of this id and version, if it is still in the book."""
        return self.rules.get((rule, version))

    def named(self, name: str) -> Rule:
        """The rule that a person means: ``us-2258a`` for its newest version, or ``us-2258a@1``.

        Raises:
            NotFoundError: There is none.
        """
        rule, _, version = name.partition("@")
        found = [
            each
            for each in self.rules.values()
            if each.id == rule and (not version or str(each.version) == version)
        ]
        if not found:
            raise NotFoundError(f'there is no rule "{name}": see "tutela evidence rules"')
        return max(found, key=lambda each: each.version)


NO_RULES = RuleBook({}, None)
"""A house without any: nothing of it is ever due."""


def open_rule_book(settings: Settings) -> RuleBook:
    """Read the rules, and find the one of the house's jurisdiction.

    Raises:
        SettingsError: The operator's file cannot be read or says something that is no rule, or
            there is no rule, or more than one, for the jurisdiction.
    """
    packaged = read_rules(_PACKAGED.read_text(encoding="utf-8"), "rules.toml")
    own = _own_rules(settings.retention_rules)
    rules = {(rule.id, rule.version): rule for rule in (*packaged, *own)}
    if settings.jurisdiction is None:
        return RuleBook(rules, None)
    for source in (own, rules.values()):
        current = _newest(source, settings.jurisdiction)
        if current is not None:
            return RuleBook(rules, current)
    known = ", ".join(sorted({rule.jurisdiction for rule in rules.values()}))
    raise SettingsError(
        f'jurisdiction: there is no retention rule for "{settings.jurisdiction}", only for '
        f"{known}: write one in a file and name it in the setting retention_rules"
    )


def read_rules(text: str, name: str) -> list[Rule]:
    """Read rules written as TOML.

    Args:
        text: The file.
        name: Its name, for errors.

    Raises:
        SettingsError: It is not TOML, or says something that is no rule.
    """
    try:
        return [_rule(written) for written in _File(**tomllib.loads(text)).rule]
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name}: is not valid TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"{name}: {where}: {words_of_refusal(first)}; see docs/retention.md"
        ) from None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _WrittenPeriod(_Strict):
    years: int = Field(0, ge=0, le=99)
    months: int = Field(0, ge=0, le=999)
    days: int = Field(0, ge=0, le=36_500)


class _WrittenRule(_Strict):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,48}$")
    version: int = Field(ge=1, le=1_000_000)
    jurisdiction: str = Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")
    starts: Start
    period: _WrittenPeriod
    bound: Bound
    extended_by: frozenset[EventKind] = frozenset()
    source: str = ""
    checked_on: date | None = None
    notes: str = ""


class _File(_Strict):
    rule: list[_WrittenRule] = []


def _rule(written: _WrittenRule) -> Rule:
    period = Period(written.period.years, written.period.months, written.period.days)
    if period == Period():
        raise SettingsError(f"{written.id}: period: needs years, months or days")
    if written.extended_by - {EventKind.REPORT_FINISHED}:
        raise SettingsError(f"{written.id}: extended_by: only report-finished can be named there")
    return Rule(
        id=written.id,
        version=written.version,
        jurisdiction=written.jurisdiction,
        starts=written.starts,
        period=period,
        bound=written.bound,
        extended_by=written.extended_by,
        source=written.source.strip(),
        checked_on=written.checked_on,
        notes=written.notes,
        digest=_digest(written),
    )


def _digest(written: _WrittenRule) -> str:
    # The terms only: mending a note does not ask for a new confirmation.
    terms: dict[str, Any] = {
        "id": written.id,
        "version": written.version,
        "jurisdiction": written.jurisdiction,
        "starts": written.starts,
        "period": written.period.model_dump(),
        "bound": written.bound,
        "extended_by": sorted(written.extended_by),
    }
    canonical = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _own_rules(path: Path | None) -> list[Rule]:
    if path is None:
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"retention_rules: {path} cannot be read: {reason}") from None
    rules = read_rules(text, str(path))
    names = [rule.name for rule in rules]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SettingsError(f"{path}: the rule {twice} is there twice: give one another version")
    return rules


def _newest(rules: Iterable[Rule], jurisdiction: str) -> Rule | None:
    found = [rule for rule in rules if rule.jurisdiction == jurisdiction]
    ids = sorted({rule.id for rule in found})
    if len(ids) > 1:
        raise SettingsError(
            f"jurisdiction: there are several rules for {jurisdiction}: {', '.join(ids)}: "
            "leave one, or give them the same id and versions of their own"
        )
    return max(found, key=lambda rule: rule.version, default=None)
