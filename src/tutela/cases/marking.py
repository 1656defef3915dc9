"""Saying of a case what makes it more urgent, or that it is not so after all."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, update

from tutela.accounts.model import Caller
from tutela.cases.facts import Fact, rank, read_facts
from tutela.cases.model import CaseId
from tutela.cases.moving import lock_case
from tutela.cases.tables import cases
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.storage.clock import Clock


def mark(
    connection: Connection,
    case: CaseId,
    said: Collection[Fact],
    due_at: datetime | None,
    caller: Caller,
    clock: Clock,
) -> None:
    """Replace what people say of a case; what Tutela finds out itself stays. Do it last.

    Args:
        connection: A transaction that writes.
        case: The case.
        said: What is said of it, as ``facts.said_facts`` understands it.
        due_at: When it has to be decided, if the law or the operator says so.
        caller: Who says it.
        clock: The time.

    Raises:
        NotFoundError: There is no such case.
    """
    row = lock_case(connection, case)
    derived = {fact for fact in read_facts(row.facts) if fact.is_derived}
    changed = rank(derived | set(said), row.opened_at, due_at)
    connection.execute(update(cases).where(cases.c.id == case).values(changed.as_values()))
    append(connection, caller.actor, Act.CASE_FACTS_CHANGED, clock, case=case)
