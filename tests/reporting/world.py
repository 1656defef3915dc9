"""Cases with sealed files, and reports of them, for the tests of this room."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from tests.cases.world import OPERATOR
from tests.evidence.sealing import sealed_item
from tutela.accounts.model import Caller
from tutela.cases.model import CaseId, new_case_id
from tutela.cases.states import State as CaseState
from tutela.cases.tables import case_items, cases
from tutela.evidence.model import ItemId
from tutela.evidence.vault import Vault
from tutela.ledger.tables import ledger_entries
from tutela.reporting.content import keep_content, keep_files
from tutela.reporting.model import CaseItemNumber, ChannelKind, ReportFile, ReportId
from tutela.reporting.moving import begin, enter_begin, move
from tutela.reporting.states import Move
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.kept_secrets import KeptSecrets
from tutela.storage.settings import Settings

NCMEC = "us-ncmec"


@dataclass(frozen=True, slots=True)
class World:
    """What the tests of reports need of a house."""

    settings: Settings
    database: Database
    vault: Vault
    clock: Clock

    @property
    def secrets(self) -> KeptSecrets:
        return KeptSecrets(self.settings.keys_folder)

    def case(self, *contents: bytes, state: CaseState = CaseState.CONFIRMED) -> CaseId:
        """A case with these files sealed."""
        case = new_case_id()
        with self.database.writing() as connection:
            now = self.clock()
            connection.execute(
                insert(cases).values(id=case, state=state, opened_at=now, rank_at=now)
            )
        for content in contents:
            evidence = sealed_item(self.vault, case, content)
            with self.database.writing() as connection:
                connection.execute(
                    insert(case_items).values(
                        case_id=case,
                        evidence_id=evidence,
                        name="a-landscape.png",
                        origin="scan",
                        received_at=self.clock(),
                        size=len(content),
                        md5=hashlib.md5(content).digest(),
                        sha256=hashlib.sha256(content).digest(),
                    )
                )
        return case

    def files(self, case: CaseId, details: bytes = b"{}") -> list[ReportFile]:
        """The files of a case as they go with a report."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(case_items).where(case_items.c.case_id == case).order_by(case_items.c.id)
            ).all()
        return [
            ReportFile(CaseItemNumber(row.id), ItemId(row.evidence_id), details) for row in rows
        ]

    def draft(
        self,
        case: CaseId,
        content: bytes = b"{}",
        files: Sequence[ReportFile] | None = None,
        *,
        authority: str = NCMEC,
        channel: ChannelKind = ChannelKind.CYBERTIPLINE,
        corrects: ReportId | None = None,
        caller: Caller = OPERATOR,
    ) -> ReportId:
        """A draft of a report of a case, with all its files."""
        with self.database.writing() as connection:
            report = begin(
                connection, case, authority, channel, caller, self.clock, corrects=corrects
            )
            keep_content(connection, self.secrets, report, content)
            keep_files(
                connection, self.secrets, report, self.files(case) if files is None else files
            )
            enter_begin(connection, report, caller, self.clock)
        return report

    def move(self, report: ReportId, *moves: Move, reason: str = "") -> None:
        """Move a report, one transaction for each move."""
        for each in moves:
            with self.database.writing() as connection:
                move(connection, report, each, OPERATOR, self.clock, reason=reason)

    def acts(self, case: CaseId) -> list[str]:
        """What the ledger says of a case's reports."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(ledger_entries.c.act)
                .where(ledger_entries.c.case_id == case, ledger_entries.c.act.like("report.%"))
                .order_by(ledger_entries.c.number)
            )
            return list(rows.scalars())
