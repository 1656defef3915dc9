"""Cases from before people decided on them wait in the queue, with what was sealed for them."""

from datetime import UTC, datetime

from sqlalchemy import text

from tests.cases.world import OPERATOR
from tutela.cases.model import ItemKind
from tutela.cases.queue import next_case
from tutela.cases.reading import read_case
from tutela.storage.database import Database
from tutela.storage.migration import upgrade, upgrade_within
from tutela.storage.settings import Settings

CASE, EVIDENCE = "7K3M-9QPD-2X4H", "e" * 26


def test_an_old_case_is_there_after_the_upgrade(new_settings: Settings, clock) -> None:
    database = Database.open(new_settings)
    opened = datetime(2025, 11, 1, tzinfo=UTC)
    with database.writing() as connection:
        upgrade_within(connection, "0007")
        moment = opened if not database.is_sqlite else "2025-11-01 00:00:00.000000"
        for statement in (
            "INSERT INTO cases (id, state, opened_at) VALUES (:case, 'open', :at)",
            "INSERT INTO evidence_items (id, case_id, state, sealed_at, reason) "
            "VALUES (:evidence, :case, 'missed', :at, '')",
            "INSERT INTO case_items (case_id, name, origin, received_at, pdq) "
            "VALUES (:case, 'p.png', 'scan', :at, :pdq)",
        ):
            connection.execute(
                text(statement),
                {"case": CASE, "evidence": EVIDENCE, "at": moment, "pdq": bytes(32)},
            )
    upgrade(database, new_settings.data, tell=lambda _: None)
    with database.reading() as connection:
        case = read_case(connection, CASE, OPERATOR)
    assert (case.opened_at, case.rank_at, case.severe) == (opened, opened, False)
    (item,) = case.items
    assert (item.kind, item.evidence and item.evidence.id) == (ItemKind.PICTURE, EVIDENCE)
    with database.writing() as connection:
        hold = next_case(connection, OPERATOR, clock, new_settings)
    assert hold
    assert hold.case == CASE
    database.close()
