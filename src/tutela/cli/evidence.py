"""``tutela evidence``: what is sealed in the vault. No command writes it out in the clear."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Connection

from tutela.accounts.permissions import Permission
from tutela.cases.model import read_case_id
from tutela.cases.reading import find_case
from tutela.cli import disclosing, holding, retention
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_error, print_json, print_line, print_table, to_people
from tutela.errors import InvalidInputError
from tutela.evidence.events import events_about
from tutela.evidence.holds import holds_about
from tutela.evidence.model import Evidence, read_item_id
from tutela.evidence.reading import find_evidence, recent_evidence
from tutela.evidence.rotating import rotate_key
from tutela.evidence.rules import open_rule_book
from tutela.evidence.standing import standings_of
from tutela.evidence.subjects import Subject
from tutela.evidence.tombstones import tombstone_of
from tutela.evidence.vault import Vault
from tutela.evidence.verifying import verify, verify_all
from tutela.storage.clock import system_clock

app = typer.Typer(
    help="See and verify the sealed evidence, and change its key.", no_args_is_help=True
)
app.add_typer(retention.app)
app.add_typer(holding.app)
app.add_typer(disclosing.app)

Item = Annotated[str, typer.Argument(metavar="ITEM", help="The evidence's id.")]


@app.command("ls")
@needs(Permission.EVIDENCE_KEEP)
def list_evidence(
    case: Annotated[
        str | None, typer.Option("--case", metavar="CASE", help="Only of this case.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 50,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List the newest evidence. Nothing of its content is shown."""
    with open_house(data, existing=True) as (_settings, database), database.reading() as connection:
        if case is None:
            found = recent_evidence(connection, limit)
        else:
            found = list(find_case(connection, read_case_id(case)).evidence)[:limit]
    if json:
        for each in found:
            print_json(each.as_fields())
        return
    if not found:
        to_people.print("No evidence: nothing with content has matched.")
        return
    table = Table("item", "case", "state", "sealed", "bytes")
    for each in found:
        sealed = f"{each.sealed_at:%Y-%m-%d %H:%M}"
        table.add_row(each.id, each.case, each.state, sealed, _bytes(each))
    print_table(table)


@app.command("show")
@needs(Permission.EVIDENCE_KEEP)
def show_evidence(item: Item, json: JsonLines = False, data: DataFolder = None) -> None:
    """Show what is known of a piece of evidence, and when it is due, and why.

    Nothing of its content is shown.
    """
    now = system_clock()
    with open_house(data, existing=True) as (settings, database), database.reading() as connection:
        found = find_evidence(connection, read_item_id(item))
        about = Subject(found.case, found.id)
        standings = standings_of(connection, open_rule_book(settings), [found.id], now)
        events = events_about(connection, about)
        holds = [each for each in holds_about(connection, about) if each.released_at is None]
        tombstone = tombstone_of(connection, found.id)
    standing = standings[0] if standings else None
    if json:
        legal = {"events": [holding.event_fields(each) for each in events]}
        buried = {"tombstone": tombstone.as_fields() if tombstone else None}
        kept = standing.as_fields(now) if standing else {"holds": [one.reference for one in holds]}
        print_json(found.as_fields() | kept | legal | buried)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in found.as_fields().items():
        if value is not None:
            table.add_row(name.replace("_", " "), escape(str(value)))
    if standing is not None:
        day = "never" if standing.due.at is None else f"{standing.due.at:%Y-%m-%d}"
        table.add_row("rule", standing.rule or "none")
        table.add_row("due", "now" if standing.due.is_due(now) else day)
        table.add_row("why", escape(standing.due.why))
    for hold in holds:
        words = f"{hold.reference}, since {hold.held_at:%Y-%m-%d}: {hold.reason}"
        table.add_row("held by", escape(words))
    for each in events:
        words = f"{each.id}: {each.event.kind} of {each.event.at:%Y-%m-%d}, {each.event.reference}"
        table.add_row("event", escape(words + (" (withdrawn)" if each.withdrawn_at else "")))
    if tombstone is not None:
        words = f"destroyed {tombstone.destroyed_at:%Y-%m-%d %H:%M}" + (
            f", ordered by {tombstone.ordered_by}" if tombstone.ordered_by else ""
        )
        entries = f"; entries {tombstone.begun_entry} and {tombstone.destroyed_entry} of the ledger"
        table.add_row("tombstone", escape(words + entries))
    print_table(table)


@app.command("verify")
@needs(Permission.EVIDENCE_KEEP)
def verify_evidence(
    items: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ITEM|CASE...]",
            help="Which evidence; without any, all of it, and whether the ledger knows of it all.",
        ),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> int:
    """Read evidence and see that each bit is as it was sealed. Exit code 1 if any is not."""
    sound = damaged = 0
    with open_house(data, existing=True) as (settings, database):
        vault = Vault.over(settings, database, system_clock)
        if items:
            with database.reading() as connection:
                chosen = [one for each in items for one in _named(connection, each)]
            verified = verify(vault, chosen, local_actor())
        else:
            verified = verify_all(vault, local_actor())
        for each in verified:
            if each.problem is None:
                sound += 1
            else:
                damaged += 1
                print_error(each.problem)
            if json:
                print_json(each.as_fields())
    if not json:
        print_line(f"{sound} sound, {damaged} damaged.")
    return 1 if damaged else 0


@app.command("rotate-key")
@needs(Permission.HOUSE_KEEP)
def rotate(json: JsonLines = False, data: DataFolder = None) -> None:
    """Have a new key wrap all evidence, and retire the old one. Blobs are not touched.

    With a key file a key is added to it. With AWS KMS, first name the new key in vault_key.
    Whatever stops it, run it again: it goes on where it was.
    """
    with open_house(data, existing=True) as (settings, database):
        vault = Vault.over(settings, database, system_clock)
        with to_people.status("Wrapping ...") as status:
            done = rotate_key(
                vault, local_actor(), lambda count: status.update(f"Wrapping ... {count}")
            )
    if json:
        print_json({"key": done.key, "rewrapped": done.rewrapped, "retired": list(done.retired)})
        return
    to_people.print(
        f"{done.key} wraps all evidence now; {done.rewrapped} wrapped anew, "
        f"{len(done.retired)} keys retired.",
        markup=False,
    )
    if vault.keyring.wraps_by_file:
        to_people.print(
            f"Keep a copy of {vault.keyring.file.path} in another place, beside the older ones: "
            "backups made before now need those.",
            markup=False,
            soft_wrap=True,
        )


def _named(connection: Connection, name: str) -> list[Evidence]:
    try:
        case = read_case_id(name)
    except InvalidInputError:
        return [find_evidence(connection, read_item_id(name))]
    return list(find_case(connection, case).evidence)


def _bytes(evidence: Evidence) -> str:
    return "-" if evidence.size is None else f"{evidence.size:,}"
