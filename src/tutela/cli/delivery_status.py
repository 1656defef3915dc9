"""``tutela report delivery-status``: what became of a report that was sent as a letter."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_table, to_people
from tutela.errors import InvalidInputError
from tutela.reporting.finding import find_report
from tutela.reporting.letters.bounces import MOST_BYTES, Fate, read_bounce
from tutela.reporting.letters.notices import Notice, enter_notice, notices_of, report_of
from tutela.reporting.model import ReportId
from tutela.storage.clock import system_clock

_FATES = "What can have become of one:\n\n" + "\n".join(f"- {fate}: {fate.words}" for fate in Fate)

_AGAIN = (
    "It did not arrive. Find out why, put the authority's address right, and send the report anew: "
    "a new report that names this one."
)


def add_to(app: typer.Typer) -> None:
    """Make the command one of ``tutela report``."""
    app.command("delivery-status", epilog=_FATES)(delivery_status)


@needs(Permission.REPORTS_WRITE)
def delivery_status(
    report: Annotated[
        int | None,
        typer.Argument(metavar="REPORT", help="The report's number.", min=1, show_default=False),
    ] = None,
    fate: Annotated[
        Fate | None,
        typer.Option("--set", metavar="FATE", help="What became of it.", show_default=False),
    ] = None,
    words: Annotated[
        str,
        typer.Option(
            "--words",
            metavar="TEXT",
            help="What else is known; no personal data.",
            show_default=False,
        ),
    ] = "",
    number: Annotated[
        str,
        typer.Option(
            "--number",
            metavar="TEXT",
            help="What the authority calls the report.",
            show_default=False,
        ),
    ] = "",
    notice: Annotated[
        Path | None,
        typer.Option(
            "--notice",
            metavar="FILE",
            help="A mail that a mail server wrote back, saved with all its parts; - is the "
            "standard input. It names its report itself.",
            show_default=False,
        ),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """See, or enter, what became of a report that was sent by mail or webhook."""
    if notice is not None and fate is not None:
        raise InvalidInputError("enter either a notice of a mail server or your own word by --set")
    if notice is None and report is None:
        raise InvalidInputError("name the report: its number is on what was sent")
    if fate is None and (words or number):
        raise InvalidInputError("say by --set what became of it")
    bounce = None if notice is None else read_bounce(_read(notice))
    with open_house(data) as (_settings, database):
        with database.writing() as connection:
            meant = ReportId(report) if report is not None else None
            if bounce is not None:
                found = report_of(connection, bounce)
                if meant not in (None, found):
                    raise InvalidInputError(f"the notice is about report {found}, not {meant}")
                meant, fate, words = found, bounce.fate, bounce.words
            number_of_report = meant or ReportId(0)
            if fate is not None:
                enter_notice(
                    connection,
                    number_of_report,
                    fate,
                    local_caller(),
                    system_clock,
                    code=bounce.code if bounce else "",
                    words=words,
                    number=number,
                )
        with database.reading() as connection:
            there = find_report(connection, number_of_report)
            heard = notices_of(connection, number_of_report)
    if json:
        for each in heard:
            print_json(each.as_fields())
        return
    to_people.print(f"Report {there.id} is {there.state.words}, by {there.channel}.")
    if heard:
        print_table(_table(heard))
        if heard[0].fate is Fate.FAILED:
            to_people.print(_AGAIN)
    else:
        to_people.print("Nothing was heard of it since.")


def _table(heard: list[Notice]) -> Table:
    table = Table("when (UTC)", "what became of it", "status", "words", "their number", "by")
    for each in heard:
        table.add_row(
            f"{each.at:%Y-%m-%d %H:%M}",
            each.fate.words,
            each.code,
            escape(each.words),
            escape(each.number),
            each.by,
        )
    return table


def _read(file: Path) -> bytes:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(f"{file}: cannot be read: {error.strerror}") from None
