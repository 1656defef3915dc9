"""``tutela report feedback``: what authorities say of reports, and what of it waits."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_line, print_table, to_people
from tutela.errors import InvalidInputError
from tutela.evidence.retention import Period
from tutela.reporting.following.finding import find_all_feedback, find_feedback, read_words
from tutela.reporting.following.model import Feedback, FeedbackId, FeedbackKind, Said
from tutela.reporting.following.recording import enter_feedback
from tutela.reporting.following.settling import (
    attach_feedback,
    follow_feedback,
    settle_feedback,
)
from tutela.reporting.model import ReportId
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.kept_secrets import KeptSecrets

app = typer.Typer(
    help="What authorities say of reports, and what of it waits for a person.",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(metavar="ID", help="The feedback's number.", min=1)]
ReportNumber = Annotated[int, typer.Argument(metavar="REPORT", help="The report's number.", min=1)]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="What was done, for the ledger.")
]


@app.command("add")
@needs(Permission.FEEDBACK_WRITE)
def add(
    report: ReportNumber,
    kind: Annotated[FeedbackKind, typer.Argument(metavar="KIND", help="What it is about.")],
    at: Annotated[
        datetime | None,
        typer.Option("--at", formats=["%Y-%m-%d"], help="The day of it, if it is not today."),
    ] = None,
    reference: Annotated[
        str, typer.Option("--reference", metavar="TEXT", help="What the authority calls it.")
    ] = "",
    number: Annotated[
        str, typer.Option("--number", metavar="TEXT", help="The report's number there.")
    ] = "",
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="Of a letter: its last day."),
    ] = None,
    period: Annotated[
        str, typer.Option("--for", metavar="PERIOD", help="Of a letter: such as 90d or 1y.")
    ] = "",
    words: Annotated[
        Path | None,
        typer.Option(
            "--words",
            metavar="FILE",
            help="A file with the authority's words; - for what is typed or piped in.",
            allow_dash=True,
        ),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Enter what an authority says of a report. A letter or a request moves the evidence's clock.

    KIND is number, more-wanted, preservation-letter, destruction-requested, closed or other.
    """
    said = Said(
        kind=kind,
        at=system_clock() if at is None else at.replace(tzinfo=system_clock().tzinfo),
        reference=reference.strip(),
        number=number.strip(),
        until=_day(until),
        period=Period.read(period) if period else None,
        words=_words(words),
    )
    with open_house(data) as (settings, database):
        with database.writing() as connection:
            feedback = enter_feedback(
                connection,
                KeptSecrets(settings.keys_folder),
                ReportId(report),
                said,
                local_caller(),
                system_clock,
            )
        _tell(database, feedback, json)


@app.command("ls")
@needs(Permission.REPORTS_READ)
def list_feedback(
    only_open: Annotated[
        bool, typer.Option("--open", help="Only what waits for a person.")
    ] = False,
    report: Annotated[
        int | None, typer.Option("--report", metavar="REPORT", help="Only of this one.", min=1)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 50,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List what authorities said, without its words."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = find_all_feedback(
            connection,
            report=None if report is None else ReportId(report),
            only_open=only_open,
            limit=limit,
        )
    if json:
        for each in found:
            print_json(each.as_fields())
        return
    if not found:
        to_people.print("Nothing waits for anybody." if only_open else "Nobody said anything.")
        return
    table = Table("id", "who", "says", "report", "case", "came", "waits")
    for each in found:
        table.add_row(
            str(each.id),
            each.authority,
            each.kind.words,
            str(each.report or f"unknown: {escape(each.named)}"),
            each.case or "",
            f"{each.received_at:%Y-%m-%d %H:%M}",
            "yes" if each.is_open else "",
        )
    print_table(table)


@app.command("show")
@needs(Permission.REPORTS_READ)
def show(feedback: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Show what an authority said, with its words. The ledger says that you read them."""
    number = FeedbackId(feedback)
    with open_house(data) as (settings, database), database.writing() as connection:
        found = find_feedback(connection, number)
        words = read_words(
            connection, KeptSecrets(settings.keys_folder), number, local_caller(), system_clock
        )
    if json:
        print_json({**found.as_fields(), "words": words})
        return
    to_people.print(_line(found), markup=False)
    if words:
        print_line(words)


@app.command("settle")
@needs(Permission.FEEDBACK_WRITE)
def settle(
    feedback: Number, reason: Reason, json: JsonLines = False, data: DataFolder = None
) -> None:
    """Say that what waited is done, or is not to be done."""
    with open_house(data) as (_settings, database):
        with database.writing() as connection:
            settle_feedback(
                connection, FeedbackId(feedback), local_caller(), system_clock, reason=reason
            )
        _tell(database, FeedbackId(feedback), json)


@app.command("follow")
@needs(Permission.FEEDBACK_WRITE)
def follow(
    feedback: Number, reason: Reason, json: JsonLines = False, data: DataFolder = None
) -> None:
    """Follow a request for destruction, or a number, that came by itself."""
    with open_house(data) as (_settings, database):
        with database.writing() as connection:
            follow_feedback(
                connection, FeedbackId(feedback), local_caller(), system_clock, reason=reason
            )
        _tell(database, FeedbackId(feedback), json)


@app.command("attach")
@needs(Permission.FEEDBACK_WRITE)
def attach(
    feedback: Number, report: ReportNumber, json: JsonLines = False, data: DataFolder = None
) -> None:
    """Say which report is meant, where none was known by the number."""
    with open_house(data) as (_settings, database):
        with database.writing() as connection:
            attach_feedback(
                connection, FeedbackId(feedback), ReportId(report), local_caller(), system_clock
            )
        _tell(database, FeedbackId(feedback), json)


def _tell(database: Database, feedback: FeedbackId, json: bool) -> None:
    with database.reading() as connection:
        found = find_feedback(connection, feedback)
    if json:
        print_json(found.as_fields())
    else:
        to_people.print(_line(found), markup=False)


def _line(found: Feedback) -> str:
    of = f"report {found.report} of {found.case}" if found.report else "a report unknown here"
    named = f" ({found.reference})" if found.reference else ""
    waits = "It waits for a person." if found.is_open else "Nothing waits."
    return (
        f"Feedback {found.id}: of {of}, {found.authority} {found.kind.words}{named}, "
        f"{found.at:%Y-%m-%d}. {waits}"
    )


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _words(file: Path | None) -> str:
    if file is None:
        return ""
    if str(file) == "-":
        return typer.get_text_stream("stdin").read()
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{file} cannot be read as text: {error}") from None
