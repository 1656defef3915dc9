"""To whom a case goes, and by which way: what the directory says of what is known of the case."""

from sqlalchemy import Connection

from tutela.errors import InvalidInputError
from tutela.reporting.authorities.model import Directory, Incident
from tutela.reporting.authorities.routing import Circumstances, Route, route
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.authorities.told import told_of
from tutela.reporting.cybertipline.model import IntendedRecipient, PersonOrUserReported, Victim
from tutela.reporting.drafts.drafting import Gathered, said_of
from tutela.reporting.drafts.incidents import Said, concerns
from tutela.reporting.drafts.supplied import Supplied
from tutela.reporting.model import ChannelKind
from tutela.storage.settings import Settings


def routes_of(connection: Connection, settings: Settings, gathered: Gathered) -> tuple[Route, ...]:
    """What each duty of the directory says of a case, with the reasons.

    Raises:
        SettingsError: The operator's directory cannot be read.
    """
    told = told_of(connection, gathered.case)
    return route(directory_now(connection, settings), circumstances_of(settings, gathered), told)


def circumstances_of(settings: Settings, gathered: Gathered) -> Circumstances:
    """What decides to whom a case goes, as far as it is known."""
    return circumstances(settings, gathered.supplied, said_of(gathered))


def circumstances(settings: Settings, supplied: Supplied, said: Said) -> Circumstances:
    """The same, of what a platform supplied and what people said."""
    victims = [country for each in supplied.victims if (country := country_of(each))]
    return Circumstances(
        establishment=settings.reporting.establishment,
        subject=None if supplied.reported is None else country_of(supplied.reported),
        victim=victims[0] if victims else None,
        incidents=frozenset(map(Incident, concerns(said))),
    )


def country_of(person: PersonOrUserReported | IntendedRecipient | Victim) -> str | None:
    """Where somebody is: by their address, or else where they seem to be."""
    known = person.person
    for address in () if known is None else known.addresses:
        if address.country is not None:
            return address.country
    return None if person.estimated_location is None else person.estimated_location.country_code


def channel_to(directory: Directory, authority: str) -> ChannelKind:
    """The way by which a report goes to an authority.

    Raises:
        NotFoundError: There is no such authority.
        InvalidInputError: There is no way that Tutela can go, or nobody stands for it yet.
    """
    directory.authority(authority)
    ways = directory.channels_of(authority)
    for each in ways:
        if each.is_ready and each.kind.sends:
            return each.kind
    by_hand = next((each for each in ways if not each.kind.sends), None)
    if by_hand is not None:
        raise InvalidInputError(
            "{authority} is told by hand, on its own pages ({address}): hand the case over with "
            '"tutela evidence disclose", or set another way to it',
            authority=authority,
            address=by_hand.address or "-",
        )
    lacking = [f"{each.id} lacks {each.lacks}" for each in ways if each.lacks]
    doubtful = [f"nobody stands for {each.id}" for each in ways if not each.counts]
    why = (*lacking, *doubtful) or ("the directory has none",)
    raise InvalidInputError(
        "there is no way to {authority} that can be used: {why}", authority=authority, why=why
    )
