"""``tutela case take``, ``decide`` and the rest: what people do with cases, on the machine itself.

Whoever runs these is the machine's operator, who counts as one pair of eyes of their own.
"""

from typing import Annotated

import typer
from sqlalchemy import Connection

from tutela.accounts.people import find_named
from tutela.accounts.permissions import Permission
from tutela.cases.alike import alike, confirm_alike
from tutela.cases.assigning import assign
from tutela.cases.closing import close, reopen
from tutela.cases.deciding import Decision, Outcome, decide, settle, undo
from tutela.cases.facts import Fact, said_facts
from tutela.cases.grounds import Basis
from tutela.cases.labelling import label, unlabel
from tutela.cases.marking import mark
from tutela.cases.model import CaseId, read_case_id
from tutela.cases.moving import Hold, HoldLostError, give_back, lock_case, state_of, take
from tutela.cases.noting import note
from tutela.cases.queue import next_case
from tutela.cases.telling import hold_fields, outcome_fields
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_line, to_people
from tutela.cli.subjects import read_moment
from tutela.storage.clock import system_clock

app = typer.Typer()

CaseNumber = Annotated[
    str, typer.Argument(metavar="CASE", help="The case's number, such as 7K3M-9QPD-2X4H.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the ledger.")]
What = Annotated[Decision, typer.Argument(help="What it is.")]
RestsOn = Annotated[Basis, typer.Option("--basis", help="What the decision rests on.")]
_SAYABLE = ", ".join(fact for fact in Fact if not fact.is_derived)


@app.command("next")
@needs(Permission.CASES_REVIEW)
def take_next(json: JsonLines = False, data: DataFolder = None) -> None:
    """Take the case that comes up next, and have it to yourself."""
    with open_house(data) as (settings, database), database.writing() as connection:
        hold = next_case(connection, local_caller(), system_clock, settings)
    if hold is not None:
        _tell_hold(hold, json)
    elif not json:
        to_people.print("Nothing waits. That is the good news.")


@app.command("take")
@needs(Permission.CASES_REVIEW)
def take_case(case: CaseNumber, json: JsonLines = False, data: DataFolder = None) -> None:
    """Have a case to yourself; again, to have it for longer."""
    with open_house(data) as (settings, database), database.writing() as connection:
        hold = take(
            connection,
            read_case_id(case),
            local_caller(),
            system_clock,
            settings.review.hold_minutes,
            undo_seconds=settings.review.undo_seconds,
        )
    _tell_hold(hold, json)


@app.command("give-back")
@needs(Permission.CASES_REVIEW)
def give_case_back(
    case: CaseNumber, reason: Reason = "", json: JsonLines = False, data: DataFolder = None
) -> None:
    """Put a case back to where it was taken from."""
    number = read_case_id(case)
    with open_house(data) as (_settings, database), database.writing() as connection:
        hold = _hold_now(connection, number)
        give_back(connection, number, local_caller(), system_clock, hold, reason=reason)
        _tell_state(connection, number, json)


@app.command("decide")
@needs(Permission.CASES_REVIEW)
def decide_case(
    case: CaseNumber,
    decision: What,
    basis: RestsOn,
    reason: Reason = "",
    ask_second: Annotated[
        bool, typer.Option("--ask-second", help="Have a second person look.")
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Decide on a case that you have taken."""
    number = read_case_id(case)
    with open_house(data) as (settings, database), database.writing() as connection:
        outcome = decide(
            connection,
            number,
            decision,
            local_caller(),
            system_clock,
            settings,
            hold=_hold_now(connection, number),
            basis=basis,
            reason=reason,
            ask_second=ask_second,
        )
    _tell_outcome(number, outcome, json)


@app.command("undo")
@needs(Permission.CASES_REVIEW)
def undo_decision(case: CaseNumber, json: JsonLines = False, data: DataFolder = None) -> None:
    """Take your decision back, within the time that the settings give."""
    number = read_case_id(case)
    with open_house(data) as (settings, database), database.writing() as connection:
        undo(connection, number, local_caller(), system_clock, settings)
        _tell_state(connection, number, json)


@app.command("settle")
@needs(Permission.CASES_LEAD)
def settle_case(
    case: CaseNumber,
    decision: What,
    basis: RestsOn,
    reason: Reason,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Decide what two people did not agree on."""
    number = read_case_id(case)
    with open_house(data) as (settings, database), database.writing() as connection:
        outcome = settle(
            connection,
            number,
            decision,
            local_caller(),
            system_clock,
            settings,
            basis=basis,
            reason=reason,
        )
    _tell_outcome(number, outcome, json)


@app.command("close")
@needs(Permission.CASES_LEAD)
def close_case(
    case: CaseNumber, reason: Reason, json: JsonLines = False, data: DataFolder = None
) -> None:
    """Close a case that is decided, when nothing is left to do."""
    number = read_case_id(case)
    with open_house(data) as (settings, database), database.writing() as connection:
        close(
            connection,
            number,
            local_caller(),
            system_clock,
            reason=reason,
            undo_seconds=settings.review.undo_seconds,
        )
        _tell_state(connection, number, json)


@app.command("reopen")
@needs(Permission.CASES_LEAD)
def reopen_case(
    case: CaseNumber, reason: Reason, json: JsonLines = False, data: DataFolder = None
) -> None:
    """Have a case decided anew."""
    number = read_case_id(case)
    with open_house(data) as (settings, database), database.writing() as connection:
        reopen(
            connection,
            number,
            local_caller(),
            system_clock,
            reason=reason,
            undo_seconds=settings.review.undo_seconds,
        )
        _tell_state(connection, number, json)


@app.command("assign")
@needs(Permission.CASES_LEAD)
def assign_case(
    case: CaseNumber,
    person: Annotated[
        str | None,
        typer.Argument(metavar="PERSON", help="Their number or address. Without: everybody's."),
    ] = None,
    reason: Reason = "",
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Say whose a case is: they are given it first, and nobody else is."""
    number = read_case_id(case)
    with open_house(data) as (_settings, database), database.writing() as connection:
        whose = None if person is None else find_named(connection, person).id
        assign(connection, number, whose, local_caller(), system_clock, reason=reason)
        _tell_state(connection, number, json)


@app.command("label")
@needs(Permission.CASES_REVIEW)
def label_case(
    case: CaseNumber,
    scheme: Annotated[str, typer.Argument(metavar="SCHEME", help="See: tutela case schemes.")],
    code: Annotated[str, typer.Argument(metavar="LABEL", help="The label's code.")],
    item: Annotated[
        int | None, typer.Option(min=1, help="The item. Without: the case as a whole.")
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Label a case, or one of its items."""
    number = read_case_id(case)
    with open_house(data) as (settings, database), database.writing() as connection:
        made = label(
            connection,
            number,
            scheme,
            code,
            local_caller(),
            system_clock,
            settings=settings,
            item=item,
        )
    _tell_made(number, "label", made, json)


@app.command("unlabel")
@needs(Permission.CASES_REVIEW)
def unlabel_case(
    case: CaseNumber,
    label_number: Annotated[int, typer.Argument(metavar="NUMBER", help="The label's number.")],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Take a label away; that it was there stays on record."""
    number = read_case_id(case)
    with open_house(data) as (_settings, database), database.writing() as connection:
        unlabel(connection, number, label_number, local_caller(), system_clock)
        _tell_state(connection, number, json)


@app.command("note")
@needs(Permission.CASES_REVIEW)
def note_on_case(
    case: CaseNumber,
    words: Annotated[str, typer.Argument(metavar="WORDS", help="What to write.")],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Write a note, for those who work with the case."""
    number = read_case_id(case)
    with open_house(data) as (_settings, database), database.writing() as connection:
        made = note(connection, number, words, local_caller(), system_clock)
    _tell_made(number, "note", made, json)


@app.command("mark")
@needs(Permission.CASES_REVIEW)
def mark_case(
    case: CaseNumber,
    fact: Annotated[
        list[str] | None,
        typer.Option(metavar="FACT", help=f"What is known of it: {_SAYABLE}. May be repeated."),
    ] = None,
    due: Annotated[
        str | None, typer.Option(metavar="DATE", help="Until when it has to be decided.")
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Say all that makes a case urgent; what is left out is no longer said."""
    number = read_case_id(case)
    with open_house(data) as (_settings, database), database.writing() as connection:
        said = said_facts(fact or [])
        until = read_moment(due, system_clock()) if due else None
        mark(connection, number, said, until, local_caller(), system_clock)
        _tell_state(connection, number, json)


@app.command("alike")
@needs(Permission.CASES_REVIEW)
def confirm_cases_alike(
    case: CaseNumber,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Confirm them all, and not only list them.")
    ] = False,
    reason: Reason = "",
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List open cases with nothing in them but files that are confirmed in this one."""
    number = read_case_id(case)
    with open_house(data) as (settings, database), database.writing() as connection:
        found = alike(connection, number, system_clock, settings)
        left: tuple[CaseId, ...] = ()
        if confirm and found:
            done = confirm_alike(
                connection,
                number,
                found,
                local_caller(),
                system_clock,
                settings,
                reason=reason,
            )
            found, left = list(done.decided), done.left
    if json:
        print_json({"case": number, "confirmed" if confirm else "alike": found, "left": left})
        return
    for each in found:
        print_line(each)
    what = "confirmed" if confirm else "alike"
    to_people.print(f"{len(found)} {what}" + (f", {len(left)} left alone" if left else ""))


def _hold_now(connection: Connection, case: CaseId) -> int:
    """The number of the hold that the operator has."""
    row = lock_case(connection, case)
    if row.held_until is None or row.held_by is not None:
        raise HoldLostError(f"you do not have {case}: take it with tutela case take {case}")
    return int(row.hold)


def _tell_hold(hold: Hold, json: bool) -> None:
    if json:
        print_json(hold_fields(hold))
        return
    print_line(hold.case)
    to_people.print(f"It is yours until {hold.until:%H:%M} UTC.")


def _tell_outcome(case: CaseId, outcome: Outcome, json: bool) -> None:
    if json:
        print_json(outcome_fields(case, outcome))
        return
    to_people.print(
        f"{case} is {outcome.state.words}. You can undo it until "
        f"{outcome.undo_until:%H:%M:%S} UTC; nobody outside is told before."
    )


def _tell_state(connection: Connection, case: CaseId, json: bool) -> None:
    state = state_of(connection, case)
    if json:
        print_json({"case": case, "state": state})
        return
    to_people.print(f"{case} is {state.words}.")


def _tell_made(case: CaseId, what: str, number: int, json: bool) -> None:
    if json:
        print_json({"case": case, what: number})
        return
    to_people.print(f"{what} {number} of {case} is written.")
