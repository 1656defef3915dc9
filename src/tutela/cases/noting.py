"""Notes on a case, for those who work with it."""

from sqlalchemy import Connection, insert

from tutela.accounts.model import Caller
from tutela.cases.model import CaseId
from tutela.cases.moving import lock_case
from tutela.cases.tables import case_notes
from tutela.errors import InvalidInputError
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.storage.clock import Clock

LONGEST_NOTE = 10_000


def note(connection: Connection, case: CaseId, words: str, caller: Caller, clock: Clock) -> int:
    """Write a note; gives its number. Do it last in the transaction.

    Raises:
        NotFoundError: There is no such case.
        InvalidInputError: There are no words, or too many.
    """
    words = words.strip().replace("\0", "")
    if not words or len(words) > LONGEST_NOTE:
        raise InvalidInputError("a note has 1 to {longest} characters", longest=LONGEST_NOTE)
    lock_case(connection, case)
    number = connection.execute(
        insert(case_notes)
        .values(case_id=case, written_at=clock(), written_by=caller.actor.id, words=words)
        .returning(case_notes.c.id)
    ).scalar_one()
    append(connection, caller.actor, Act.CASE_NOTED, clock, case=case, thing=f"note:{number}")
    return int(number)
