"""The reasons that a reviewer picks from. What is kept of one is its English sentence."""

from collections.abc import Mapping
from functools import cache

from tutela.cases.deciding import Decision
from tutela.console.language import DEFAULT, Language, languages

REASONS: Mapping[Decision, tuple[str, ...]] = {
    Decision.CONFIRMED: (),
    Decision.NOT_CONFIRMED: (
        "reason_similar",
        "reason_adults",
        "reason_no_person",
        "reason_innocent",
        "reason_drawn",
    ),
    Decision.NOT_SURE: ("reason_age", "reason_unclear", "reason_language"),
}
"""The keys of the texts, for each decision."""


def reasons_for(language: Language) -> Mapping[Decision, tuple[tuple[str, str], ...]]:
    """The reasons for each decision: what is kept, and how it is said in a language."""
    english = languages()[DEFAULT].texts
    return {
        decision: tuple((english[key], language.texts[key]) for key in keys)
        for decision, keys in REASONS.items()
    }


def reason_in(language: Language, kept: str) -> str:
    """A reason as it was kept, in a language if it is one of those that are picked."""
    sentence, separator, words = kept.partition("\n")
    key = _keys().get(sentence)
    return f"{language.texts[key]}{separator}{words}" if key else kept


def kept_reason(picked: str, words: str) -> str:
    """What is kept of a reason that was picked, and of words that were added."""
    return "\n".join(part for part in (picked.strip(), words.strip()) if part)


@cache
def _keys() -> Mapping[str, str]:
    english = languages()[DEFAULT].texts
    return {english[key]: key for keys in REASONS.values() for key in keys}
