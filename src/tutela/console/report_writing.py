"""Writing in a report on its page: what is typed is read back, and only what differs is written."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from tutela.accounts.permissions import Permission
from tutela.console.frame import go, page_router
from tutela.console.house import Here, Number
from tutela.console.report import FILES, Shown, desk_of, report_page
from tutela.console.report_form import normal, read_form, without
from tutela.console.visiting import Visitor, visitor
from tutela.errors import InvalidInputError, OutOfTurnError
from tutela.reporting.cybertipline.model import FileDescription
from tutela.reporting.cybertipline.model import Report as Content
from tutela.reporting.cybertipline.shape import parts
from tutela.reporting.drafts.as_read import refuse_overwriting
from tutela.reporting.drafts.beginning import refill_report
from tutela.reporting.drafts.drafting import BY_RECORD, Draft, DraftFile
from tutela.reporting.drafts.reading import draft_of
from tutela.reporting.drafts.writing import change_report, remove_file
from tutela.reporting.model import ReportId

router = page_router()
Writer = Annotated[Visitor, Depends(visitor(Permission.REPORTS_WRITE))]

_MOST_FIELDS = 50_000


async def typed_form(request: Request) -> FormData:
    """What a browser sends of a form that has as many fields as a report."""
    return await request.form(max_fields=_MOST_FIELDS)


@router.post("/reports/{report}")
def write(
    request: Request,
    writer: Writer,
    house: Here,
    report: Number,
    form: Annotated[FormData, Depends(typed_form)],
) -> Response:
    """Keep what is typed; add an entry to a list, or take one away."""
    number, desk = ReportId(report), desk_of(house)
    with house.database.reading() as connection:
        draft = draft_of(connection, desk.secrets, number)
    add, remove = _field(form, "add"), _field(form, "remove")
    typed = _typed(draft, without(_fields(form), remove) if remove else list(_fields(form)))
    shown = Shown(add=add, at=_holder(remove), typed=typed)
    try:
        seal = _field(form, "seal")
        # Also where nothing is to be written: whoever typed nothing new may have read what is old.
        refuse_overwriting(draft, seal, number)
        changes = dict(_changes(draft, typed))
        if changes:
            change_report(desk, number, changes, writer.caller, seal=seal)
    except (InvalidInputError, OutOfTurnError) as error:
        status = 409 if isinstance(error, OutOfTurnError) else HTTPStatus.UNPROCESSABLE_ENTITY
        shown = Shown(add, shown.at, typed, error, status)
        return report_page(request, house, writer, number, shown)
    return go(house, _back(number, add=add, at=shown.at), "said_report_saved", str(number))


@router.post("/reports/{report}/fill")
def fill(request: Request, writer: Writer, house: Here, report: Number) -> Response:
    """Bring it up to date with what is known now."""
    try:
        changed = refill_report(desk_of(house), ReportId(report), writer.caller)
    except OutOfTurnError as error:
        shown = Shown(wrong=error, status=409)
        return report_page(request, house, writer, ReportId(report), shown)
    said = "said_report_filled" if changed else "said_report_filled_already"
    return go(house, f"/reports/{report}", said, str(report))


@router.post("/reports/{report}/files/{item}/remove")
def leave_out(
    request: Request, writer: Writer, house: Here, report: Number, item: Number
) -> Response:
    """Take a file out of it."""
    try:
        remove_file(desk_of(house), ReportId(report), item, writer.caller)
    except OutOfTurnError as error:
        shown = Shown(wrong=error, status=409)
        return report_page(request, house, writer, ReportId(report), shown)
    return go(house, f"/reports/{report}#f-{FILES}", "said_report_file_out")


def _typed(draft: Draft, fields: Iterable[tuple[str, str]]) -> Draft:
    """A draft as it was typed."""
    found = list(fields)
    files = []
    for each in draft.files:
        start = f"{FILES}.{each.item}."
        mine = [(name.removeprefix(start), text) for name, text in found if name.startswith(start)]
        by_record = {name: each.values[name] for name in BY_RECORD if name in each.values}
        said = normal(FileDescription, read_form(FileDescription, mine) | by_record)
        files.append(DraftFile(each.item, each.evidence, said | by_record))
    rest = [(name, text) for name, text in found if not name.startswith(f"{FILES}.")]
    return Draft(read_form(Content, rest), tuple(files))


def _changes(before: Draft, typed: Draft) -> Iterator[tuple[str, Any]]:
    """What differs, by where it stands."""
    old = normal(Content, dict(before.values))
    for part in parts(Content):
        if typed.values.get(part.field) != old.get(part.field):
            yield part.field, _or_nothing(typed.values, part.field)
    for was, now in zip(before.files, typed.files, strict=True):
        known = normal(FileDescription, dict(was.values))
        for part in parts(FileDescription):
            if part.field not in BY_RECORD and now.values.get(part.field) != known.get(part.field):
                yield f"{FILES}.{was.item}.{part.field}", now.values.get(part.field)


def _or_nothing(values: Mapping[str, Any], field: str) -> Any:
    # A report always has these two, if only to say what they lack.
    always = {each.field for each in parts(Content) if each.required}
    return values.get(field, {} if field in always else None)


def _fields(form: FormData) -> Iterator[tuple[str, str]]:
    for name, value in form.multi_items():
        if "." in name or any(name == part.field for part in parts(Content)):
            yield name, str(value)


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _holder(name: str) -> str:
    """The list that an entry is in."""
    return name.rpartition(".")[0]


def _back(report: ReportId, *, add: str, at: str) -> str:
    place = add.partition(":")[0] or at
    if not place:
        return f"/reports/{report}"
    asked = f"add={add}" if add else f"at={at}"
    return f"/reports/{report}?{asked}#f-{place.replace('.', '-')}"
