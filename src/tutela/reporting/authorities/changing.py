"""Adding an authority of one's own, and setting how an authority is reached.

Whoever does so says on what source. Of an authority they stand for it by that. To which address and
for which key evidence is sealed, nobody says alone: another person has to stand for that, or it is
the machine's operator who sets it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from urllib.parse import urlsplit

from sqlalchemy import Connection, update

from tutela.errors import AlreadyExistsError, InvalidInputError
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.ledger.appending import append
from tutela.ledger.model import Act, Actor
from tutela.reporting.authorities.confirming import (
    checked_source,
    keep_confirmation,
    needs_another,
    thing_of,
)
from tutela.reporting.authorities.model import (
    Authority,
    AuthorityKind,
    Binding,
    Channel,
    Directory,
    Duty,
    Incident,
    RowKind,
    channel_id,
)
from tutela.reporting.authorities.reading import ROW_ID, read_row
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.authorities.tables import house_rows
from tutela.reporting.model import ChannelKind
from tutela.storage.clock import Clock
from tutela.storage.database import insert_or_ignore
from tutela.storage.settings import Settings
from tutela.webhooks.addresses import checked_url

_LONGEST_ADDRESS = 254


@dataclass(frozen=True, slots=True)
class NewDuty:
    """When one's own authority has to be told, or may be.

    Attributes:
        established: Where the provider has to be established; ``*`` for anywhere.
        concerned: Where the subject or the victim has to be; empty if that makes no difference.
        incidents: What the case has to be about.
        binding: Whether one has to.
        law: The law, in short.
        promptness: How soon, in the law's words; or empty.
        within_hours: How soon, if the law gives a number of hours.
    """

    established: tuple[str, ...]
    concerned: tuple[str, ...]
    incidents: tuple[Incident, ...]
    binding: Binding
    law: str
    promptness: str = ""
    within_hours: int | None = None


def add_authority(
    connection: Connection,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    *,
    authority: str,
    name: str,
    country: str,
    kind: AuthorityKind,
    duty: NewDuty | None,
    source: str,
    notes: str = "",
) -> Authority:
    """Add an authority of one's own, and when it is told. Do it last in the transaction.

    Raises:
        AlreadyExistsError: A row has this id.
        InvalidInputError: Something of it cannot be meant, or no source is given.
    """
    source = checked_source(source)
    if not re.fullmatch(ROW_ID, authority):
        raise InvalidInputError(
            "an authority's id has small letters, digits and dashes, such as fr-hotline"
        )
    directory = directory_now(connection, settings)
    duty_id = f"{authority}-duty"
    for each in (authority, duty_id):
        if each in directory.authorities or each in directory.duties:
            raise AlreadyExistsError("the directory has a row {each}: choose another id", each=each)
    _check_places(directory, country, duty)
    terms: dict[str, object] = {"id": authority, "name": name.strip(), "country": country}
    rows = [_write(connection, RowKind.AUTHORITY, terms | {"kind": kind}, notes, actor, clock)]
    if duty is not None:
        terms = {
            "id": duty_id,
            "authority": authority,
            "established": list(duty.established),
            "concerned": list(duty.concerned),
            "incidents": list(duty.incidents),
            "binding": duty.binding,
            "law": duty.law.strip(),
            "promptness": duty.promptness.strip(),
            "within_hours": duty.within_hours,
        }
        rows.append(_write(connection, RowKind.DUTY, terms, notes, actor, clock))
    for row in rows:
        keep_confirmation(connection, row, source, actor, clock)
    for row in rows:
        append(connection, actor, Act.AUTHORITY_ADDED, clock, thing=thing_of(row), reason=source)
    return directory_now(connection, settings).authority(authority)


def set_channel(
    connection: Connection,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    *,
    authority: str,
    kind: ChannelKind,
    source: str,
    address: str | None = None,
    recipients: str | None = None,
    notes: str = "",
) -> Channel:
    """Set how an authority is reached. Do it last in the transaction.

    What evidence is sent by counts once another person has confirmed it (``confirming.confirm``).

    Args:
        connection: A transaction that writes.
        settings: The configuration.
        actor: Who sets it.
        clock: The time.
        authority: The authority's id.
        kind: Which way to it.
        source: What the actor relies on.
        address: The mail address, the URL of the webhook or of the page with the form; ``None``
            leaves what is there.
        recipients: The public keys, one a line; ``None`` leaves what is there.
        notes: What whoever relies on it should know.

    Raises:
        InvalidInputError: The address or the keys cannot be used, or no source is given.
        NotFoundError: There is no such authority.
    """
    source = checked_source(source)
    directory = directory_now(connection, settings)
    found = directory.authority(authority)
    before = directory.channels.get(channel_id(found.id, kind))
    terms: dict[str, object] = {
        "authority": found.id,
        "kind": kind,
        "address": _address(kind, _chosen(address, before.address if before else ""), settings),
        "recipients": _keys(kind, _chosen(recipients, before.recipients if before else "")),
    }
    version = before.version + 1 if before else 1
    row = _write(connection, RowKind.CHANNEL, terms, notes, actor, clock, version=version)
    if not needs_another(row, actor):
        keep_confirmation(connection, row, source, actor, clock)
    append(connection, actor, Act.AUTHORITY_CHANNEL_SET, clock, thing=thing_of(row), reason=source)
    return directory_now(connection, settings).channels[row.id]


def _check_places(directory: Directory, country: str, duty: NewDuty | None) -> None:
    places = (country,) if duty is None else (country, *duty.established, *duty.concerned)
    for place in places:
        if not directory.knows(place):
            raise InvalidInputError(
                '"{place}" is no country: write two letters, such as FR, or a group: {groups}',
                place=place,
                groups=", ".join(sorted(directory.groups)),
            )


def _write(
    connection: Connection,
    kind: RowKind,
    terms: Mapping[str, object],
    notes: str,
    actor: Actor,
    clock: Clock,
    *,
    version: int = 1,
) -> Authority | Channel | Duty:
    row = read_row(kind, terms, version, notes)
    values = {
        "kind": kind,
        "version": version,
        "terms": dict(terms),
        "notes": notes,
        "written_at": clock(),
        "written_by": actor.id,
    }
    made = insert_or_ignore(connection, house_rows).values(id=row.id, **values)
    if connection.execute(made.returning(house_rows.c.id)).first() is None:
        connection.execute(update(house_rows).where(house_rows.c.id == row.id).values(**values))
    return row


def _chosen(said: str | None, before: str) -> str:
    return before if said is None else said.strip()


def _address(kind: ChannelKind, address: str, settings: Settings) -> str:
    if not address:
        return ""
    if kind is ChannelKind.CYBERTIPLINE:
        raise InvalidInputError(
            "the CyberTipline's address is no matter of the directory: leave it out"
        )
    if kind is ChannelKind.WEBHOOK:
        return checked_url(address, settings.webhooks.private_networks)
    if kind is ChannelKind.FORM:
        return _page(address)
    return _mail_address(address)


def _keys(kind: ChannelKind, recipients: str) -> str:
    if not recipients:
        return ""
    if kind not in (ChannelKind.SEALED_MAIL, ChannelKind.WEBHOOK):
        raise InvalidInputError(
            "only a sealed mail or a webhook is encrypted to a key: leave it out"
        )
    return read_recipients(recipients, "the key").text


def _page(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or not address.isprintable():
        raise InvalidInputError("the address of a form is a URL that begins with https://")
    return address


def _mail_address(address: str) -> str:
    try:
        parsed = Address(addr_spec=address)
    except (ValueError, IndexError):
        parsed = Address()
    good = parsed.username and "." in parsed.domain and address.isprintable()
    if not good or len(address) > _LONGEST_ADDRESS or any(each in address for each in " ,;<>"):
        raise InvalidInputError("the address of a sealed mail is one mail address")
    return address
