"""What a report calls what people said of a case: read from ``incidents.toml``, and pure.

No other module knows which label leads to which word of a report.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from tutela.cases.facts import Fact
from tutela.cases.model import ItemKind
from tutela.reporting.cybertipline.vocabulary import (
    FileAnnotation,
    IncidentType,
    IndustryClassification,
    ReportAnnotation,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a case, or of one of its items.

    Attributes:
        labels: Its labels, each as ``scheme/label``.
        facts: What is known of it.
        kinds: What its items are.
    """

    labels: frozenset[str] = frozenset()
    facts: frozenset[Fact] = frozenset()
    kinds: frozenset[ItemKind] = frozenset()


def incident_type(said: Said) -> IncidentType | None:
    """What kind of incident a case is; ``None`` if nobody said what would tell."""
    fitting = (rule.gives for rule in _table().incidents if rule.fits(said))
    return next((IncidentType(each) for each in fitting), None)


def concerns(said: Said) -> frozenset[str]:
    """What a case is about as far as it decides who is told: words of the authorities' duties."""
    rules = (*_table().led_by_incident, *_table().concerns)
    found = frozenset(rule.gives for rule in rules if rule.fits(said))
    return found or frozenset({_table().otherwise})


def report_annotations(said: Said) -> tuple[ReportAnnotation, ...]:
    """What else is said of a report."""
    found = {rule.gives for rule in _table().annotations if rule.fits(said)}
    return tuple(each for each in ReportAnnotation if each in found)


def file_annotations(said: Said) -> tuple[FileAnnotation, ...]:
    """What else is said of a file."""
    found = {rule.gives for rule in _table().file_annotations if rule.fits(said)}
    return tuple(each for each in FileAnnotation if each in found)


def classification(said: Said) -> IndustryClassification | None:
    """How a file is classified, if exactly one label says so."""
    prefix = f"{_table().scheme}/"
    known = {each.value for each in IndustryClassification}
    found = {each.removeprefix(prefix) for each in said.labels if each.startswith(prefix)} & known
    return IndustryClassification(found.pop()) if len(found) == 1 else None


def escalation(facts: Collection[Fact]) -> str | None:
    """Why a report asks to be read before others; ``None`` if it does not."""
    words = [text for fact, text in _table().escalations.items() if fact in facts]
    return " ".join(words) or None


@dataclass(frozen=True, slots=True)
class _Rule:
    """Fits whatever has one of the labels, facts or kinds that it names."""

    gives: str
    said: Said

    def fits(self, said: Said) -> bool:
        return bool(
            self.said.labels & said.labels
            or self.said.facts & said.facts
            or self.said.kinds & said.kinds
        )


@dataclass(frozen=True, slots=True)
class _Table:
    incidents: tuple[_Rule, ...]
    led_by_incident: tuple[_Rule, ...]
    concerns: tuple[_Rule, ...]
    otherwise: str
    annotations: tuple[_Rule, ...]
    file_annotations: tuple[_Rule, ...]
    escalations: Mapping[Fact, str]
    scheme: str


@lru_cache(maxsize=1)
def _table() -> _Table:
    text = (files("tutela.reporting.drafts") / "incidents.toml").read_text(encoding="utf-8")
    values: dict[str, Any] = tomllib.loads(text)
    return _Table(
        incidents=tuple(_rule(IncidentType(each["type"]), each) for each in values["incident"]),
        # A kind of item leads to a concern of its own, whatever the incident is called.
        led_by_incident=tuple(
            _rule(concern, each | {"kinds": ()})
            for each in values["incident"]
            for concern in each["concerns"]
        ),
        concerns=tuple(_rule(each["concern"], each) for each in values["concern"]),
        otherwise=str(values["otherwise"]["concern"]),
        annotations=tuple(
            _rule(ReportAnnotation(each["annotation"]), each) for each in values["annotation"]
        ),
        file_annotations=tuple(
            _rule(FileAnnotation(each["annotation"]), each) for each in values["file"]
        ),
        escalations={Fact(each["fact"]): str(each["words"]) for each in values["escalation"]},
        scheme=str(values["classification"]["scheme"]),
    )


def _rule(gives: str, values: Mapping[str, Any]) -> _Rule:
    said = Said(
        labels=frozenset(map(str, values.get("labels", ()))),
        facts=frozenset(map(Fact, values.get("facts", ()))),
        kinds=frozenset(map(ItemKind, values.get("kinds", ()))),
    )
    return _Rule(str(gives), said)
