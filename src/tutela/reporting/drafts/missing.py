"""What a draft does not say and would be better if it did: read from ``missing.toml``, and pure."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files as package_files
from typing import Any

from tutela.reporting.cybertipline.vocabulary import IncidentType

_FILES = "files."


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a draft does not say.

    Attributes:
        field: Where it would stand, such as ``person_or_user_reported.ip_capture_events``, and for
            files ``files.0.publicly_available``, by their place.
        key: The same without the place: by it the pages find their own words.
        words: What it would add, for people.
        required: Whether nobody can sign without it.
    """

    field: str
    key: str
    words: str
    required: bool

    def as_fields(self) -> dict[str, object]:
        """The same by names, as programs are given it."""
        return {"field": self.field, "words": self.words, "required": self.required}


def missing(
    values: Mapping[str, Any], files: Sequence[Mapping[str, Any]] = ()
) -> tuple[Missing, ...]:
    """What a draft lacks: first what nobody can sign without.

    Where a whole part is missing, its own parts are not told one by one as well.
    """
    found = list(_missing(values, files))
    return tuple(sorted(found, key=lambda each: not each.required))


def known_gaps() -> tuple[str, ...]:
    """The ``key`` of everything that can be told as missing."""
    return tuple(each.field for each in _table())


def _missing(values: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> Iterator[Missing]:
    kind = _value(values, "incident_summary.incident_type")
    absent: set[str] = set()
    for gap in _table():
        if gap.only_for and kind is not None and kind not in gap.only_for:
            continue
        if gap.field.startswith(_FILES):
            name = gap.field.removeprefix(_FILES)
            for place, file in enumerate(files):
                # A file that only helps to understand is not classified.
                if _is_empty(file.get(name)) and not _is_beside(file, name):
                    yield Missing(f"files.{place}.{name}", gap.field, gap.words, gap.required)
        elif _is_empty(_value(values, gap.field)) and not any(
            gap.field.startswith(f"{part}.") for part in absent
        ):
            absent.add(gap.field)
            yield Missing(gap.field, gap.field, gap.words, gap.required)


def _is_beside(file: Mapping[str, Any], name: str) -> bool:
    return name == "industry_classification" and file.get("file_relevance") == "supplemental"


def _value(values: Mapping[str, Any], field: str) -> Any:
    found: Any = values
    for name in field.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {}, ())


@dataclass(frozen=True, slots=True)
class _Gap:
    field: str
    words: str
    required: bool
    only_for: frozenset[str]


@lru_cache(maxsize=1)
def _table() -> tuple[_Gap, ...]:
    text = (package_files("tutela.reporting.drafts") / "missing.toml").read_text(encoding="utf-8")
    return tuple(
        _Gap(
            field=str(each["field"]),
            words=str(each["words"]),
            required=bool(each["required"]),
            only_for=frozenset(IncidentType(kind) for kind in each.get("for", ())),
        )
        for each in tomllib.loads(text)["missing"]
    )
