"""``/cases/NUMBER``: everything of a case, for whoever decides on it."""

from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from tutela.accounts.people import all_people
from tutela.accounts.permissions import Permission
from tutela.cases.alike import alike
from tutela.cases.comfort import comfort_of
from tutela.cases.deciding import Decision
from tutela.cases.grounds import Basis, Ground, undoable_since
from tutela.cases.matched_parts import matched_parts
from tutela.cases.model import CaseId, read_case_id
from tutela.cases.overview import Undoable, undoable
from tutela.cases.reading import WholeCase, enter_read, read_case
from tutela.cases.schemes import all_schemes
from tutela.cases.states import MOVES, Move, State
from tutela.cases.viewing import ASKED
from tutela.cases.waiting import why
from tutela.console.explaining import explains
from tutela.console.frame import page_router, show
from tutela.console.house import Here, House
from tutela.console.opening import SAYABLE
from tutela.console.reasons import reason_in, reasons_for
from tutela.console.report_card import card_of
from tutela.console.translating import in_scheme
from tutela.console.visiting import Visitor, visitor
from tutela.errors import TutelaError
from tutela.reporting.following.finding import find_all_feedback

router = page_router()
Reader = Annotated[Visitor, Depends(visitor(Permission.CASES_READ))]

_TAKEN = frozenset(MOVES[Move.GIVE_BACK])
_SETTLED = frozenset({State.DISPUTED, State.UNDER_APPEAL})
# So many cases are confirmed with one key, and no more: each is named on the page.
_MOST_ALIKE = 50


@router.get("/cases/{case}")
def show_case(request: Request, reader: Reader, house: Here, case: str) -> Response:
    """Everything of a case, but what it is about: that is shown item by item, to its holder."""
    number = read_case_id(case)
    if case != number:
        return RedirectResponse(f"/cases/{number}", HTTPStatus.SEE_OTHER)
    return case_page(request, reader, house, number)


def case_page(
    request: Request,
    reader: Visitor,
    house: House,
    case: CaseId,
    *,
    wrong: TutelaError | None = None,
    status: int = HTTPStatus.OK,
) -> HTMLResponse:
    """The page of a case, as an answer.

    Args:
        request: What is answered.
        reader: Who reads it.
        house: The house.
        case: The case.
        wrong: Why what was asked for was not done, if it was not.
        status: The HTTP status.

    Raises:
        NotFoundError: There is no case of this number.
    """
    now = house.clock()
    with house.database.reading() as connection:
        whole = read_case(
            connection, case, reader.caller, undoable_since(house.clock, house.settings.review)
        )
        values = _values(connection, whole, reader, house, now)
    values |= {"card": card_of(house, whole, reader), "because": explains(reader)}
    if not values["mine"]:
        # Whoever holds it is in the ledger already, since they took it.
        with house.database.writing() as connection:
            enter_read(connection, case, reader.caller, house.clock)
    return show(
        request,
        reader,
        "case.html",
        status=status,
        case=whole,
        now=now,
        wrong=wrong,
        why=lambda case: why(case.facts, case.opened_at, case.due_at, now),
        **values,
    )


def _values(
    connection: Connection, whole: WholeCase, reader: Visitor, house: House, now: datetime
) -> dict[str, object]:
    reviews = reader.may(Permission.CASES_REVIEW)
    leads = reader.may(Permission.CASES_LEAD)
    held = whole.held_until is not None and whole.held_until > now
    mine = whole.is_held_by(reader.person.id, now)
    waits = whole.state in MOVES[Move.TAKE] or (whole.state in _SETTLED and leads)
    # One whose hold ran out can be taken before it is put back.
    free = not held and (waits or whole.state in _TAKEN)
    people = all_people(connection)
    return {
        "names": {person.id: person.name for person in people},
        "item_places": {item.id: place for place, item in enumerate(whole.items, 1)},
        "sayable": SAYABLE,
        "schemes": all_schemes(house.settings),
        "in_scheme": partial(in_scheme, language=reader.language),
        "reviewers": [each for each in people if Permission.CASES_REVIEW in each.permissions],
        "alike": alike(connection, whole.id, house.clock, house.settings, _MOST_ALIKE)
        if reviews
        else [],
        "comfort": comfort_of(connection, reader.person.id),
        "matched_parts": matched_parts,
        "whys": ASKED,
        "held": held,
        "mine": mine,
        "may_take": reviews and free,
        "may_decide": reviews and mine and whole.state in _TAKEN,
        "may_settle": leads and whole.state is State.DISPUTED and (mine or not held),
        "undo": _undoable(connection, whole.id, reader, house),
        "known": Ground.EVERY_DIGEST in whole.ground,
        "bases": _bases(whole),
        "feedback": find_all_feedback(connection, case=whole.id, only_open=True)
        if reader.may(Permission.REPORTS_READ)
        else [],
        "reasons": reasons_for(reader.language),
        "reason": partial(reason_in, reader.language),
    }


def _undoable(
    connection: Connection, case: CaseId, reader: Visitor, house: House
) -> Undoable | None:
    lately = undoable(connection, reader.person.id, house.clock, house.settings)
    return next((each for each in lately if each.case == case), None)


def _bases(whole: WholeCase) -> dict[Decision, tuple[Basis, ...]]:
    """What the page offers as a basis of each decision, the one that spares most first."""
    bases = whole.bases
    # They may look and read before they decide; whether they did is known when they do.
    for basis, ground in ((Basis.SEEN, Ground.SIGHT), (Basis.READ, Ground.WORDS)):
        if ground in whole.ground and basis not in bases:
            bases = (*bases, basis)
    # That others found it to be what it seems speaks for confirming it, and for nothing else.
    own = tuple(each for each in bases if each in (Basis.SEEN, Basis.READ))
    return {
        decision: bases if decision is Decision.CONFIRMED or not own else own
        for decision in Decision
    }
