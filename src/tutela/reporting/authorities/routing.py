"""To whom a case goes, and why there and not elsewhere. Pure: it is told everything.

Every duty of the directory is answered for, also those that do not apply, with the reasons in the
order in which they were looked at. A row that nobody stands for leads nowhere: it is told as one
that would apply.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from tutela.reporting.authorities.model import (
    Authority,
    Binding,
    Channel,
    Directory,
    Duty,
    IfUnknown,
    Incident,
)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides to whom a case goes.

    Attributes:
        establishment: Where the provider is established (ISO 3166-1, two letters), if it is set.
        subject: Where whoever did it is, if that is known.
        victim: Where the victim is, if that is known.
        incidents: What the case is about.
    """

    establishment: str | None
    subject: str | None
    victim: str | None
    incidents: frozenset[Incident]


class Outcome(StrEnum):
    """What becomes of a duty in a case."""

    APPLIES = "applies"
    WOULD_APPLY = "would-apply"
    """It would, if somebody stood for the rows that it rests on."""
    NOT = "does-not-apply"


class Because(StrEnum):
    """Why. A word once used is never given another meaning."""

    ESTABLISHED = "established"
    ANYWHERE = "anywhere"
    NOT_ESTABLISHED = "not-established"
    ESTABLISHED_THERE = "established-there"
    ESTABLISHMENT_UNKNOWN = "establishment-unknown"
    INCIDENT = "incident"
    OTHER_INCIDENT = "other-incident"
    SUBJECT = "subject"
    VICTIM = "victim"
    NOBODY_THERE = "nobody-there"
    WHERE_ESTABLISHED = "where-established"
    CONCERNED_KNOWN = "concerned-known"
    NOT_KNOWN = "not-known"
    TOLD_ALREADY = "told-already"
    SUFFICES = "suffices"
    MISSING = "missing"
    UNVERIFIED = "unverified"
    DONE = "done"


_WORDS = MappingProxyType(
    {
        Because.ESTABLISHED: "your service is established in {0}",
        Because.ANYWHERE: "it does not matter where your service is established",
        Because.NOT_ESTABLISHED: "your service is not established in {0}",
        Because.ESTABLISHED_THERE: "your service is established in {0}, where this one is not for",
        Because.ESTABLISHMENT_UNKNOWN: (
            "it is not said where your service is established: set reporting.establishment"
        ),
        Because.INCIDENT: "the case is about {0}",
        Because.OTHER_INCIDENT: "it is only for {0}",
        Because.SUBJECT: "the subject is in {0}",
        Because.VICTIM: "the victim is in {0}",
        Because.NOBODY_THERE: "neither subject nor victim is known to be in {0}",
        Because.WHERE_ESTABLISHED: (
            "it is not known who is concerned, so it goes to where you are established: {0}"
        ),
        Because.CONCERNED_KNOWN: "it is known which country is concerned",
        Because.NOT_KNOWN: "it is not known which country is concerned",
        Because.TOLD_ALREADY: "{0} has been told, which is enough here",
        Because.SUFFICES: "it is enough if {0} is told",
        Because.MISSING: "the directory has no {0}: add it",
        Because.UNVERIFIED: 'nobody stands for the row "{0}": read its source and confirm it',
        Because.DONE: "{0} has been told of this case",
    }
)


HERE = "your country"
"""Stands for the country where the provider is established, where that is not said."""
ABOUT_INCIDENTS = frozenset({Because.INCIDENT, Because.OTHER_INCIDENT})
"""What these are said of are incidents, by their names."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of an explanation.

    Attributes:
        because: What it says.
        about: What it says it of.
    """

    because: Because
    about: str = ""

    @property
    def words(self) -> str:
        """The same as people say it."""
        about = self.about
        if self.because in ABOUT_INCIDENTS:
            about = _listed([Incident(each).words for each in about.split(", ")])
        return _WORDS[self.because].format(about)


@dataclass(frozen=True, slots=True)
class Route:
    """What becomes of one duty in a case, for one authority.

    Attributes:
        duty: The duty.
        authority: Whom it is owed to; ``None`` if the directory lacks them, or it does not apply.
        outcome: Whether it applies.
        reasons: Why, in the order in which it was looked at.
        channels: The ways to the authority.
    """

    duty: Duty
    authority: Authority | None
    outcome: Outcome
    reasons: tuple[Reason, ...]
    channels: tuple[Channel, ...] = ()

    @property
    def channel(self) -> Channel | None:
        """The first way that can be used."""
        return next((each for each in self.channels if each.is_ready), None)

    @property
    def is_owed(self) -> bool:
        """Whether somebody has to be told."""
        return self.outcome is Outcome.APPLIES and self.duty.binding is Binding.MUST

    @property
    def words(self) -> str:
        """The explanation as one sentence."""
        return "; ".join(reason.words for reason in self.reasons)

    def as_fields(self) -> dict[str, object]:
        """The route by names, as programs are given it."""
        return {
            "duty": self.duty.id,
            "authority": self.authority.id if self.authority else None,
            "name": self.authority.name if self.authority else None,
            "outcome": self.outcome,
            "binding": self.duty.binding,
            "law": self.duty.law,
            "provider": self.duty.provider,
            "promptness": self.duty.promptness,
            "channel": self.channel.kind if self.channel else None,
            "reasons": [
                {"because": reason.because, "about": reason.about, "words": reason.words}
                for reason in self.reasons
            ],
        }


def route(
    directory: Directory, circumstances: Circumstances, told: Collection[str] = ()
) -> tuple[Route, ...]:
    """Answer for every duty: first those that apply, then those that would, then the others.

    Args:
        directory: The directory as it stands.
        circumstances: The case.
        told: The ids of the authorities that have been told of the case already.
    """
    found = [
        each
        for duty in directory.duties.values()
        for each in _routes(directory, duty, circumstances, told)
    ]
    order = list(Outcome)
    return tuple(sorted(found, key=lambda each: order.index(each.outcome)))


def _routes(
    directory: Directory, duty: Duty, case: Circumstances, told: Collection[str]
) -> Iterator[Route]:
    reasons: list[Reason] = []
    for look in (_look_at_establishment, _look_at_incident):
        good, reason = look(directory, duty, case)
        reasons.append(reason)
        if not good:
            yield Route(duty, _named(directory, duty), Outcome.NOT, tuple(reasons))
            return
    countries, why = _concerned(directory, duty, case)
    reasons += why
    if countries is None:
        yield Route(duty, _named(directory, duty), Outcome.NOT, tuple(reasons))
        return
    enough = [each for each in duty.satisfied_by if each in told]
    if enough:
        reasons.append(Reason(Because.TOLD_ALREADY, enough[0]))
        yield Route(duty, _named(directory, duty), Outcome.NOT, tuple(reasons))
        return
    reasons += [Reason(Because.SUFFICES, each) for each in duty.satisfied_by]
    for authority, lacking in _addressees(directory, duty, countries):
        done = authority is not None and authority.id in told
        more = (Reason(Because.DONE, authority.id),) if authority and done else ()
        yield _answered(directory, duty, authority, (*reasons, *lacking, *more))


def _answered(
    directory: Directory, duty: Duty, authority: Authority | None, reasons: tuple[Reason, ...]
) -> Route:
    rows = (duty,) if authority is None else (duty, authority)
    doubtful = tuple(Reason(Because.UNVERIFIED, row.id) for row in rows if not row.counts)
    return Route(
        duty,
        authority,
        Outcome.WOULD_APPLY if doubtful else Outcome.APPLIES,
        (*reasons, *doubtful),
        directory.channels_of(authority.id) if authority else (),
    )


def _look_at_establishment(
    directory: Directory, duty: Duty, case: Circumstances
) -> tuple[bool, Reason]:
    here = case.establishment
    if "*" in duty.established and not duty.not_established:
        return True, Reason(Because.ANYWHERE)
    if here is None:
        return False, Reason(Because.ESTABLISHMENT_UNKNOWN)
    if directory.is_in(here, duty.not_established):
        return False, Reason(Because.ESTABLISHED_THERE, here)
    if not directory.is_in(here, duty.established):
        return False, Reason(Because.NOT_ESTABLISHED, _listed(duty.established))
    return True, Reason(Because.ESTABLISHED, here)


def _look_at_incident(
    _directory: Directory, duty: Duty, case: Circumstances
) -> tuple[bool, Reason]:
    common = [each for each in duty.incidents if each in case.incidents]
    if not common:
        return False, Reason(Because.OTHER_INCIDENT, _listed(duty.incidents))
    return True, Reason(Because.INCIDENT, _listed(common))


def _concerned(
    directory: Directory, duty: Duty, case: Circumstances
) -> tuple[tuple[str, ...] | None, list[Reason]]:
    """The countries whose authorities are meant, or ``None`` if the duty does not apply."""
    if not duty.concerned:
        return _here(case), []
    people = ((Because.SUBJECT, case.subject), (Because.VICTIM, case.victim))
    there = [
        Reason(because, country)
        for because, country in people
        if country is not None and directory.is_in(country, duty.concerned)
    ]
    is_known = all(country is not None for _, country in people)
    if duty.if_unknown is IfUnknown.ONLY:
        if there or is_known:
            return None, [Reason(Because.CONCERNED_KNOWN)]
        return _here(case), [Reason(Because.NOT_KNOWN)]
    if there:
        return tuple(dict.fromkeys(reason.about for reason in there)), there
    nobody = Reason(Because.NOBODY_THERE, _listed(duty.concerned))
    if duty.if_unknown is IfUnknown.NOT or is_known:
        return None, [nobody]
    return _where_established(directory, duty, case, nobody)


def _where_established(
    directory: Directory, duty: Duty, case: Circumstances, nobody: Reason
) -> tuple[tuple[str, ...] | None, list[Reason]]:
    here = case.establishment
    if here is None:
        return None, [nobody, Reason(Because.ESTABLISHMENT_UNKNOWN)]
    if not directory.is_in(here, duty.concerned):
        return None, [nobody, Reason(Because.NOT_ESTABLISHED, _listed(duty.concerned))]
    return (here,), [Reason(Because.WHERE_ESTABLISHED, here)]


def _here(case: Circumstances) -> tuple[str, ...]:
    return () if case.establishment is None else (case.establishment,)


def _addressees(
    directory: Directory, duty: Duty, countries: tuple[str, ...]
) -> Iterator[tuple[Authority | None, tuple[Reason, ...]]]:
    if duty.authority_kind is None:
        named = directory.authorities.get(duty.authority)
        yield named, () if named else (Reason(Because.MISSING, duty.authority),)
        return
    for country in countries or ("",):
        found = [
            each
            for each in directory.authorities.values()
            if each.kind is duty.authority_kind and each.country == country
        ]
        for each in found:
            yield each, ()
        if not found:
            what = f"{duty.authority_kind} of {country or HERE}"
            yield None, (Reason(Because.MISSING, what),)


def _named(directory: Directory, duty: Duty) -> Authority | None:
    return directory.authorities.get(duty.authority)


def _listed(words: Collection[str]) -> str:
    return ", ".join(words)
