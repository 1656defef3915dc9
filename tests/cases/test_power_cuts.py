"""A power cut loses no case that was acknowledged, and leaves no blob that is half there."""

import sys
from pathlib import Path

from tests.disk import Disk, replay

OPENS_CASES = """
import sys
from tests.evidence.sealing import opened
from tutela.cases.model import Item
from tutela.cases.adding import Opening
from tutela.cases.sealing import open_cases
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.fingerprints.model import FingerprintSet
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import load_settings

settings = load_settings(data=sys.argv[1])
database = Database.open(settings)
upgrade(database, settings.data, tell=lambda _: None)
vault = Vault.over(settings, database, system_clock)
prepare_keys(vault.keyring, database, tell=lambda _: None)
for number in range(20):
    content = b"a landscape " * (1 << number % 16) + bytes([number])
    item = Item("landscape.png", "scan", FingerprintSet(size=len(content)))
    opening = Opening(item, (), content=lambda content=content: [content])
    open_cases(vault, [opening], system_clock)
    (blob,) = [each.id for each in vault.store.list() if each.id not in sys.argv]
    sys.argv.append(blob)
    sys.stdout.write(blob + "\\n")
    sys.stdout.flush()
"""


def test_what_is_acknowledged_outlives_a_power_cut(data: Path, tmp_path: Path) -> None:
    acknowledged: list[str] = []
    lost: list[str] = []

    def see(disk: Disk, blob: str) -> None:
        acknowledged.append(blob)
        needed = [
            data,
            data / "tutela.db",
            data / "tutela.db-wal",
            data / "vault" / blob[:2] / blob,
            data.with_name("data.keys") / "vault.key",
        ]
        lost.extend(f"{path} at {blob}" for path in map(str, needed) if not disk.is_safe(path))

    disk = replay([sys.executable, "-c", OPENS_CASES, str(data)], tmp_path / "record", see)
    assert len(set(acknowledged)) == 20
    assert lost == []
    assert disk.named_too_soon == []
