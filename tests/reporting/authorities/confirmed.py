"""A confirmed case with a file, as the clocks see it."""

from datetime import datetime

from sqlalchemy import insert

from tutela.cases.model import CaseId, new_case_id
from tutela.cases.tables import case_items, cases
from tutela.storage.database import Database


def confirmed_case(database: Database, at: datetime) -> CaseId:
    """A case that was opened and confirmed at this moment."""
    case = new_case_id()
    with database.writing() as connection:
        connection.execute(
            insert(cases).values(
                id=case, state="confirmed", opened_at=at, rank_at=at, decided_at=at
            )
        )
        connection.execute(
            insert(case_items).values(
                case_id=case, kind="file", name="a-landscape.png", origin="scan", received_at=at
            )
        )
    return case
