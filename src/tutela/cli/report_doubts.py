"""``tutela report doubts``, ``was-sent``, ``not-sent``: what may be sent since a backup."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_line, print_table, to_people
from tutela.errors import InvalidInputError
from tutela.reporting.delivery.doubting import count_doubted, doubted, say_sent, say_unsent
from tutela.reporting.finding import find_report
from tutela.reporting.model import ReportId
from tutela.storage.clock import system_clock
from tutela.storage.database import Database

Number = Annotated[int, typer.Argument(metavar="REPORT", help="The report's number.", min=1)]


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``tutela report``."""
    app.command("doubts")(list_doubts)
    app.command("was-sent")(was_sent)
    app.command("not-sent")(not_sent)


@needs(Permission.REPORTS_READ)
def list_doubts(
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List what may have been sent between a backup and the restore: compare it with the authority.

    None of it goes before somebody has said whether it was sent.
    """
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = doubted(connection, limit=limit)
        count = count_doubted(connection)
    if json:
        for each in found:
            print_json(each.as_fields())
        return
    if not found:
        to_people.print("Nothing is in doubt.")
        return
    to_people.print(
        f"{count:,} reports may have been sent since the backup. Of each, ask the authority, and "
        "say which it is: tutela report was-sent REPORT NUMBER, or tutela report not-sent REPORT.",
        soft_wrap=True,
        markup=False,
    )
    table = Table("report", "case", "to", "stands", "since the backup of")
    for each in found:
        since = f"{each.doubted_since:%Y-%m-%d %H:%M}" if each.doubted_since else ""
        table.add_row(str(each.id), each.case, each.authority, each.state.words, since)
    print_table(table)


@needs(Permission.REPORTS_APPROVE)
def was_sent(
    report: Number,
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="What the authority calls the report.")
    ],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Say that the authority has a report, by this number. The CyberTipline is asked whether so."""
    with open_house(data, existing=True) as (settings, database):
        with database.writing() as connection:
            caller = local_caller()
            say_sent(connection, settings, ReportId(report), number, caller, system_clock)
        _tell(database, report, json=json, words=f"Report {report} is {number} there, you say.")


@needs(Permission.REPORTS_APPROVE)
def not_sent(
    report: Annotated[
        int | None, typer.Argument(metavar="[REPORT]", help="The report's number.", min=1)
    ] = None,
    all_of_them: Annotated[
        bool,
        typer.Option("--all", help="All that are in doubt, such as where nothing had run since."),
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="How you know, for the ledger.")
    ] = "",
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Say that the authority does not have a report: it goes on, as it stood in the backup."""
    if (report is None) is not all_of_them:
        raise InvalidInputError("name one report, or say --all")
    with open_house(data, existing=True) as (_settings, database):
        for each in _all_doubted(database) if report is None else (ReportId(report),):
            with database.writing() as connection:
                say_unsent(connection, each, local_caller(), system_clock, reason=reason)
            _tell(database, each, json=json, words=f"Report {each} was not sent, you say.")


def _all_doubted(database: Database) -> Iterator[ReportId]:
    last: ReportId | None = None
    while True:
        with database.reading() as connection:
            page = [each.id for each in doubted(connection, after=last)]
        if not page:
            return
        yield from page
        last = page[-1]


def _tell(database: Database, report: int, *, json: bool, words: str) -> None:
    if not json:
        print_line(words)
        return
    with database.reading() as connection:
        print_json(find_report(connection, ReportId(report)).as_fields())
