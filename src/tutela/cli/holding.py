"""``tutela evidence event``, ``hold`` and ``release``: what happens to evidence in law."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Connection

from tutela.accounts.permissions import Permission
from tutela.cases.naming_evidence import find_subject
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_json, print_table, to_people
from tutela.cli.subjects import Reason, SubjectName, read_day, read_moment
from tutela.evidence.events import (
    EventId,
    RecordedEvent,
    agree_to_event,
    events_about,
    record_event,
    withdraw_event,
)
from tutela.evidence.holds import Hold, hold, holds_about, release
from tutela.evidence.retention import EventKind, LegalEvent, Period
from tutela.evidence.rules import open_rule_book
from tutela.evidence.standing import Standing, standings_of
from tutela.evidence.subjects import Subject, items_of
from tutela.storage.clock import system_clock
from tutela.storage.settings import Settings

app = typer.Typer()

Reference = Annotated[
    str,
    typer.Option("--reference", metavar="TEXT", help="What the sender calls it: a file number."),
]


class Recordable(StrEnum):
    """What people record. An order to destroy comes with the destruction itself."""

    REPORT_FINISHED = EventKind.REPORT_FINISHED
    PRESERVATION_LETTER = EventKind.PRESERVATION_LETTER
    DESTRUCTION_REQUESTED = EventKind.DESTRUCTION_REQUESTED


@app.command("event")
@needs(Permission.EVIDENCE_KEEP)
def record(
    subject: SubjectName,
    kind: Annotated[Recordable, typer.Argument(help="What happened.")],
    reference: Reference,
    reason: Reason,
    at: Annotated[
        str | None, typer.Option("--at", metavar="DATE", help="When. Default: now.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="A letter's last day.")
    ] = None,
    period: Annotated[
        str | None,
        typer.Option("--for", metavar="PERIOD", help="A letter's period from its date: 90d, 1y."),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Record a finished report, a preservation letter, or a request for destruction."""
    event = LegalEvent(
        kind=EventKind(kind),
        at=read_moment(at, system_clock()),
        reference=reference,
        until=read_day(until),
        period=Period.read(period) if period else None,
    )
    with open_house(data, existing=True) as (settings, database), database.writing() as connection:
        about = find_subject(connection, subject)
        recorded = record_event(
            connection, about, event, local_actor(), system_clock, reason=reason
        )
        standings = _standings(connection, settings, about)
    fields: dict[str, object] = {
        "event": recorded,
        "case": about.case,
        "item": about.item,
        "kind": kind,
    }
    _answer(json, fields, f"Recorded as event {recorded} of {about.words}.", standings)


@app.command("agree-event")
@needs(Permission.EVIDENCE_KEEP)
def agree(
    event: Annotated[int, typer.Argument(metavar="EVENT", min=1, help="The event's number.")],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Agree to a request for destruction that a person recorded, so that it counts."""
    with open_house(data, existing=True) as (settings, database), database.writing() as connection:
        agreed = agree_to_event(connection, EventId(event), local_actor(), (), system_clock)
        standings = _standings(connection, settings, agreed.subject)
    fields: dict[str, object] = {"event": event, "agreed": True}
    _answer(json, fields, f"Event {event} counts from now on.", standings)


@app.command("withdraw-event")
@needs(Permission.EVIDENCE_KEEP)
def withdraw(
    event: Annotated[int, typer.Argument(metavar="EVENT", min=1, help="The event's number.")],
    reason: Reason,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Take back an event that was recorded by mistake, or that its sender took back."""
    with open_house(data, existing=True) as (settings, database), database.writing() as connection:
        taken = withdraw_event(
            connection, EventId(event), local_actor(), system_clock, reason=reason
        )
        standings = _standings(connection, settings, taken.subject)
    fields: dict[str, object] = {"event": event, "withdrawn": True}
    _answer(json, fields, f"Event {event} does not count any more.", standings)


@app.command("events")
@needs(Permission.EVIDENCE_KEEP)
def show_events(subject: SubjectName, json: JsonLines = False, data: DataFolder = None) -> None:
    """List what happened to evidence in law, and its holds."""
    with open_house(data, existing=True) as (_settings, database), database.reading() as connection:
        about = find_subject(connection, subject)
        events, holds = events_about(connection, about), holds_about(connection, about)
    if json:
        for line in (*map(event_fields, events), *map(_hold_fields, holds)):
            print_json(line)
        return
    if not events and not holds:
        to_people.print(f"Nothing happened to {about.words} in law yet.", markup=False)
        return
    table = Table("event", "what", "when", "reference", "about", "state")
    for each in events:
        table.add_row(
            str(each.id),
            each.event.kind,
            f"{each.event.at:%Y-%m-%d}",
            each.event.reference,
            each.subject.item or each.subject.case,
            _state(each),
        )
    for hold_ in holds:
        table.add_row(
            "-",
            "hold",
            f"{hold_.held_at:%Y-%m-%d}",
            hold_.reference,
            hold_.subject.item or hold_.subject.case,
            f"released {hold_.released_at:%Y-%m-%d}" if hold_.released_at else "held",
        )
    print_table(table)


@app.command("hold")
@needs(Permission.EVIDENCE_KEEP)
def hold_evidence(
    subject: SubjectName,
    reference: Reference,
    reason: Reason,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Have evidence kept, whatever its clock says, until this hold is released."""
    with open_house(data, existing=True) as (settings, database), database.writing() as connection:
        about = find_subject(connection, subject)
        hold(connection, about, local_actor(), system_clock, reference=reference, reason=reason)
        standings = _standings(connection, settings, about)
    fields: dict[str, object] = {
        "case": about.case,
        "item": about.item,
        "hold": reference,
        "held": True,
    }
    _answer(json, fields, f'Held by "{reference}": {about.words}.', standings)


@app.command("release")
@needs(Permission.EVIDENCE_KEEP)
def release_evidence(
    subject: SubjectName,
    reference: Reference,
    reason: Reason,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """End a hold. Other holds stay, and the clock goes on as if this one had never been."""
    with open_house(data, existing=True) as (settings, database), database.writing() as connection:
        about = find_subject(connection, subject)
        release(connection, about, local_actor(), system_clock, reference=reference, reason=reason)
        standings = _standings(connection, settings, about)
    fields: dict[str, object] = {
        "case": about.case,
        "item": about.item,
        "hold": reference,
        "held": False,
    }
    _answer(json, fields, f'No longer held by "{reference}": {about.words}.', standings)


def _state(event: RecordedEvent) -> str:
    if event.waits:
        return "waits for another person to agree"
    return "withdrawn" if event.withdrawn_at else "counts"


def _standings(connection: Connection, settings: Settings, about: Subject) -> list[Standing]:
    items = items_of(connection, about)
    return standings_of(connection, open_rule_book(settings), items, system_clock())


def _answer(json: bool, fields: dict[str, object], words: str, standings: list[Standing]) -> None:
    """Say what was done, and when what it concerns is due now."""
    if json:
        print_json(fields | _due_fields(standings))
        return
    to_people.print(words, markup=False)
    _tell_due(standings)


def _due_fields(standings: list[Standing]) -> dict[str, object]:
    now = system_clock()
    return {"evidence": [each.as_fields(now) for each in standings]}


def _tell_due(standings: list[Standing]) -> None:
    for each in standings:
        day = "never due" if each.due.at is None else f"due on {each.due.at:%Y-%m-%d}"
        when = "due now" if each.due.is_due(system_clock()) else day
        to_people.print(f"{each.item}: {when} ({each.due.why})", markup=False, soft_wrap=True)


def event_fields(recorded: RecordedEvent) -> dict[str, object]:
    """An event by names, as programs are given it."""
    event = recorded.event
    return {
        "event": recorded.id,
        "case": recorded.subject.case,
        "item": recorded.subject.item,
        "kind": event.kind,
        "at": event.at.isoformat(),
        "reference": event.reference,
        "until": event.until.isoformat() if event.until else None,
        "for": str(event.period) if event.period else None,
        "reason": recorded.reason,
        "recorded_at": recorded.recorded_at.isoformat(),
        "recorded_by": recorded.recorded_by,
        "counts": recorded.counts,
        "agreed_at": recorded.agreed_at.isoformat() if recorded.agreed_at else None,
        "agreed_by": recorded.agreed_by,
        "withdrawn_at": recorded.withdrawn_at.isoformat() if recorded.withdrawn_at else None,
    }


def _hold_fields(held: Hold) -> dict[str, object]:
    return {
        "hold": held.reference,
        "case": held.subject.case,
        "item": held.subject.item,
        "reason": held.reason,
        "held_at": held.held_at.isoformat(),
        "held_by": held.held_by,
        "released_at": held.released_at.isoformat() if held.released_at else None,
    }
