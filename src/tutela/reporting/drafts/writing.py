"""Writing in a draft: what a person adds, changes or takes out.

Only what a channel knows can be written, and never whether a file was viewed: that is what the
record of viewings says.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from tutela.accounts.model import Caller
from tutela.errors import InvalidInputError, NotFoundError
from tutela.reporting.cybertipline.model import Content, FileDescription, Report
from tutela.reporting.cybertipline.problems import problems_of_model, refusals
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.as_read import refuse_overwriting
from tutela.reporting.drafts.beginning import check_draft
from tutela.reporting.drafts.drafting import BY_RECORD, Draft, DraftFile
from tutela.reporting.drafts.filling import keep_draft
from tutela.reporting.drafts.reading import draft_of
from tutela.reporting.model import CaseItemNumber, ReportId
from tutela.reporting.moving import enter_change, lock_report

_FILES = "files"
# What a draft may still lack. Everything else is refused at once, where it is written.
_NOT_YET = frozenset({"missing", "too_short"})


def change_report(
    desk: Desk,
    report: ReportId,
    changes: Mapping[str, Any],
    caller: Caller,
    *,
    seal: str | None = None,
) -> Draft:
    """Write in a draft.

    Args:
        desk: The open house.
        report: The draft.
        changes: What to write, by where: ``incident_summary.incident_type``, with places in lists
            by number, such as ``victims.0.school_name``, where the number after the last one adds
            one; and ``files.17.publicly_available`` for the file of item 17. ``None`` takes it out.
            A value is JSON of that part of the content model; a whole part may be given.
        caller: Who does so.
        seal: Of the wording that they began with (``as_read.seal_of``), if they give it.

    Raises:
        NotFoundError: There is no such report, or it has no such file.
        ChangedMeanwhileError: It says something else by now.
        OutOfTurnError: It is no draft: it has to be returned first.
        InvalidInputError: No channel knows such a field, it cannot have this value, or it is said
            by the record alone.
        StorageError: The database or the sealing key fails.
    """
    if not changes:
        raise InvalidInputError("say what to change: a field and its value")
    with desk.database.writing() as connection:
        check_draft(lock_report(connection, report).state, report)
        draft = draft_of(connection, desk.secrets, report)
        refuse_overwriting(draft, seal, report)
        after = changed(draft, changes)
        if after != draft:
            keep_draft(connection, desk.secrets, report, after)
            enter_change(connection, report, caller, desk.clock)
    return after


def remove_file(desk: Desk, report: ReportId, item: int, caller: Caller) -> Draft:
    """Take a file out of a draft: it is not sent with it. It stays in the case and in the vault.

    Raises:
        NotFoundError: There is no such report, or it has no such file.
        OutOfTurnError: It is no draft.
    """
    with desk.database.writing() as connection:
        check_draft(lock_report(connection, report).state, report)
        draft = draft_of(connection, desk.secrets, report)
        files = tuple(each for each in draft.files if each.item != item)
        if len(files) == len(draft.files):
            raise _no_file(item)
        after = Draft(draft.values, files)
        keep_draft(connection, desk.secrets, report, after)
        enter_change(connection, report, caller, desk.clock)
    return after


def changed(draft: Draft, changes: Mapping[str, Any]) -> Draft:
    """A draft with changes written in it. Pure.

    Raises:
        NotFoundError, InvalidInputError: As ``change_report``.
    """
    values = deepcopy(dict(draft.values))
    files = {each.item: deepcopy(dict(each.values)) for each in draft.files}
    for field, value in changes.items():
        names = field.split(".")
        if names[0] == _FILES:
            item = _item(names, files)
            if names[2] in BY_RECORD:
                raise InvalidInputError(
                    "{field} is what the record of viewings says: it cannot be written",
                    field=names[2],
                )
            _write(files[item], names[2:], value, field)
        else:
            _write(values, names, value, field)
    _check(values, Report)
    for each in files.values():
        _check(each, FileDescription)
    return Draft(
        _whole(values),
        tuple(DraftFile(each.item, each.evidence, files[each.item]) for each in draft.files),
    )


def read_value(text: str) -> Any:
    """A value as people type it: JSON, or else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _item(names: list[str], files: Mapping[CaseItemNumber, Any]) -> CaseItemNumber:
    number = names[1] if len(names) > 1 else ""
    if len(names) < 3 or not number.isascii() or not number.isdigit():
        raise InvalidInputError(
            "write the field of a file as files.ITEM.FIELD, such as files.17.publicly_available"
        )
    item = CaseItemNumber(int(number))
    if item not in files:
        raise _no_file(int(number))
    return item


def _no_file(item: int) -> NotFoundError:
    return NotFoundError(f"the report has no file of item {item}")


def _write(holder: Any, names: list[str], value: Any, field: str) -> None:
    *way, last = names
    for name, after in zip(way, names[1:], strict=True):
        found = _step(holder, name, field)
        if found is None:
            found = [] if after.isdigit() else {}
            _put(holder, name, found, field)
        holder = found
    _put(holder, last, value, field)


def _step(holder: Any, name: str, field: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(name)
    if isinstance(holder, list):
        place = _place(holder, name, field)
        return holder[place] if place < len(holder) else None
    raise InvalidInputError("{field}: there is nothing like this in a report", field=field)


def _put(holder: Any, name: str, value: Any, field: str) -> None:
    if isinstance(holder, dict):
        if value is None:
            holder.pop(name, None)
        else:
            holder[name] = value
    elif isinstance(holder, list):
        place = _place(holder, name, field)
        if value is None:
            del holder[place : place + 1]
        elif place == len(holder):
            holder.append(value)
        else:
            holder[place] = value
    else:
        raise InvalidInputError("{field}: there is nothing like this in a report", field=field)


def _place(holder: list[Any], name: str, field: str) -> int:
    if not name.isascii() or not name.isdigit() or int(name) > len(holder):
        raise InvalidInputError(
            "{field}: a place in a list is its number, from 0 to {count} here",
            field=field,
            count=len(holder),
        )
    return int(name)


def _check(values: Mapping[str, Any], model: type[Content]) -> None:
    """See that nothing but what may come later is missing.

    Raises:
        InvalidInputError: Something is wrong, or no channel knows it.
    """
    try:
        model.model_validate(values)
    except ValidationError as error:
        wrong = [
            problem
            for problem, detail in zip(
                problems_of_model(error, "report", model), refusals(error), strict=True
            )
            if detail["type"] not in _NOT_YET
        ]
        if wrong:
            first = wrong[0]
            raise InvalidInputError(
                "{field}: {first}", field=first.field or first.path, first=first
            ) from None


def _whole(values: dict[str, Any]) -> dict[str, Any]:
    """Without parts of which nothing is left, but those that a report always has."""
    return {
        name: value
        for name, value in values.items()
        if value not in ({}, []) or name in ("incident_summary", "reporter")
    }
