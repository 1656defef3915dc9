"""The schemes that labels are taken from: data files, each with its version and its origin.

Tutela's own are in ``schemes/``. An operator adds others, or newer versions of these, by a folder
that the settings name. A label that was set stays what it was, whatever the files say later.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from tutela.errors import NotFoundError, SettingsError
from tutela.storage.settings import Settings


@dataclass(frozen=True, slots=True)
class SchemeLabel:
    """A label of a scheme.

    Attributes:
        code: What it is kept by.
        words: What it says.
        group: Under which heading it is shown; may be empty.
        meaning: When it applies; may be empty.
    """

    code: str
    words: str
    group: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme.

    Attributes:
        id: What it is kept by.
        version: Its version.
        title: What people call it.
        one_only: Whether an item has at most one label of it.
        origin: Where it comes from.
        verified: Whether somebody compared it with the original: ``source`` and ``checked_on``
            say so in the file.
        labels: Its labels, in the order they are shown in.
    """

    id: str
    version: str
    title: str
    one_only: bool
    origin: str
    verified: bool
    labels: tuple[SchemeLabel, ...]

    def label(self, code: str) -> SchemeLabel:
        """One of its labels.

        Raises:
            NotFoundError: It has none of this code.
        """
        for each in self.labels:
            if each.code == code:
                return each
        codes = ", ".join(each.code for each in self.labels)
        raise NotFoundError(f'the scheme "{self.id}" has no label "{code}": it has {codes}')


def all_schemes(settings: Settings) -> Sequence[Scheme]:
    """Every scheme, in the order of their names; the operator's replace ours of the same name.

    Raises:
        SettingsError: A file of the operator's cannot be used.
    """
    found = dict(_ours())
    folder = settings.review.label_schemes
    if folder is not None:
        if not folder.is_dir():
            raise SettingsError(f"review.label_schemes: there is no folder {folder}")
        for path in sorted(folder.glob("*.toml")):
            scheme = _read(path.stem, path.read_text(encoding="utf-8"))
            found[scheme.id] = scheme
    return [found[name] for name in sorted(found)]


def find_scheme(settings: Settings, name: str) -> Scheme:
    """One scheme.

    Raises:
        NotFoundError: There is none of this name.
        SettingsError: A file of the operator's cannot be used.
    """
    schemes = all_schemes(settings)
    for scheme in schemes:
        if scheme.id == name:
            return scheme
    names = ", ".join(scheme.id for scheme in schemes)
    raise NotFoundError(f'there is no scheme "{name}": there are {names}')


@lru_cache(maxsize=1)
def _ours() -> Mapping[str, Scheme]:
    folder = files("tutela.cases") / "schemes"
    schemes = [
        _read(entry.name.removesuffix(".toml"), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    ]
    return {scheme.id: scheme for scheme in schemes}


def _read(name: str, text: str) -> Scheme:
    try:
        values: dict[str, Any] = tomllib.loads(text)
        labels = tuple(
            SchemeLabel(**{key: str(value) for key, value in each.items()})
            for each in values["labels"]
        )
        scheme = Scheme(
            id=name,
            version=str(values["version"]),
            title=str(values["title"]),
            one_only=bool(values.get("one_only", False)),
            origin=str(values.get("origin", "")),
            verified=bool(values.get("source")) and bool(values.get("checked_on")),
            labels=labels,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise SettingsError(
            f"the label scheme {name}.toml cannot be read ({error}): see docs/cases.md"
        ) from None
    codes = [each.code for each in labels]
    if not codes or len(set(codes)) < len(codes) or max(map(len, (name, *codes))) > 60:
        raise SettingsError(
            f"the label scheme {name}.toml: it needs labels, each with a code of its own of at "
            "most 60 characters"
        )
    return scheme
