"""Why a case goes to an authority, in the language of whoever reads it."""

from collections.abc import Callable, Mapping

from tutela.console.visiting import Visitor
from tutela.reporting.authorities.routing import ABOUT_INCIDENTS, HERE, Because, Reason


def explains(person: Visitor) -> Callable[[Reason], str]:
    """Says a reason in the visitor's language."""
    say = person.language.texts

    def words(reason: Reason) -> str:
        about = reason.about
        if reason.because in ABOUT_INCIDENTS:
            about = say["comma"].join(say[f"incident_{each}"] for each in about.split(", "))
        if reason.because is Because.MISSING:
            about = _missing(about, say)
        return say[f"because_{reason.because.replace('-', '_')}"].replace("{about}", about)

    return words


def _missing(about: str, say: Mapping[str, str]) -> str:
    """An authority by its id, or which kind of authority of which country."""
    kind, of, country = about.partition(" of ")
    if not of:
        return about
    called = say[f"authority_kind_{kind.replace('-', '_')}"]
    if country == HERE:
        return say["duty_of_here"].replace("{kind}", called)
    return say["duty_of_place"].replace("{kind}", called).replace("{country}", country)
