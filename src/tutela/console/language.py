"""The languages that the pages speak, and which one a visitor gets.

Each language is a folder in ``languages/``, named by its BCP 47 tag: ``language.toml`` says what it
is, and every other file holds texts, one file for each group of pages. They are the six official
languages of the United Nations; one more folder is one more language. Where a language lacks a
text of the staff's pages, it is shown in English; what the public sees (the files whose names begin
with ``public``) is whole in every language.

Sentences that rooms say to programs and people alike are written in English in the code. Every
other language has each of them by its English: the messages of errors in ``errors.toml``, what a
field of a report means in ``report_help.toml``, what a setting means in ``settings.toml``, what the
directory of authorities says in ``directory.toml``, what is kept and shown as a sentence in
``sentences.toml``, and what Tutela's own label schemes say in ``schemes.toml``, by scheme.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

DEFAULT = "en"
_ITSELF = "language.toml"
_BY_ENGLISH = (
    "directory.toml",
    "errors.toml",
    "report_help.toml",
    "sentences.toml",
    "settings.toml",
)
_SCHEMES = "schemes.toml"


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the pages.

    Attributes:
        tag: Its BCP 47 tag, as in ``lang="fr"``.
        name: What its speakers call it.
        direction: ``"ltr"`` or ``"rtl"``.
        texts: Every text of the pages by its key.
        sentences: What it says for sentences that the code has in English, by those; with the same
            values in braces. None in English.
        schemes: What it says for the words of label schemes, by scheme and by these words.
    """

    tag: str
    name: str
    direction: str
    texts: Mapping[str, str]
    sentences: Mapping[str, str]
    schemes: Mapping[str, Mapping[str, str]]


@cache
def languages() -> Mapping[str, Language]:
    """All languages by their tags, in the order of the tags."""
    english = own_texts(DEFAULT)
    found = {}
    for folder in sorted(_folders(), key=lambda folder: folder.name):
        itself = _read(folder / _ITSELF)
        texts = MappingProxyType(english | own_texts(folder.name))
        sentences = MappingProxyType(own_sentences(folder.name))
        found[folder.name] = Language(
            folder.name,
            itself["name"],
            itself["direction"],
            texts,
            sentences,
            MappingProxyType(own_schemes(folder.name)),
        )
    return MappingProxyType(found)


def own_texts(tag: str) -> dict[str, str]:
    """The texts that a language has itself, from all its files."""
    texts: dict[str, str] = {}
    for content in texts_by_file(tag).values():
        texts |= content
    return texts


def texts_by_file(tag: str) -> dict[str, dict[str, str]]:
    """The texts that a language has itself, by the file that they are in."""
    return {
        file.name.removesuffix(".toml"): _read(file)
        for file in _folder(tag).iterdir()
        if file.name not in (_ITSELF, _SCHEMES, *_BY_ENGLISH)
    }


def own_sentences(tag: str) -> dict[str, str]:
    """What a language says for sentences that the code has in English, by those."""
    sentences: dict[str, str] = {}
    for content in sentences_by_file(tag).values():
        sentences |= content
    return sentences


def sentences_by_file(tag: str) -> dict[str, dict[str, str]]:
    """The same, by the file that they are in."""
    return {
        file.name.removesuffix(".toml"): _read(file)
        for file in _folder(tag).iterdir()
        if file.name in _BY_ENGLISH
    }


def own_schemes(tag: str) -> dict[str, dict[str, str]]:
    """What a language says for the words of label schemes, by scheme and by these words."""
    found = [file for file in _folder(tag).iterdir() if file.name == _SCHEMES]
    return {scheme: dict(words) for file in found for scheme, words in _read(file).items()}


def choose(asked: str | None, accepted: str | None) -> Language:
    """The language for a visitor.

    Args:
        asked: What the address says (``?lang=fr``), or a person wants; it wins if it is one of
            ours.
        accepted: The browser's ``Accept-Language`` (RFC 9110, section 12.5.4).
    """
    known = languages()
    for tag in (asked or "", *_by_preference(accepted or "")):
        language = known.get(tag.lower().partition("-")[0])
        if language:
            return language
    return known[DEFAULT]


def _folder(tag: str) -> Traversable:
    return next(folder for folder in _folders() if folder.name == tag)


def _folders() -> list[Traversable]:
    return [each for each in (files("tutela.console") / "languages").iterdir() if each.is_dir()]


def _read(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


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
