"""The languages that the public pages speak, and which one a visitor gets.

Each language is one file in ``languages/``, named by its BCP 47 tag. They are the six official
languages of the United Nations; one more file is one more language.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the pages.

    Attributes:
        tag: Its BCP 47 tag, as in ``lang="fr"``.
        name: What its speakers call it.
        direction: ``"ltr"`` or ``"rtl"``.
        texts: Every text of the pages by its key.
    """

    tag: str
    name: str
    direction: str
    texts: Mapping[str, str]


@cache
def languages() -> Mapping[str, Language]:
    """All languages by their tags, in the order of the tags."""
    folder = files("tutela.console") / "languages"
    found = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        tag = file.name.removesuffix(".toml")
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        found[tag] = Language(
            tag, content["name"], content["direction"], MappingProxyType(content["texts"])
        )
    return MappingProxyType(found)


def choose(asked: str | None, accepted: str | None) -> Language:
    """The language for a visitor.

    Args:
        asked: What the address says (``?lang=fr``); it wins if it is one of ours.
        accepted: The browser's ``Accept-Language`` (RFC 9110, section 12.5.4).
    """
    known = languages()
    for tag in (asked or "", *_by_preference(accepted or "")):
        language = known.get(tag.lower().partition("-")[0])
        if language:
            return language
    return known[DEFAULT]


def _by_preference(accepted: str) -> list[str]:
    wishes = []
    for part in accepted.split(","):
        tag, _, weight = part.partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if 0 < quality <= 1:
            wishes.append((quality, tag.strip()))
    # Sorting is stable: of two equal wishes the first one said wins.
    return [tag for _, tag in sorted(wishes, key=lambda wish: -wish[0])]
