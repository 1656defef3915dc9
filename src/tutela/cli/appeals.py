"""``tutela case appeal``: whoever is concerned says that it is a mistake."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cases.appealing import (
    Appeal,
    AppealId,
    AppealOutcome,
    appeals_of,
    decide_appeal,
    find_appeal,
    receive_appeal,
    waiting_appeals,
)
from tutela.cases.model import read_case_id
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_table, to_people
from tutela.storage.clock import system_clock

app = typer.Typer(
    help="Take appeals in, and decide those that wait.",
    no_args_is_help=True,
)

CaseNumber = Annotated[
    str, typer.Argument(metavar="CASE", help="The case's number, such as 7K3M-9QPD-2X4H.")
]
Number = Annotated[int, typer.Argument(metavar="APPEAL", help="The appeal's number.", min=1)]


@app.command("ls")
@needs(Permission.CASES_READ)
def list_appeals(
    case: Annotated[
        str | None, typer.Option("--case", metavar="CASE", help="All of this case instead.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the oldest first.")] = 50,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List the appeals that wait for a decision."""
    caller = local_caller()
    with open_house(data) as (_settings, database), database.reading() as connection:
        if case is None:
            found = waiting_appeals(connection, caller, limit=limit)
        else:
            found = appeals_of(connection, read_case_id(case), caller)[:limit]
    if json:
        for appeal in found:
            print_json(appeal.as_fields())
        return
    if not found:
        to_people.print("No appeals.")
        return
    table = Table("appeal", "case", "received", "by", "outcome")
    for appeal in found:
        table.add_row(
            str(appeal.id),
            appeal.case,
            f"{appeal.received_at:%Y-%m-%d %H:%M}",
            appeal.received_by,
            appeal.outcome or "waits",
        )
    print_table(table)


@app.command("show")
@needs(Permission.CASES_LEAD)
def show_appeal(appeal: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Show one appeal, with what the person concerned says."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = find_appeal(connection, AppealId(appeal), local_caller())
    if json:
        print_json(found.as_fields())
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in found.as_fields().items():
        if value is not None:
            table.add_row(name.replace("_", " "), escape(str(value)))
    print_table(table)


@app.command("add")
@needs(Permission.CASES_OPEN)
def add_appeal(
    case: CaseNumber,
    words: Annotated[
        str, typer.Option("--words", metavar="TEXT", help="What the person concerned says.")
    ] = "",
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Take an appeal in, of a case that is confirmed."""
    with open_house(data) as (settings, database), database.writing() as connection:
        appeal = receive_appeal(
            connection,
            read_case_id(case),
            words,
            local_caller(),
            system_clock,
            undo_seconds=settings.review.undo_seconds,
        )
    _answer(appeal, json, f"Appeal {appeal.id}: {appeal.case} is under appeal.")


@app.command("decide")
@needs(Permission.CASES_LEAD)
def decide(
    appeal: Number,
    outcome: Annotated[
        AppealOutcome,
        typer.Argument(metavar="OUTCOME", help="granted (it was a mistake) or upheld."),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Decide an appeal. It takes effect at once; the platform is told."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        decided = decide_appeal(
            connection, AppealId(appeal), outcome, local_caller(), system_clock, reason=reason
        )
    _answer(decided, json, f"Appeal {appeal} is {outcome}.")


def _answer(appeal: Appeal, json: bool, words: str) -> None:
    if json:
        print_json(appeal.as_fields())
    else:
        to_people.print(words)
