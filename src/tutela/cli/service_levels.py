"""``tutela report service-levels``: how long authorities wait for reports."""

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_table, to_people
from tutela.reporting.following.levels import Level, Waits, read_levels
from tutela.storage.clock import system_clock

app = typer.Typer()


@app.command("service-levels")
@needs(Permission.NUMBERS_READ)
def service_levels(
    days: Annotated[
        int, typer.Option("--days", min=1, max=366, help="How many days, with today.")
    ] = 30,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Show how long each authority waits for reports, and what waits now."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        levels = read_levels(connection, days, system_clock)
    if json:
        for level in levels.authorities:
            print_json(_fields(level))
        for each in levels.waiting:
            print_json(
                {
                    "authority": each.authority,
                    "waiting": each.count,
                    "oldest_at": each.oldest_at.isoformat(),
                }
            )
        return
    if levels.counted_at is None:
        to_people.print("Nothing is counted yet: the workers of the house do so.")
        return
    table = Table("authority", "", "sent", "opened to sent", "slow", "confirmed to sent", "slow")
    for level in levels.authorities:
        opened, confirmed = level.from_opened, level.from_confirmed
        table.add_row(
            level.authority,
            level.environment,
            f"{level.sent:,}",
            *(_span(each) for each in (opened.median, opened.slow)),
            *(_span(each) for each in (confirmed.median, confirmed.slow)),
        )
    print_table(table)
    for each in levels.waiting:
        whom = f"to {each.authority}" if each.authority else "to nobody yet"
        to_people.print(
            f"{each.count:,} cases wait to be reported {whom}, the oldest for "
            f"{_since(each.oldest_at)}."
        )


def _fields(level: Level) -> dict[str, object]:
    return {
        "authority": level.authority,
        "environment": level.environment,
        "sent": level.sent,
        "from_opened": _both(level.from_opened),
        "from_confirmed": _both(level.from_confirmed),
    }


def _both(waits: Waits) -> dict[str, int | None]:
    return {"median": waits.median, "slow": waits.slow}


def _since(moment: datetime) -> str:
    return _span(max(0, int((system_clock() - moment).total_seconds())))


def _span(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds} seconds"
