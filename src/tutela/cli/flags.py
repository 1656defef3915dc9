"""``tutela list flags`` and ``tutela list settle``: entries in doubt."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_json, print_table, to_people
from tutela.hashlists.flagging import FlagId, FlagOutcome, open_flags, settle_flag
from tutela.storage.clock import system_clock


@needs(Permission.LISTS_READ)
def list_flags(
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the oldest first.")] = 50,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List the entries that a case has put in doubt. They themselves are not shown."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = open_flags(connection, limit=limit)
    if json:
        for flag in found:
            print_json(flag.as_fields())
        return
    if not found:
        to_people.print("No entry is in doubt.")
        return
    table = Table("flag", "list", "kind", "label", "case", "since")
    for flag in found:
        table.add_row(
            str(flag.id),
            escape(flag.list_name),
            flag.kind,
            escape(flag.label or "-"),
            flag.case,
            f"{flag.raised_at:%Y-%m-%d}",
        )
    print_table(table)


@needs(Permission.LISTS_WRITE)
def settle(
    flag: Annotated[int, typer.Argument(metavar="FLAG", help="The flag's number.", min=1)],
    outcome: Annotated[
        FlagOutcome,
        typer.Argument(metavar="OUTCOME", help="withdrawn (it matches no more) or kept."),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Withdraw an entry in doubt, or keep it."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        settle_flag(connection, FlagId(flag), outcome, local_actor(), system_clock, reason=reason)
    if json:
        print_json({"flag": flag, "outcome": outcome})
    else:
        to_people.print(f"Flag {flag} is settled: {outcome}.")
