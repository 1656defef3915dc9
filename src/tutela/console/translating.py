"""What rooms say in English, in a reader's language: messages of errors, and sentences kept.

An error carries its template and values, so the language's own template is filled with the same
values. A sentence that was written down, such as why a report was stopped, is known again by its
form. Whatever a language does not know stays as it is, marked as English. Nothing here fails.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from string import Formatter

from markupsafe import Markup, escape

from tutela.cases.states import State as CaseState
from tutela.console.language import DEFAULT, Language, languages
from tutela.errors import TutelaError
from tutela.reporting.authorities.model import TypedPart
from tutela.reporting.states import State as ReportState

_FEWEST_LETTERS = 4
"""A form of fewer fixed letters could be anybody's words."""
_TYPED = {
    TypedPart.ID: "authority_id",
    TypedPart.NAME: "authority_name",
    TypedPart.COUNTRY: "authority_country",
    TypedPart.ADDRESS: "way_address",
    TypedPart.RECIPIENTS: "way_recipients",
}
_FOREIGN = re.compile(
    r"([+-]{0,2}[A-Za-z0-9](?:[A-Za-z0-9_./:@#%?=&~+ -]*[A-Za-z0-9/])?(?:\([A-Za-z0-9]+\))*)"
)
"""A run of Latin letters and digits, such as a date, an address, a command or ``2422(b)``."""
_MARKED = re.compile(r"`([^`]+)`|\[([^\]]+)\]\(([^)#]+)[^)]*\)")
"""Code in backquotes, or words that lead to a page of the documentation."""
_PERIOD = re.compile(r"\d+ (?:year|month|day)s?(?: and \d+ (?:year|month|day)s?)+")
_WHERE = re.compile(r"((?:file \d+ )?/\S*|[A-Z]\w+Error): (.+)", re.DOTALL)
"""Where in a report something is wrong, or of which kind it is, and what."""


def translated(said: TutelaError | str, language: Language) -> Markup:
    """What is said, in a language, as a part of a page.

    Args:
        said: An error, or a sentence that the code has in English.
        language: The reader's.
    """
    if isinstance(said, str):
        return _sentence(said, language)
    by_class = language.texts.get(f"wrong_{type(said).__name__}")
    if by_class is not None:
        return escape(by_class)
    template = language.sentences.get(said.template)
    if template is None:
        return _sentence(said.message, language)
    return _filled(template, said.values, language)


def translated_meaning(meaning: str, language: Language) -> Markup:
    """What a setting means, in a language, as a part of a page.

    Args:
        meaning: As the code has it: code stands in backquotes, and what leads to a page of the
            documentation as in Markdown.
        language: The reader's.
    """
    said = language.sentences.get(meaning, meaning)
    page, done = Markup(), 0
    for found in _MARKED.finditer(said):
        page += _fixed(said[done : found.start()], language)
        code, words, document = found.groups()
        if words:
            page += _fixed(words, language)
        shown = Markup('<code dir="ltr">{}</code>').format(code or f"docs/{document}")
        page += shown if code else Markup(" ({})").format(shown)
        done = found.end()
    return page + _fixed(said[done:], language)


def in_directory(words: str, language: Language) -> Markup | None:
    """What the directory of authorities says, in a language, as a part of a page.

    Args:
        words: Notes, a source, or what a law says of itself.
        language: The reader's.

    Returns:
        ``None`` where it stays as it is: in English, a law's name, an operator's own words.
    """
    return None if language.tag == DEFAULT or not words else _known(words, language)


def in_scheme(scheme: str, words: str, language: Language) -> str:
    """What a label scheme says, in a language, or as the scheme has it.

    Args:
        scheme: What the scheme is kept by.
        words: What a label, its group, its meaning or the scheme itself is called there. An
            operator's own words in a scheme of the same name stay as they are.
        language: The reader's.
    """
    return language.schemes.get(scheme, {}).get(words, words)


def _sentence(text: str, language: Language) -> Markup:
    if not text or language.tag == DEFAULT:
        return escape(text)
    return _known(text, language) or Markup('<span lang="en" dir="ltr">{}</span>').format(text)


def _known(text: str, language: Language) -> Markup | None:
    """A sentence that the language knows word by word, or by its form, or in its parts."""
    if text in language.sentences:
        return _fixed(language.sentences[text], language)
    matching = [
        (template, found.groupdict())
        for form, template in _forms(language.tag)
        if (found := form.fullmatch(text)) is not None
    ]
    # Where several sentences stand in a row, a form may take two of them for one value.
    for template, values in matching:
        if not any("; " in value for value in values.values()):
            return _filled(template, values, language)
    at = _WHERE.fullmatch(text)
    if at is not None and (words := _known(at[2], language)) is not None:
        place = Markup('<code dir="ltr">{}</code>').format(at[1])
        return place + language.texts["colon"] + " " + words
    if "; " in text:
        several = _all_known(text.split("; "), language.texts["semicolon"], language)
        if several is not None:
            return several
    return _filled(*matching[0], language) if matching else None


def _all_known(several: list[str], between: str, language: Language) -> Markup | None:
    """Several sentences or words, if the language knows each of them."""
    parts: list[Markup] = []
    for each in several:
        known = _known(each, language)
        if known is None:
            return None
        parts.append(known)
    return escape(between).join(parts)


def _filled(template: str, values: Mapping[str, object], language: Language) -> Markup:
    """A template with its values, each of which stands by itself, whichever way its script runs."""
    if not values:
        return _fixed(template, language)
    said = Markup()
    for text, name, form, _ in Formatter().parse(template):
        said += _fixed(text, language)
        if name is not None:
            said += _value(values[name], form or "", language)
    return said


def _fixed(text: str, language: Language) -> Markup:
    if language.direction == "ltr":
        return escape(text)
    # A date or a command would fall apart among words that run the other way.
    parts = enumerate(_FOREIGN.split(text))
    return Markup().join(
        Markup('<bdi dir="ltr">{}</bdi>').format(part) if place % 2 else escape(part)
        for place, part in parts
    )


def _value(value: object, form: str, language: Language) -> Markup:
    texts = language.texts
    known: Markup | None = None
    match value:
        case CaseState():
            return escape(texts[f"state_{value.replace('-', '_')}"])
        case ReportState():
            return escape(texts[f"report_is_{value.replace('-', '_')}"])
        case TypedPart():
            # As the form calls what is typed there.
            return escape(texts[_TYPED[value]])
        case TutelaError():
            return translated(value, language)
        case tuple():
            return escape(texts["semicolon"]).join(_value(each, "", language) for each in value)
        case str():
            known = _listed(value, language) or _known(value, language)
        case _:
            words = getattr(value, "words", None)
            known = _sentence(words, language) if isinstance(words, str) else None
    return known if known is not None else Markup("<bdi>{}</bdi>").format(format(value, form))


def _listed(text: str, language: Language) -> Markup | None:
    """A period of years, months and days, or a list of words that the language knows each of."""
    several = text.split(" and " if _PERIOD.fullmatch(text) else ", ")
    if len(several) == 1:
        return None
    return _all_known(several, language.texts["comma"], language)


@lru_cache
def _forms(tag: str) -> list[tuple[re.Pattern[str], str]]:
    """The forms of a language's sentences with values, those with the most fixed letters first."""
    found = []
    for english, template in languages()[tag].sentences.items():
        parts = list(Formatter().parse(english)) if "{" in english else []
        fixed = sum(map(len, re.findall("[A-Za-z]+", "".join(text for text, *_ in parts))))
        if fixed < _FEWEST_LETTERS:
            continue
        seen: set[str] = set()
        pattern = ""
        for text, name, _, _ in parts:
            pattern += re.escape(text)
            if name:
                pattern += f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
                seen.add(name)
        found.append((fixed, re.compile(pattern, re.DOTALL), template))
    return [(form, template) for _, form, template in sorted(found, key=lambda each: -each[0])]
