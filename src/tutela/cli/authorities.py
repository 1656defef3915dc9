"""``tutela authority``: whom a case goes to, who stands for that, and until when."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cases.model import read_case_id
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_json, print_line, print_table, to_people
from tutela.errors import InvalidInputError
from tutela.evidence.disclosure.recipients import read_recipients_file
from tutela.reporting.authorities.changing import NewDuty, add_authority, set_channel
from tutela.reporting.authorities.confirming import confirm, withdraw
from tutela.reporting.authorities.model import (
    Authority,
    AuthorityKind,
    Binding,
    Channel,
    Directory,
    Duty,
    Incident,
    Row,
    Standing,
)
from tutela.reporting.authorities.routing import Circumstances, Outcome, Route, route
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.authorities.telling import authority_fields, row_fields
from tutela.reporting.authorities.weighing import Weighed, weigh
from tutela.reporting.model import ChannelKind
from tutela.storage.clock import system_clock

app = typer.Typer(
    help="See to whom a case goes and until when, and stand for what that rests on.",
    no_args_is_help=True,
)

RowName = Annotated[
    str, typer.Argument(metavar="ROW", help="The row, such as au-afp or gb-nca:form.")
]
AuthorityName = Annotated[
    str, typer.Argument(metavar="AUTHORITY", help="The authority, such as us-ncmec.")
]
Source = Annotated[
    str, typer.Option("--source", metavar="TEXT", help="On what source: what you read, and where.")
]
Notes = Annotated[
    str,
    typer.Option("--notes", metavar="TEXT", help="What others should know.", show_default=False),
]
Incidents = Annotated[
    list[Incident] | None,
    typer.Option(
        "--incident", help="What it is about; may be given repeatedly.", show_default=False
    ),
]

_OUTCOMES = {
    Outcome.APPLIES: "applies",
    Outcome.WOULD_APPLY: "would apply if confirmed",
    Outcome.NOT: "does not apply",
}


@app.command("ls")
@needs(Permission.CASES_READ)
def list_rows(
    everything: Annotated[
        bool, typer.Option("--all", help="With the notes and sources of each row.")
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List the authorities, the ways to them and the duties, and who stands for each."""
    with open_house(data) as (settings, database), database.reading() as connection:
        directory = directory_now(connection, settings)
    if json:
        for row in directory.rows():
            print_json(row_fields(directory, row))
        return
    columns = ("row", "what it is", "state")
    table = Table(*columns, *(("source", "notes") if everything else ()))
    for row in directory.rows():
        more = (escape(_source(row)), escape(row.notes)) if everything else ()
        table.add_row(escape(row.id), escape(_what(row)), escape(_state(row)), *more)
    print_table(table)
    _tell_without_establishment(settings.reporting.establishment)


@app.command("show")
@needs(Permission.CASES_READ)
def show_row(row: RowName, json: JsonLines = False, data: DataFolder = None) -> None:
    """Show a row of the directory with its source and its notes."""
    with open_house(data) as (settings, database), database.reading() as connection:
        directory = directory_now(connection, settings)
    found = directory.row(row)
    if json:
        print_json(row_fields(directory, found))
        return
    for line in _told(directory, found):
        print_line(line)


@app.command("confirm")
@needs(Permission.AUTHORITIES_WRITE)
def confirm_row(
    row: RowName, source: Source, json: JsonLines = False, data: DataFolder = None
) -> None:
    """Stand for an unverified row as it reads now, so that cases and clocks go by it."""
    with open_house(data) as (settings, database), database.writing() as connection:
        found = confirm(connection, settings, row, local_actor(), system_clock, source=source)
        directory = directory_now(connection, settings)
    _tell_row(directory, found, f"{row} is confirmed: {_what(found)}.", json)


@app.command("withdraw")
@needs(Permission.AUTHORITIES_WRITE)
def withdraw_row(
    row: RowName,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why. The ledger keeps it.")
    ],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """No longer stand for a row: nothing goes by it from now on."""
    with open_house(data) as (settings, database), database.writing() as connection:
        found = withdraw(connection, settings, row, local_actor(), system_clock, reason=reason)
        directory = directory_now(connection, settings)
    _tell_row(directory, found, f"{row} is {_state(found)} now: nothing goes by it.", json)


@app.command("add")
@needs(Permission.AUTHORITIES_WRITE)
def add(
    authority: Annotated[
        str, typer.Argument(metavar="ID", help="What it is called here, such as fr-hotline.")
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it calls itself.")],
    country: Annotated[
        str, typer.Option("--country", metavar="CC", help="Its country, such as FR.")
    ],
    kind: Annotated[AuthorityKind, typer.Option("--kind", help="What it is.")],
    source: Source,
    incident: Incidents = None,
    established: Annotated[
        list[str] | None,
        typer.Option(
            "--established", metavar="CC", help="Told if you are established there; * if anywhere."
        ),
    ] = None,
    concerned: Annotated[
        list[str] | None,
        typer.Option("--concerned", metavar="CC", help="Told if subject or victim is there."),
    ] = None,
    must: Annotated[bool, typer.Option("--must/--may", help="Whether it has to be told.")] = False,
    law: Annotated[
        str, typer.Option("--law", metavar="TEXT", help="By which law or agreement.")
    ] = "",
    within_hours: Annotated[
        int | None, typer.Option("--within-hours", min=1, max=8760, help="How soon, if it says so.")
    ] = None,
    notes: Notes = "",
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Add an authority of your own, and with --incident when it is told. You stand for it."""
    if not incident and (established or concerned or law or must or within_hours):
        raise InvalidInputError("say with --incident of what kind of case it is told")
    if incident and not law.strip():
        raise InvalidInputError("say with --law by which law or agreement it is told")
    binding = Binding.MUST if must else Binding.MAY
    duty = (
        NewDuty(
            established=tuple(established or ("*",)),
            concerned=tuple(concerned or ()),
            incidents=tuple(incident),
            binding=binding,
            law=law,
            within_hours=within_hours,
        )
        if incident
        else None
    )
    with open_house(data) as (settings, database), database.writing() as connection:
        added = add_authority(
            connection,
            settings,
            local_actor(),
            system_clock,
            authority=authority,
            name=name,
            country=country,
            kind=kind,
            duty=duty,
            source=source,
            notes=notes,
        )
        directory = directory_now(connection, settings)
    _tell_row(
        directory,
        added,
        f'{added.id} is added. Set how it is reached: "tutela authority set {added.id} KIND".',
        json,
    )


@app.command("set")
@needs(Permission.AUTHORITIES_WRITE)
def set_way(
    authority: AuthorityName,
    kind: Annotated[ChannelKind, typer.Argument(metavar="KIND", help="Which way to it.")],
    source: Source,
    address: Annotated[
        str | None,
        typer.Option(
            "--address", metavar="TEXT", help="Mail address, URL of the webhook, or of the form."
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Their public keys of age, one a line."),
    ] = None,
    notes: Notes = "",
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Set how an authority is reached. You stand for it."""
    recipients = None if key is None else read_recipients_file(key).text
    with open_house(data) as (settings, database), database.writing() as connection:
        found = set_channel(
            connection,
            settings,
            local_actor(),
            system_clock,
            authority=authority,
            kind=kind,
            source=source,
            address=address,
            recipients=recipients,
            notes=notes,
        )
        directory = directory_now(connection, settings)
    lacks = f" It still lacks {found.lacks}." if found.lacks else ""
    _tell_row(directory, found, f"{found.id} is set.{lacks}", json)


@app.command("route")
@needs(Permission.CASES_READ)
def explain(
    case: Annotated[
        str | None, typer.Option("--case", metavar="CASE", help="A case, with its clocks.")
    ] = None,
    establishment: Annotated[
        str | None,
        typer.Option(
            "--establishment", metavar="CC", help="Where you are, if not as the setting has it."
        ),
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", metavar="CC", help="Where the subject is.")
    ] = None,
    victim: Annotated[
        str | None, typer.Option("--victim", metavar="CC", help="Where the victim is.")
    ] = None,
    incident: Incidents = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what does not apply, and why not.")
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Explain to whom a case goes, and why."""
    if case is not None and establishment is not None:
        raise InvalidInputError("a case goes by the setting reporting.establishment: leave it out")
    for place in (establishment, subject, victim):
        if place is not None and not (len(place) == 2 and place.isascii() and place.isupper()):
            raise InvalidInputError(f'"{place}" is not a country: write two letters, such as US')
    weighed: Weighed | None = None
    with open_house(data) as (settings, database), database.reading() as connection:
        here = establishment or settings.reporting.establishment
        if case is None:
            about = frozenset(incident or (Incident.MATERIAL,))
            directory = directory_now(connection, settings)
            routes = route(directory, Circumstances(here, subject, victim, about))
        else:
            weighed = weigh(
                connection,
                settings,
                read_case_id(case),
                subject=subject,
                victim=victim,
                incidents=incident,
            )
            routes = weighed.routes
    if json and weighed is not None:
        print_json(weighed.as_fields(system_clock()))
        return
    if json:
        for each in routes:
            print_json(each.as_fields())
        return
    _tell_routes(routes, everything)
    if weighed is not None:
        _tell_weighed(weighed)
    _tell_without_establishment(here)


def _tell_routes(routes: tuple[Route, ...], everything: bool) -> None:
    shown = [each for each in routes if everything or each.outcome is not Outcome.NOT]
    if shown:
        table = Table("authority", "by", "binding", "outcome", "by way of", "why")
        for each in shown:
            table.add_row(
                each.authority.id if each.authority else "-",
                escape(each.duty.law),
                each.duty.binding,
                _OUTCOMES[each.outcome],
                each.channel.kind if each.channel else "-",
                escape(each.words),
            )
        print_table(table)
    else:
        to_people.print("No duty of the directory applies.")
    left_out = len(routes) - len(shown)
    if left_out:
        to_people.print(f"{left_out} more do not apply: see --all for why.")


def _tell_weighed(weighed: Weighed) -> None:
    for clock in weighed.clocks:
        print_line(clock.words)
    for each in weighed.told:
        what = {"case": "this case", "content": "the same content", "subject": "the same subject"}
        whom = each.authority or "somebody, as a person recorded it"
        print_line(
            f"{what[each.relation]}: {whom}, {each.at:%Y-%m-%d %H:%M}, {each.state.words}"
            f"{f' as {each.reference}' if each.reference else ''} (case {each.case})"
        )


def _tell_row(
    directory: Directory, row: Authority | Channel | Duty, words: str, json: bool
) -> None:
    if json:
        print_json(
            authority_fields(directory, row)
            if isinstance(row, Authority)
            else row_fields(directory, row)
        )
    else:
        to_people.print(words, markup=False, soft_wrap=True)


def _tell_without_establishment(here: str | None) -> None:
    if here is None:
        to_people.print(
            "It is not said where your service is established, so that most duties do not apply: "
            'set it in tutela.toml, such as establishment = "US" under [reporting].',
            markup=False,
            soft_wrap=True,
        )


def _told(directory: Directory, row: Authority | Channel | Duty) -> list[str]:
    lines = [f"{row.id}, version {row.version}", _what(row), _state(row)]
    lines += [line for line in (_source(row), row.notes) if line]
    if isinstance(row, Authority):
        lines += [f"{each.id}: {_state(each)}" for each in directory.channels_of(row.id)]
        lines += [
            f"{each.id}: {_what(each)}, {_state(each)}" for each in directory.duties_to(row.id)
        ]
    return lines


def _what(row: Authority | Channel | Duty) -> str:
    if isinstance(row, Authority):
        return f"{row.name} ({row.kind}, {row.country})"
    if isinstance(row, Channel):
        lacks = f", lacks {row.lacks}" if row.lacks else ""
        return f"reached by {row.kind}{f' at {row.address}' if row.address else ''}{lacks}"
    whom = row.authority or f"{row.authority_kind} of the country"
    return f"{row.binding} tell {whom} of {', '.join(row.incidents)}: {row.law}"


def _state(row: Row) -> str:
    if row.standing is Standing.VERIFIED:
        return f"verified {row.checked_on}"
    if row.confirmation is not None:
        confirmation = row.confirmation
        return f"confirmed {confirmation.confirmed_at:%Y-%m-%d} by {confirmation.confirmed_by}"
    return "unverified"


def _source(row: Row) -> str:
    if row.source:
        return row.source
    return row.confirmation.source if row.confirmation else ""
