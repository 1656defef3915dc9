"""Why a case goes to an authority, in the language of whoever reads it."""

from collections.abc import Callable

from tutela.console.visiting import Visitor
from tutela.reporting.authorities.routing import ABOUT_INCIDENTS, Reason


def explains(person: Visitor) -> Callable[[Reason], str]:
    """Says a reason in the visitor's language."""
    say = person.language.texts

    def words(reason: Reason) -> str:
        about = reason.about
        if reason.because in ABOUT_INCIDENTS:
            about = ", ".join(say[f"incident_{each}"] for each in about.split(", "))
        return say[f"because_{reason.because.replace('-', '_')}"].replace("{about}", about)

    return words
