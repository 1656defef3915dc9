"""Every setting as it is in force: its value, its meaning, and where it was set. Never a secret."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from tutela.errors import SettingsError
from tutela.storage.settings import ENVIRONMENT_PREFIX, Settings, file_values

# What stands before the host in an address may be a password.
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


class Source(StrEnum):
    """Where a setting's value comes from."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    COMMAND_LINE = "command-line"


@dataclass(frozen=True, slots=True)
class StatedSetting:
    """One setting as it is in force.

    Attributes:
        key: Its name, such as ``policy.max_distance``.
        section: The section that it stands in, or an empty text.
        meaning: What it means, in a sentence or two; code stands in backquotes.
        value: Its value; ``None`` if it has none or is secret.
        is_secret: Whether its value is never shown.
        is_set: Whether it has a value.
        source: Where the value comes from.
        variable: The environment variable that sets it.
    """

    key: str
    section: str
    meaning: str
    value: str | None
    is_secret: bool
    is_set: bool
    source: Source
    variable: str


def state_settings(settings: Settings) -> list[StatedSetting]:
    """Every setting, those of no section first."""
    try:
        in_file = file_values()
    except SettingsError:
        # It was good when the house was opened: what is in force is still told.
        in_file = {}
    found = list(_stated(settings, (), in_file))
    # A section's own settings stay together where one of them is a section too.
    sections = ["", *dict.fromkeys(each.section for each in found)]
    return sorted(found, key=lambda each: sections.index(each.section))


def _stated(
    values: BaseModel, path: tuple[str, ...], in_file: Mapping[str, Any]
) -> Iterator[StatedSetting]:
    for name, field in type(values).model_fields.items():
        value = getattr(values, name)
        here = (*path, name)
        if isinstance(value, BaseModel):
            yield from _stated(value, here, in_file)
        elif isinstance(value, dict) and any(isinstance(one, BaseModel) for one in value.values()):
            for key, each in value.items():
                yield from _stated(each, (*here, key), in_file)
        else:
            yield _one(field, value, here, in_file)


def _one(
    field: FieldInfo, value: object, path: tuple[str, ...], in_file: Mapping[str, Any]
) -> StatedSetting:
    is_secret = isinstance(value, SecretStr) or "SecretStr" in str(field.annotation)
    is_set = value not in (None, "", {}, [], ())
    return StatedSetting(
        key=".".join(path),
        section=".".join(path[:-1]),
        meaning=field.description or "",
        value=_text(value) if is_set and not is_secret else None,
        is_secret=is_secret,
        is_set=is_set,
        source=_source(field, value, path, in_file),
        variable=_variable(path),
    )


def _text(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_text(each) for each in value)
    return _CREDENTIALS.sub("…@", str(value))


def _source(
    field: FieldInfo, value: object, path: tuple[str, ...], in_file: Mapping[str, Any]
) -> Source:
    variables = [_variable(path[:length]) for length in range(1, len(path) + 1)]
    if any(variable in os.environ for variable in variables):
        return Source.ENVIRONMENT
    found: object = in_file
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is not None:
        return Source.FILE
    is_default = field.default_factory is not None or value == field.default
    return Source.DEFAULT if is_default else Source.COMMAND_LINE


def _variable(path: tuple[str, ...]) -> str:
    return ENVIRONMENT_PREFIX + "__".join(path).upper()
