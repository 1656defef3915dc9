"""Killed at every step and at any moment: what was acknowledged is there, whole."""

import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.evidence.killing import SIZES, content_of
from tests.evidence.sealing import AT_LENGTH, blob_files, opened
from tutela.cases.tables import case_items
from tutela.evidence.encrypting import encrypted, new_data_key
from tutela.evidence.model import ItemId
from tutela.evidence.reading import all_evidence
from tutela.evidence.sweeping import sweep
from tutela.evidence.tables import blobs
from tutela.evidence.vault import Vault
from tutela.storage.database import Database
from tutela.storage.settings import Settings

KILLS = 1000 if AT_LENGTH else 20


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("how", ["steps", "random"])
def test_no_acknowledged_case_is_lost_and_no_blob_is_seen_half(
    how: str, settings: Settings, database: Database
) -> None:
    lines = killed_again_and_again(settings, how)
    kills = sum(line.get("killed", False) for line in lines)
    acknowledged = [line for line in lines if "case" in line]
    assert kills >= 20
    if how == "steps":
        # Every step was reached: the last child got to its end.
        assert not lines[-1]["killed"]
    assert acknowledged

    vault = Vault.over(settings, database, lambda: datetime.now(UTC))
    for each in acknowledged:
        content = content_of(each["number"])
        assert opened(vault, ItemId(each["item"])) == content
    kept = list(all_evidence(database))
    for evidence in kept:
        assert hashlib.sha256(b"".join(vault.open(evidence.id))).digest() == evidence.sha256
    whole = {len(b"".join(encrypted([bytes(size)], new_data_key(), b""))) for size in SIZES}
    seen = list(vault.store.list())
    assert {each.size for each in seen} <= whole
    with database.reading() as connection:
        named = set(connection.execute(select(blobs.c.id)).scalars())
        assert connection.execute(select(func.count()).select_from(case_items)).scalar_one() == len(
            kept
        )
    assert named <= {each.id for each in seen}

    later = Vault.over(settings, database, lambda: datetime.now(UTC) + timedelta(hours=25))
    swept = sweep(later)
    assert swept.blobs == len(seen) - len(named)
    assert sorted(path.name for path in blob_files(settings)) == sorted(named)
    counted = f"{how}: {kills} kills, {len(acknowledged)} acknowledged, {len(kept)} kept, {swept}"
    print(counted)  # noqa: T201 - shown by pytest -rP


def killed_again_and_again(settings: Settings, how: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.evidence.killing",
            str(settings.data),
            settings.database_url or "",
            how,
            str(10_000 if how == "steps" else KILLS),
        ],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=1700,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
