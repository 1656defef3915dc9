"""A vault on each database in turn, and a case to keep evidence for."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import insert

from tutela.cases.model import CaseId, new_case_id
from tutela.cases.tables import cases
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.storage.database import Database
from tutela.storage.settings import Settings


@pytest.fixture
def vault(settings: Settings, database: Database, clock) -> Iterator[Vault]:
    """An empty vault with a key file."""
    opened = Vault.over(settings, database, clock)
    prepare_keys(opened.keyring, database, tell=lambda _: None)
    return opened


@pytest.fixture
def new_case(database: Database, clock) -> Callable[[], CaseId]:
    """Opens a bare case."""

    def opened() -> CaseId:
        case = new_case_id()
        with database.writing() as connection:
            connection.execute(insert(cases).values(id=case, state="open", opened_at=clock()))
        return case

    return opened
