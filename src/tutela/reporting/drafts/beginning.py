"""Beginning drafts of a confirmed case, correcting what was sent, and bringing drafts up to date.

What is known is gathered before the transaction that writes: words are read from the vault, and
nobody else is to wait for that.
"""

from collections.abc import Collection
from dataclasses import dataclass

from tutela.accounts.model import Caller
from tutela.cases.model import CaseId
from tutela.cases.moving import lock_case
from tutela.errors import AlreadyExistsError, InvalidInputError, OutOfTurnError
from tutela.reporting.addressing import channel_to, routes_of
from tutela.reporting.authorities.model import Directory
from tutela.reporting.authorities.routing import Outcome, Route
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.delivery.queueing import environment_of
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.correcting import sent_again
from tutela.reporting.drafts.drafting import Draft, draft
from tutela.reporting.drafts.filling import filled_of, keep_draft, keep_filled, merged
from tutela.reporting.drafts.gathering import gather
from tutela.reporting.drafts.reading import draft_of
from tutela.reporting.finding import find_report, find_reports
from tutela.reporting.grounds import check_reportable
from tutela.reporting.model import ChannelKind, Report, ReportId
from tutela.reporting.moving import begin, enter_begin, enter_change, lock_report
from tutela.reporting.states import State


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody of whom the directory knows, to whom no report was begun.

    Attributes:
        authority: Who, by the id; ``None`` if the directory lacks them.
        duty: By which duty they might be told.
        outcome: What becomes of that duty in the case.
        words: Why none was begun, for people.
    """

    authority: str | None
    duty: str
    outcome: Outcome
    words: str

    def as_fields(self) -> dict[str, object]:
        """The same by names, as programs are given it."""
        return {
            "authority": self.authority,
            "duty": self.duty,
            "outcome": self.outcome,
            "words": self.words,
        }


def begin_report(
    desk: Desk,
    case: CaseId,
    authority: str,
    caller: Caller,
    *,
    corrects: ReportId | None = None,
) -> ReportId:
    """Begin a draft of a case to one authority, filled with what is known.

    Args:
        desk: The open house.
        case: The case, which has to be confirmed; one that is closed since is corrected only.
        authority: To whom: the id in the directory, such as ``us-ncmec``.
        caller: Who does so.
        corrects: The report, which was sent, that this one corrects or adds to.

    Raises:
        NotFoundError: There is no such case, authority, or report to correct.
        InvalidInputError: There is no way to the authority that Tutela can go.
        OutOfTurnError: The case is not confirmed, or the report to correct is not sent.
        AlreadyExistsError: There is a report of this case to this authority already.
        DamagedEvidenceError, StorageError: The vault or the database fails.
    """
    with desk.database.reading() as connection:
        check_reportable(connection, case, anew=corrects is None)
        channel = channel_to(directory_now(connection, desk.settings), authority)
        earlier = None if corrects is None else find_report(connection, corrects)
    filled = _filled(desk, case, authority, channel)
    written = filled if earlier is None else sent_again(desk, earlier, filled)
    with desk.database.writing() as connection:
        # Locked first, so that nobody undoes the decision meanwhile.
        lock_case(connection, case)
        check_reportable(connection, case, anew=corrects is None)
        report = begin(
            connection,
            case,
            authority,
            channel,
            caller,
            desk.clock,
            corrects=corrects,
            environment=environment_of(desk.settings, channel),
        )
        keep_draft(connection, desk.secrets, report, written)
        keep_filled(connection, desk.secrets, report, filled)
        enter_begin(connection, report, caller, desk.clock)
    return report


def begin_reports(desk: Desk, case: CaseId, caller: Caller) -> list[ReportId]:
    """Begin a draft to each authority that has to be told of a case and can be.

    What is there already stays as it is.

    Returns:
        Those that were begun.

    Raises:
        NotFoundError: There is no such case.
        OutOfTurnError: The case is not confirmed.
        DamagedEvidenceError, StorageError: The vault or the database fails.
    """
    begun = []
    for each in routes_of_case(desk, case):
        if each.authority is None or each.outcome is not Outcome.APPLIES or not each.is_owed:
            continue
        if each.channel is None or not each.channel.kind.sends:
            continue
        try:
            begun.append(begin_report(desk, case, each.authority.id, caller))
        except AlreadyExistsError:
            continue
    return begun


def correct_report(desk: Desk, report: ReportId, caller: Caller) -> ReportId:
    """Begin a new report that corrects or adds to one that was sent, and names it.

    It says what that one said, by its receipt, and has the same files: what is to be added or
    corrected is written in it as in any draft.

    Raises:
        NotFoundError: There is no such report.
        OutOfTurnError: It is not sent: it can still be changed itself.
        AlreadyExistsError: One that corrects it is begun already, and not sent.
        DamagedEvidenceError, StorageError: The vault or the database fails.
    """
    with desk.database.reading() as connection:
        found = find_report(connection, report)
    return begin_report(desk, found.case, found.authority, caller, corrects=report)


def refill_report(desk: Desk, report: ReportId, caller: Caller) -> bool:
    """Bring a draft up to date with what is known now. What a person wrote in it stays.

    Returns:
        Whether anything changed.

    Raises:
        NotFoundError: There is no such report.
        OutOfTurnError: It is no draft any more.
        DamagedEvidenceError, StorageError: The vault or the database fails.
    """
    with desk.database.reading() as connection:
        found = find_report(connection, report)
    now = _filled(desk, found.case, found.authority, found.channel)
    with desk.database.writing() as connection:
        check_draft(lock_report(connection, report).state, report)
        written = draft_of(connection, desk.secrets, report)
        after = merged(written, filled_of(connection, desk.secrets, report), now)
        keep_filled(connection, desk.secrets, report, now)
        if after == written:
            return False
        keep_draft(connection, desk.secrets, report, after)
        enter_change(connection, report, caller, desk.clock)
    return True


def refill_case(desk: Desk, case: CaseId, caller: Caller) -> list[ReportId]:
    """Bring all drafts of a case up to date, such as after a platform supplied something.

    Returns:
        Those that changed.

    Raises:
        DamagedEvidenceError, StorageError: The vault or the database fails.
    """
    with desk.database.reading() as connection:
        drafts = find_reports(connection, case=case, state=State.DRAFT)
    changed = []
    for each in drafts:
        try:
            if refill_report(desk, each.id, caller):
                changed.append(each.id)
        except OutOfTurnError:
            continue  # Somebody has signed it meanwhile.
    return changed


def routes_of_case(desk: Desk, case: CaseId) -> tuple[Route, ...]:
    """To whom a case goes, and why there and not elsewhere.

    Raises:
        NotFoundError: There is no such case.
        DamagedEvidenceError, StorageError: The vault or the database fails.
    """
    kind = ChannelKind.CYBERTIPLINE
    environment = environment_of(desk.settings, kind)
    gathered = gather(desk, case, "", kind, environment, with_words=False)
    with desk.database.reading() as connection:
        return routes_of(connection, desk.settings, gathered)


def why_not_begun(
    desk: Desk, case: CaseId, begun: Collection[ReportId] = ()
) -> tuple[LeftOut, ...]:
    """Why nothing was begun to whomever the directory knows of, but for what was begun just now.

    Raises:
        NotFoundError: There is no such case.
        DamagedEvidenceError, StorageError: The vault or the database fails.
    """
    with desk.database.reading() as connection:
        there = find_reports(connection, case=case)
        directory = directory_now(connection, desk.settings)
    done = {each.authority for each in there if each.id in begun}
    found: dict[LeftOut, None] = {}
    for each in routes_of_case(desk, case):
        authority = each.authority.id if each.authority else None
        if authority is None or authority not in done:
            words = _why_not(each, directory, there)
            found[LeftOut(authority, each.duty.id, each.outcome, words)] = None
    return tuple(found)


def check_draft(state: str, report: ReportId) -> None:
    """See that a report is still being written.

    Raises:
        OutOfTurnError: It is not.
    """
    if State(state) is not State.DRAFT:
        raise OutOfTurnError(
            "report {report} is {state}: return it before you change it",
            report=report,
            state=State(state),
        )


def _why_not(each: Route, directory: Directory, there: list[Report]) -> str:
    mine = next(
        (
            report
            for report in there
            if each.authority is not None
            and report.authority == each.authority.id
            and report.state is not State.DISCARDED
        ),
        None,
    )
    if mine is not None:
        return f"report {mine.id} is there already, and is {mine.state.words}"
    if each.outcome is not Outcome.APPLIES or each.authority is None:
        return each.words
    try:
        channel_to(directory, each.authority.id)
    except InvalidInputError as error:
        return error.message
    if not each.is_owed:
        return f"it may be told, and need not: name it to begin a report to it ({each.words})"
    return each.words


def _filled(desk: Desk, case: CaseId, authority: str, channel: ChannelKind) -> Draft:
    environment = environment_of(desk.settings, channel)
    return draft(gather(desk, case, authority, channel, environment))
