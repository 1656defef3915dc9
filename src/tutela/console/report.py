"""``/reports/NUMBER``: one report, as it is written, beside exactly what will be sent."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from tutela.accounts.keys import ids_of
from tutela.accounts.people import names_of_people
from tutela.accounts.permissions import Permission
from tutela.cases.moving import state_of
from tutela.console.frame import page_router, show
from tutela.console.house import Here, House, Number
from tutela.console.report_form import Group, Wish, elements_in, form_of
from tutela.console.visiting import Visitor, visitor
from tutela.errors import NotFoundError, TutelaError
from tutela.ledger.model import Act, Entry
from tutela.ledger.reading import newest_entries, words_of
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.cybertipline.model import FileDescription
from tutela.reporting.cybertipline.model import Report as Content
from tutela.reporting.cybertipline.problems import Problem
from tutela.reporting.delivery.queueing import environment_of
from tutela.reporting.delivery.receipts import KeptReceipt, receipt_of
from tutela.reporting.delivery.resting import channel_state
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.drafting import BY_RECORD, Draft, DraftFile
from tutela.reporting.drafts.missing import Missing
from tutela.reporting.drafts.preparing import prepare
from tutela.reporting.drafts.previewing import preview_report
from tutela.reporting.drafts.reading import Written, enter_read, read_report
from tutela.reporting.drafts.words import HIDDEN, shown_to
from tutela.reporting.finding import find_reports
from tutela.reporting.following.finding import find_all_feedback
from tutela.reporting.grounds import is_reportable
from tutela.reporting.model import Report, ReportId
from tutela.reporting.packages.wording import label_of
from tutela.reporting.signing.queueing_signed import needs_approval
from tutela.reporting.states import State

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.REPORTS_READ))]
Place = Annotated[str, Query(max_length=200, pattern=r"^[a-z0-9_.:]*$")]

FILES = "files"
_MOST_ENTRIES = 500
_MOST_FEEDBACK = 100
# What only says that somebody read it is in the ledger, and no part of what became of it.
_UNTOLD = frozenset({Act.REPORT_READ, Act.REPORT_FEEDBACK_READ})


@dataclass(frozen=True, slots=True)
class Shown:
    """How the page of a report is to be shown.

    Attributes:
        add: The list that gets one more, empty entry.
        at: The field that somebody is led to.
        typed: What was typed instead of what is kept, if that could not be taken.
        wrong: Why what was asked for was not done.
        status: The HTTP status.
    """

    add: str = ""
    at: str = ""
    typed: Draft | None = None
    wrong: TutelaError | None = None
    status: int = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that a draft lacks, or that is wrong with it.

    Attributes:
        at: Where it stands in the form; empty if that is not known.
        key: By what the pages find their own words.
        words: What it would add, or what is wrong.
        path: Where it stands in what would be sent; empty for what is missing.
        is_required: Whether nobody can sign without it.
        file: Of which file it is told, from 1; 0 if of the report itself.
    """

    at: str
    key: str
    words: str
    path: str = ""
    is_required: bool = True
    file: int = 0


@router.get("/reports/{report}")
def show_report(
    request: Request,
    house: Here,
    reader: Reader,
    report: Number,
    add: Place = "",
    at: Place = "",
) -> HTMLResponse:
    """A report: what it says and lacks, what will be sent, and what can be done with it."""
    return report_page(request, house, reader, ReportId(report), Shown(add=add, at=at))


def report_page(
    request: Request, house: House, person: Visitor, report: ReportId, shown: Shown | None = None
) -> HTMLResponse:
    """The page of a report, as an answer.

    Raises:
        NotFoundError: There is no such report.
        StorageError: What it says cannot be opened.
    """
    shown = shown or Shown()
    desk = desk_of(house)
    with house.database.reading() as connection:
        written = read_report(connection, desk, report)
        values = _values(connection, house, person, written)
    found = written.report
    preview, whole = None, written
    if written.draft is not None:
        preview = preview_report(desk, report, person.caller)
        with house.database.writing() as connection:
            enter_read(connection, found, written.draft, person.caller, house.clock)
        written, whole = replace(written, draft=shown_to(written.draft, person.caller)), written
    return show(
        request,
        person,
        "report.html",
        status=shown.status,
        report=found,
        environment=found.environment or environment_of(house.settings, found.channel),
        preview=preview,
        now=house.clock(),
        wrong=shown.wrong,
        at=shown.add.partition(":")[0] or shown.at,
        label=lambda field: person.language.texts.get(f"field_{field}", label_of(field)),
        hidden=HIDDEN,
        **_forms(written, shown, may_write=written == whole),
        **values,
    )


def desk_of(house: House) -> Desk:
    """What whoever writes reports works with."""
    return Desk(house.settings, house.database, house.vault, house.clock)


def _values(
    connection: Connection, house: House, person: Visitor, written: Written
) -> dict[str, object]:
    report = written.report
    feedback = find_all_feedback(connection, report=report.id, limit=_MOST_FEEDBACK)
    entries = _entries(connection, report, {each.thing for each in feedback})
    case_state = state_of(connection, report.case)
    own = {person.caller.actor.id, *ids_of(connection, person.person.id)}
    asked = needs_approval(connection, report.case, house.settings)
    return {
        "authority": _name_of(connection, house, report.authority),
        "names": names_of_people(connection),
        "feedback": feedback,
        "entries": entries,
        "words": words_of(connection, entries),
        "receipt": _receipt(connection, report),
        "way": channel_state(connection, report.channel, report.authority),
        "corrected_by": [
            each.id
            for each in find_reports(connection, case=report.case, authority=report.authority)
            if each.corrects == report.id and each.state is not State.DISCARDED
        ],
        "case_state": case_state,
        "is_reportable": is_reportable(connection, report.case, anew=_is_first_draft(report)),
        "needs_approval": asked,
        "signed_it": report.signed_by in own,
        "seal": written.seal or "",
        "mend": _places_in(report.trouble or ""),
    }


def _is_first_draft(report: Report) -> bool:
    return report.state is State.DRAFT and report.corrects is None


def _forms(written: Written, shown: Shown, *, may_write: bool) -> dict[str, object]:
    """The form of what is said, of each file, and what is missing and wrong.

    Whoever is not shown all of it cannot write it: what they send would take the rest's place.
    """
    draft = shown.typed or written.draft
    if draft is None:
        return {"form": None, "files": (), "gaps": (), "problems": (), "editable": False}
    problems = written.problems
    if shown.typed is not None:
        problems = prepare(draft.values, [each.values for each in draft.files]).problems
    told = [_of_problem(each, draft) for each in problems]
    # A part that is missing is told once, where it is told what it would add.
    lacking = [_of_missing(each, draft) for each in written.missing]
    missing_at = {each.at for each in lacking if each.is_required}
    told = [each for each in told if each.at not in missing_at or shown.typed is not None]
    wrong = {each.at: each.words for each in told if each.at}
    wish = Wish(wrong, shown.add, shown.at, BY_RECORD)
    return {
        "form": form_of(Content, draft.values, wish),
        "files": tuple(_of_file(each, wish) for each in draft.files),
        "gaps": lacking,
        "problems": told,
        "editable": may_write and written.report.state is State.DRAFT,
    }


def _of_file(file: DraftFile, wish: Wish) -> tuple[DraftFile, Group]:
    name = f"{FILES}.{file.item}"
    return file, form_of(FileDescription, file.values, wish, name, called=FILES)


def _of_problem(problem: Problem, draft: Draft) -> Gap:
    return Gap(_at(problem.field, draft), "", problem.words, problem.path)


def _of_missing(missing: Missing, draft: Draft) -> Gap:
    return Gap(
        _at(missing.field, draft),
        missing.key.replace(".", "_"),
        missing.words,
        is_required=missing.required,
        file=int(missing.field.split(".")[1]) + 1 if missing.field.startswith(f"{FILES}.") else 0,
    )


def _at(field: str, draft: Draft) -> str:
    """Where a field stands in the form: files are called by their items there."""
    names = field.split(".")
    if names[0] == FILES and len(names) > 1 and int(names[1]) < len(draft.files):
        return ".".join((FILES, str(draft.files[int(names[1])].item), *names[2:]))
    return field


def _entries(connection: Connection, report: Report, answers: Collection[str]) -> list[Entry]:
    """What became of it, and of what the authority answered, the oldest first."""
    about = newest_entries(connection, _MOST_ENTRIES, report.case)
    things = {report.thing, *answers}
    return [each for each in reversed(about) if each.thing in things and each.act not in _UNTOLD]


def _receipt(connection: Connection, report: Report) -> KeptReceipt | None:
    try:
        return receipt_of(connection, report.id)
    except NotFoundError:
        return None


def _name_of(connection: Connection, house: House, authority: str) -> str:
    try:
        return directory_now(connection, house.settings).authority(authority).name
    except NotFoundError:
        return authority


def _places_in(trouble: str) -> list[tuple[str, str]]:
    """The fields that what an authority says is wrong names, and where they stand in the form."""
    known = _places()
    named = re.findall(r"[A-Za-z][A-Za-z0-9]*", trouble)
    return [(each, known[each]) for each in dict.fromkeys(named) if each in known]


@cache
def _places() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, place in elements_in(Content):
        # A name without a capital inside is a word as well, such as "address".
        if re.search("[A-Z]", name[1:]):
            found.setdefault(name, place)
    return found
