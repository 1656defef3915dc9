"""``tutela report channels``, ``go-live``, ``resume``, ``receipt``: the ways to authorities."""

from typing import Annotated

import typer
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_line, print_table, to_people
from tutela.reporting.delivery.backlog import backlog
from tutela.reporting.delivery.going_live import NCMEC, PHRASE, go_live, resume
from tutela.reporting.delivery.receipts import receipt_of
from tutela.reporting.model import ChannelKind, ReportId
from tutela.storage.clock import system_clock

Authority = Annotated[
    str, typer.Option("--authority", metavar="ID", help="The authority's id in the directory.")
]
Way = Annotated[ChannelKind, typer.Option("--channel", help="By which way.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``tutela report``."""
    app.command("channels")(list_channels)
    app.command("go-live")(confirm_live)
    app.command("resume")(resume_channel)
    app.command("receipt")(show_receipt)


@needs(Permission.REPORTS_READ)
def list_channels(json: JsonLines = False, data: DataFolder = None) -> None:
    """Say how each way to an authority is, and how much waits."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = backlog(connection, system_clock())
    if json:
        print_json(found.as_fields())
        return
    to_people.print(f"{found.words}.", markup=False, soft_wrap=True)
    if found.channels:
        table = Table("authority", "channel", "stands", "live since")
        for each in found.channels:
            live = f"{each.live_at:%Y-%m-%d %H:%M}" if each.live_at else ""
            table.add_row(each.authority, each.channel, each.words, live)
        print_table(table)


@needs(Permission.REPORTS_APPROVE)
def confirm_live(
    typed: Annotated[
        str | None,
        typer.Option("--confirm", metavar="TEXT", help="The phrase; else it is asked for."),
    ] = None,
    although_rehearsed: Annotated[
        bool,
        typer.Option(
            "--although-rehearsed",
            help="The cases that were only rehearsed have been seen to.",
        ),
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Confirm, once, that reports go to the CyberTipline itself."""
    if typed is None:
        to_people.print(
            "From now on, reports go to the CyberTipline itself: police act on them, and nothing "
            "of them can be taken back.",
            soft_wrap=True,
        )
        typed = typer.prompt(f'Type "{PHRASE}" if that is meant', err=True)
    with (
        open_house(data, existing=True) as (settings, database),
        database.writing() as connection,
    ):
        state = go_live(
            connection,
            settings,
            NCMEC,
            local_caller(),
            system_clock,
            typed=typed,
            although_rehearsed=although_rehearsed,
        )
    if json:
        print_json(state.as_fields())
    else:
        print_line(f"Reports to {state.authority} are live.")


@needs(Permission.JOBS_WRITE)
def resume_channel(
    authority: Authority = NCMEC,
    channel: Way = ChannelKind.CYBERTIPLINE,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Go on sending, such as after the user and the password were put right."""
    with (
        open_house(data, existing=True) as (_settings, database),
        database.writing() as connection,
    ):
        state = resume(connection, channel, authority, local_caller(), system_clock)
    if json:
        print_json(state.as_fields())
    else:
        print_line(f"All that waits for {authority} is tried now.")


@needs(Permission.REPORTS_READ)
def show_receipt(
    report: Annotated[int, typer.Argument(metavar="REPORT", help="The report's number.", min=1)],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Show what the authority answered: its numbers, and the hashes of what was sent."""
    with (
        open_house(data, existing=True) as (_settings, database),
        database.reading() as connection,
    ):
        receipt = receipt_of(connection, ReportId(report))
    if json:
        print_json(receipt.as_fields())
        return
    print_line(f"Report {report} is {receipt.remote_id} there ({receipt.environment})")
    print_line(f"since {receipt.sent_at:%Y-%m-%d %H:%M:%S} UTC, at attempt {receipt.attempts}")
    print_line(f"SHA-256 of the report  {receipt.document_sha256.hex()}")
    for item, remote in receipt.files.items():
        print_line(f"{item}  {remote.id}  MD5 {remote.md5.hex()}")
    print_line(f"Exactly what was sent: tutela evidence show {receipt.evidence}")
