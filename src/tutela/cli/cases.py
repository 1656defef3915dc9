"""``tutela case``: what there is to decide on. What people do with cases is in ``case_work``."""

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tutela.accounts.model import PersonId
from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import Permission
from tutela.cases.grounds import undoable_since
from tutela.cases.listing import listed
from tutela.cases.model import Match, read_case_id
from tutela.cases.queue import Queued
from tutela.cases.reading import WholeCase, WholeItem, enter_read, read_case
from tutela.cases.schemes import all_schemes
from tutela.cases.searching import By, enter_search, search
from tutela.cases.states import State
from tutela.cases.telling import queued_fields, whole_fields
from tutela.cases.waiting import why
from tutela.cli import appeals, case_opening, case_work
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_table, to_people
from tutela.storage.clock import system_clock

app = typer.Typer(help="See cases, open them, and decide on them.", no_args_is_help=True)
app.add_typer(appeals.app, name="appeal")
Names = Mapping[PersonId, str]
CaseNumber = Annotated[
    str, typer.Argument(metavar="CASE", help="The case's number, such as 7K3M-9QPD-2X4H.")
]


@app.command("ls")
@needs(Permission.CASES_READ)
def list_cases(
    state: Annotated[
        State | None, typer.Option(help="Only those that stand so, in the order of the queue.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only those about this account.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List cases, the newest first."""
    with open_house(data) as (_settings, database):
        with database.reading() as connection:
            found = listed(connection, state=state, subject=subject, limit=limit)
            names = names_of_people(connection)
        if subject is not None:
            with database.writing() as connection:
                enter_search(connection, By.SUBJECT, bool(found), local_caller(), system_clock)
    if json:
        for row in found:
            print_json(queued_fields(row, system_clock(), details=True))
        return
    if not found:
        to_people.print("No cases. That is the good news.")
        return
    table = Table("case", "opened", "state", "items", "why there", "held by")
    for row in found:
        reasons = why(row.facts, row.opened_at, row.due_at, system_clock())
        table.add_row(
            row.case,
            f"{row.opened_at:%Y-%m-%d %H:%M}",
            row.state.words,
            f"{row.items} {row.kind}",
            reasons[0].words,
            escape(_holder(row, names)),
        )
    print_table(table)


@app.command("show")
@needs(Permission.CASES_READ)
def show_case(case: CaseNumber, json: JsonLines = False, data: DataFolder = None) -> None:
    """Show one case. No picture is ever shown."""
    with open_house(data) as (settings, database), database.writing() as connection:
        undo_since = undoable_since(system_clock, settings.review)
        found = read_case(connection, read_case_id(case), local_caller(), undo_since)
        names = names_of_people(connection)
        enter_read(connection, found.id, local_caller(), system_clock)
    if json:
        print_json(whole_fields(found, system_clock(), details=True))
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in _lines(found, names):
        table.add_row(name, escape(value))
    for item in found.items:
        for name, value in _item_lines(item):
            table.add_row(name, escape(value))
    print_table(table)


@app.command("find")
@needs(Permission.CASES_READ)
def find_cases(
    text: Annotated[
        str,
        typer.Argument(help="A case number, a subject, a reference, or a whole fingerprint."),
    ],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Find cases by one line of text. Lists are not searched."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        found = search(connection, text, local_caller(), system_clock)
    if json:
        for each in found:
            opened = each.opened_at.isoformat()
            print_json({"case": each.case, "state": each.state, "opened_at": opened, "by": each.by})
        return
    if not found:
        to_people.print("Nothing was found: look whether it is whole and without a slip.")
        return
    table = Table("case", "opened", "state", "found by")
    for each in found:
        table.add_row(each.case, f"{each.opened_at:%Y-%m-%d %H:%M}", each.state.words, each.by)
    print_table(table)


@app.command("schemes")
@needs(Permission.CASES_READ)
def list_schemes(json: JsonLines = False, data: DataFolder = None) -> None:
    """List the schemes that labels are taken from."""
    with open_house(data) as (settings, _database):
        schemes = all_schemes(settings)
    if json:
        for scheme in schemes:
            print_json(
                {
                    "scheme": scheme.id,
                    "version": scheme.version,
                    "title": scheme.title,
                    "verified": scheme.verified,
                    "origin": scheme.origin,
                    "labels": [each.code for each in scheme.labels],
                }
            )
        return
    table = Table("scheme", "version", "verified", "label", "says")
    for scheme in schemes:
        for each in scheme.labels:
            verified = "yes" if scheme.verified else "no"
            table.add_row(scheme.id, scheme.version, verified, each.code, escape(each.words))
    print_table(table)


def _holder(row: Queued | WholeCase, names: Names) -> str:
    if row.held_until is None:
        return "-"
    who = "the operator" if row.held_by is None else names.get(row.held_by, str(row.held_by))
    return f"{who} until {row.held_until:%H:%M}"


def _lines(case: WholeCase, names: Names) -> list[tuple[str, str]]:
    lines = [
        ("case", str(case.id)),
        ("state", case.state.words),
        ("opened at", case.opened_at.isoformat()),
        ("subject", case.subject or "-"),
        ("held by", _holder(case, names)),
    ]
    if case.assigned_to is not None:
        lines.append(("assigned to", names.get(case.assigned_to, str(case.assigned_to))))
    now = system_clock()
    lines += [
        ("why there", each.words) for each in why(case.facts, case.opened_at, case.due_at, now)
    ]
    lines += [
        (f"label {each.id}", f"{each.scheme} {each.version}: {each.label}") for each in case.labels
    ]
    lines += [
        ("decision", f"{each.stage}: {each.decision}, {each.basis}, by {each.decided_by}")
        for each in case.decisions
        if each.undone_at is None
    ]
    if case.blind:
        lines.append(("decision", "kept back until a second person has decided"))
    lines += [("note", f"{each.written_by}: {each.words}") for each in case.notes]
    lines += [("same subject", f"{each.case}, {each.state.words}") for each in case.earlier]
    return lines


def _item_lines(item: WholeItem) -> list[tuple[str, str]]:
    lines = [(f"item {item.id}", f"{item.kind} {item.item.name}".rstrip())]
    lines += [("  origin", item.item.origin)]
    if item.reference is not None:
        lines.append(("  reference", item.reference))
    texts = item.item.fingerprints.as_texts()
    lines += [(f"  {name}", str(value)) for name, value in texts.items() if value is not None]
    if item.evidence is None:
        lines.append(("  evidence", "none: only fingerprints were sent"))
    else:
        reason = f": {item.evidence.reason}" if item.evidence.reason else ""
        lines.append(("  evidence", f"{item.evidence.id}, {item.evidence.state}{reason}"))
    lines += [("  match", _match_words(match)) for match in item.matches]
    lines += [("  same file", f"{each.case}, {each.state.words}") for each in item.elsewhere]
    return lines


def _match_words(match: Match) -> str:
    words = f"{match.list_name}: {match.kind}, distance {match.distance}"
    if match.place:
        words += f", in {match.place}"
    if match.query_percent is not None:
        shares = f"{match.query_percent} % of it and {match.compared_percent} %"
        words += f", {shares} of the listed video"
    return words


app.add_typer(case_work.app)
app.add_typer(case_opening.app)
