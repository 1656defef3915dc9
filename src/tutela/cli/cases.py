"""``tutela case``: what was found."""

from typing import Annotated

import typer
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cases.model import read_case_id
from tutela.cases.reading import find_case, recent_cases
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_table, to_people

app = typer.Typer(help="See the cases that matches have opened.", no_args_is_help=True)


@app.command("ls")
@needs(Permission.CASES_READ)
def list_cases(
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 50,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List the newest cases."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = recent_cases(connection, limit)
    if json:
        for case in found:
            print_json(case.as_fields())
        return
    if not found:
        to_people.print("No cases. That is the good news.")
        return
    table = Table("case", "opened", "state", "matched", "item")
    for case in found:
        lists = ", ".join(sorted({match.list_name for match in case.matches}))
        opened = f"{case.opened_at:%Y-%m-%d %H:%M}"
        table.add_row(case.id, opened, case.state, lists, case.item.name or "-")
    print_table(table)


@app.command("show")
@needs(Permission.CASES_READ)
def show_case(
    case: Annotated[
        str, typer.Argument(metavar="CASE", help="The case's number, such as 7K3M-9QPD-2X4H.")
    ],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Show one case. No picture is ever shown."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = find_case(connection, read_case_id(case))
    if json:
        print_json(found.as_fields())
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in found.as_fields().items():
        if name not in ("matches", "evidence") and value is not None:
            table.add_row(name.replace("_", " "), str(value))
    for each in found.evidence:
        reason = f": {each.reason}" if each.reason else ""
        table.add_row("evidence", f"{each.id}, {each.state}{reason}")
    if not found.evidence:
        table.add_row("evidence", "none: only fingerprints were sent")
    for match in found.matches:
        table.add_row("match", f"{match.list_name}: {match.kind}, distance {match.distance}")
    print_table(table)
