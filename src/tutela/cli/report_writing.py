"""``tutela report``: writing reports to authorities, signing them, and having them sent."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cases.model import read_case_id
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_line, print_table, to_people
from tutela.errors import InvalidInputError
from tutela.evidence.vault import Vault
from tutela.reporting.cybertipline.problems import problems_of_model
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.beginning import (
    begin_report,
    begin_reports,
    correct_report,
    refill_case,
    refill_report,
    why_not_begun,
)
from tutela.reporting.drafts.previewing import preview_report
from tutela.reporting.drafts.reading import Written, enter_read, read_as
from tutela.reporting.drafts.supplied import Supplied
from tutela.reporting.drafts.supplying import ask_for, supply
from tutela.reporting.drafts.writing import change_report, read_value, remove_file
from tutela.reporting.finding import find_report, find_reports
from tutela.reporting.model import Report, ReportId
from tutela.reporting.signing.queueing_signed import needs_approval
from tutela.reporting.signing.signing import (
    approve_report,
    discard_report,
    return_report,
    send_report,
    sign_report,
)
from tutela.reporting.states import State
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings

app = typer.Typer()

CaseNumber = Annotated[
    str, typer.Argument(metavar="CASE", help="The case's number, such as 7K3M-9QPD-2X4H.")
]
Number = Annotated[int, typer.Argument(metavar="REPORT", help="The report's number.", min=1)]
Seal = Annotated[
    str | None,
    typer.Option(
        "--seal",
        metavar="SEAL",
        help="Of what you read, as show --json and preview --json give it: nothing else is signed.",
    ),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the ledger.")]


@app.command("draft")
@needs(Permission.REPORTS_WRITE)
def draft(
    case: CaseNumber,
    authority: Annotated[
        str | None,
        typer.Option("--to", metavar="AUTHORITY", help="Only to this one, such as us-ncmec."),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Begin to report a confirmed case, to whoever has to be told. Drafts fill themselves."""
    number, caller = read_case_id(case), local_caller()
    with open_house(data) as (settings, database):
        desk = _desk(settings, database)
        if authority is not None:
            begun = [begin_report(desk, number, authority, caller)]
        else:
            begun = begin_reports(desk, number, caller)
        why = () if begun else why_not_begun(desk, number)
        with database.reading() as connection:
            there = find_reports(connection, case=number)
    if json:
        for report in begun:
            print_json({"report": report, "case": number})
        return
    # One that was begun by itself after the decision is there already: its number is needed too.
    for found in there:
        also = "" if found.id in begun else ", and was there already"
        to_people.print(
            f"Report {found.id} of {number} is {found.state.words}{also}: tutela report show "
            f"{found.id}",
            soft_wrap=True,
        )
    if not there:
        to_people.print("No new draft. Whom the directory knows of, and why:")
        for each in why:
            name = each.authority or each.duty
            to_people.print(f"  {name}: {each.outcome}: {each.words}", markup=False, soft_wrap=True)


@app.command("ls")
@needs(Permission.REPORTS_READ)
def list_reports(
    case: Annotated[
        str | None, typer.Option("--case", metavar="CASE", help="Only those of this case.")
    ] = None,
    authority: Annotated[
        str | None, typer.Option("--to", metavar="AUTHORITY", help="Only those to this one.")
    ] = None,
    state: Annotated[
        State | None, typer.Option("--state", help="Only those that stand here.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 50,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List the reports, without what they say."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = find_reports(
            connection,
            case=None if case is None else read_case_id(case),
            authority=authority,
            state=state,
            limit=limit,
        )
    if json:
        for report in found:
            print_json(report.as_fields())
        return
    if not found:
        to_people.print("No reports.")
        return
    table = Table("report", "case", "to", "state", "begun", "number there")
    for report in found:
        table.add_row(
            str(report.id),
            report.case,
            report.authority,
            report.state.words,
            f"{report.made_at:%Y-%m-%d %H:%M}",
            report.remote_id or "",
        )
    print_table(table)


@app.command("show")
@needs(Permission.REPORTS_READ)
def show(report: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Show all that a report says, what is missing and what is wrong with it."""
    with open_house(data) as (settings, database):
        written = read_as(_desk(settings, database), ReportId(report), local_caller())
    if json:
        print_json(written.as_fields())
    else:
        _print(written)


@app.command("set")
@needs(Permission.REPORTS_WRITE)
def set_fields(
    report: Number,
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="FIELD=VALUE...",
            help="Such as incident_summary.incident_type=enticement, or victims.0.person.age=13, "
            "or files.17.publicly_available=true; FIELD= takes it out.",
        ),
    ],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Write in a draft. A value is JSON, or else text."""
    values = {}
    for change in changes:
        field, given, value = change.partition("=")
        if not given or not field:
            raise InvalidInputError(f'"{change}" is no change: write it as FIELD=VALUE')
        values[field] = read_value(value) if value else None
    with open_house(data) as (settings, database):
        desk = _desk(settings, database)
        change_report(desk, ReportId(report), values, local_caller())
        written = read_as(desk, ReportId(report), local_caller())
    _tell(written, json)


@app.command("drop-file")
@needs(Permission.REPORTS_WRITE)
def drop_file(
    report: Number,
    item: Annotated[int, typer.Argument(metavar="ITEM", help="The item of the case.")],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Take a file out of a draft. It stays in the case and in the vault."""
    with open_house(data) as (settings, database):
        desk = _desk(settings, database)
        remove_file(desk, ReportId(report), item, local_caller())
        written = read_as(desk, ReportId(report), local_caller())
    _tell(written, json)


@app.command("refill")
@needs(Permission.REPORTS_WRITE)
def refill(report: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Bring a draft up to date with what is known now. What a person wrote in it stays."""
    with open_house(data) as (settings, database):
        desk = _desk(settings, database)
        refill_report(desk, ReportId(report), local_caller())
        written = read_as(desk, ReportId(report), local_caller())
    _tell(written, json)


@app.command("preview")
@needs(Permission.REPORTS_READ)
def preview(report: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Print exactly what would be sent."""
    with open_house(data) as (settings, database):
        shown = preview_report(_desk(settings, database), ReportId(report), local_caller())
        with database.writing() as connection:
            enter_read(connection, shown.report, shown.draft, local_caller(), system_clock)
    if json:
        print_json(shown.as_fields())
        return
    for document in shown.documents:
        to_people.print(f"{document.name}:", markup=False)
        print_line(document.text)
    for problem in shown.problems:
        to_people.print(f"cannot be sent yet: {problem}", markup=False)


@app.command("sign")
@needs(Permission.REPORTS_WRITE)
def sign(
    report: Number, seal: Seal = None, json: JsonLines = False, data: DataFolder = None
) -> None:
    """Stand for a draft, word by word. It goes from here, unless somebody has to agree."""
    with open_house(data) as (settings, database):
        desk = _desk(settings, database)
        sign_report(desk, ReportId(report), local_caller(), seal=seal)
        found = _found(database, report)
        with database.reading() as connection:
            waits = needs_approval(connection, found.case, settings)
    _tell_state(found, json)
    if not json:
        if waits:
            to_people.print("A second person has to agree to it.")
        else:
            to_people.print(
                "It goes by itself once the decision can no longer be undone: tutela report ls",
                soft_wrap=True,
            )


@app.command("approve")
@needs(Permission.REPORTS_APPROVE)
def approve(
    report: Number, seal: Seal = None, json: JsonLines = False, data: DataFolder = None
) -> None:
    """Agree that a report is sent that another person signed."""
    with open_house(data) as (settings, database):
        desk = _desk(settings, database)
        approve_report(desk, ReportId(report), local_caller(), seal=seal)
        found = _found(database, report)
    _tell_state(found, json)


@app.command("send")
@needs(Permission.REPORTS_WRITE)
def send(report: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Have a signed report sent now, where that could not be done by itself."""
    with open_house(data) as (settings, database):
        send_report(_desk(settings, database), ReportId(report), local_caller())
        found = _found(database, report)
    _tell_state(found, json)


@app.command("return")
@needs(Permission.REPORTS_WRITE)
def return_(
    report: Number, reason: Reason = "", json: JsonLines = False, data: DataFolder = None
) -> None:
    """Have a report written on that is signed, agreed to or stopped."""
    with open_house(data) as (settings, database):
        return_report(_desk(settings, database), ReportId(report), local_caller(), reason=reason)
        found = _found(database, report)
    _tell_state(found, json)


@app.command("discard")
@needs(Permission.REPORTS_WRITE)
def discard(
    report: Number,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why. Needed.")],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Say that a report is never to be sent. What it says is erased."""
    with open_house(data) as (settings, database):
        discard_report(_desk(settings, database), ReportId(report), local_caller(), reason=reason)
        found = _found(database, report)
    _tell_state(found, json)


@app.command("correct")
@needs(Permission.REPORTS_WRITE)
def correct(report: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Begin a new report that corrects or adds to one that was sent, and names it."""
    with open_house(data) as (settings, database):
        begun = correct_report(_desk(settings, database), ReportId(report), local_caller())
        found = _found(database, begun)
    _tell_state(found, json)


@app.command("ask")
@needs(Permission.REPORTS_WRITE)
def ask(case: CaseNumber, data: DataFolder = None) -> None:
    """Ask the platform for what it knows of those whom a case concerns (event subject.wanted)."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        ask_for(connection, read_case_id(case), local_caller(), system_clock)
    to_people.print(f"Whoever listens for subject.wanted is told of {case}.")


@app.command("supply")
@needs(Permission.SUBJECTS_WRITE)
def supply_file(
    case: CaseNumber,
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="Whom the case is about, as it says.")
    ],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON, as for POST /v1/subjects/SUBJECT/data.")
    ],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Supply what the platform knows of those whom a case concerns."""
    number, caller = read_case_id(case), local_caller()
    with open_house(data) as (settings, database):
        desk = _desk(settings, database)
        with database.writing() as connection:
            supply(
                connection,
                desk.secrets,
                subject,
                number,
                _supplied(file),
                caller=caller,
                clock=system_clock,
            )
        changed = refill_case(desk, number, caller)
    if json:
        print_json({"case": number, "drafts": changed})
    else:
        to_people.print(f"Taken for {number}; drafts brought up to date: {len(changed)}.")


def _supplied(file: Path) -> Supplied:
    try:
        return Supplied.model_validate_json(file.read_bytes())
    except OSError as error:
        raise InvalidInputError(f"{file}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = problems_of_model(error, "supplied", Supplied)[0]
        raise InvalidInputError(f"{file}: {first.field or first.path}: {first.words}") from None


def _desk(settings: Settings, database: Database) -> Desk:
    return Desk(settings, database, Vault.over(settings, database, system_clock), system_clock)


def _found(database: Database, report: int) -> Report:
    with database.reading() as connection:
        return find_report(connection, ReportId(report))


def _tell(written: Written, json: bool) -> None:
    if json:
        print_json(written.as_fields())
        return
    required = sum(each.required for each in written.missing)
    if required:
        left = f"It still needs {required} of its fields."
    else:
        left = "It cannot be signed yet." if written.problems else "It can be signed."
    to_people.print(f"Report {written.report.id} is written. {left}")


def _tell_state(report: Report, json: bool) -> None:
    if json:
        print_json(report.as_fields())
    else:
        to_people.print(f"Report {report.id} of {report.case} is {report.state.words}.")


def _print(written: Written) -> None:
    report = written.report
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in report.as_fields().items():
        if value is not None:
            table.add_row(name, escape(str(value)))
    if written.draft is not None:
        for field, value in _leaves("", dict(written.draft.values)):
            table.add_row(field, escape(str(value)))
        for file in written.draft.files:
            for field, value in _leaves(f"files.{file.item}.", dict(file.values)):
                table.add_row(field, escape(str(value)))
    print_table(table)
    for missing in written.missing:
        mark = "needed" if missing.required else "missing"
        field = _as_set_takes_it(missing.field, written)
        to_people.print(f"{mark}: {field}: {missing.words}", markup=False, soft_wrap=True)
    for problem in written.problems:
        to_people.print(f"cannot be sent yet: {problem}", markup=False)


def _as_set_takes_it(field: str, written: Written) -> str:
    """A field of a file by its item in place of its place among the files."""
    part, _, rest = field.partition(".")
    place, _, name = rest.partition(".")
    if part != "files" or written.draft is None or not place.isdigit():
        return field
    return f"files.{written.draft.files[int(place)].item}.{name}"


def _leaves(before: str, value: object) -> list[tuple[str, object]]:
    """Each value with its field, as ``set`` takes it."""
    if isinstance(value, dict):
        return [leaf for name, each in value.items() for leaf in _leaves(f"{before}{name}.", each)]
    if isinstance(value, list):
        return [
            leaf for place, each in enumerate(value) for leaf in _leaves(f"{before}{place}.", each)
        ]
    return [(before.rstrip("."), value)]
