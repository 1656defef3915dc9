"""A file of any size passes in constant memory."""

import subprocess
import sys
from pathlib import Path

from tests.evidence.sealing import AT_LENGTH
from tutela.storage.settings import Settings

MIB = 1024 if AT_LENGTH else 96
# What the first piece and its segments take, and what the allocator keeps of them.
MOST_GROWTH_MIB = 24

SEALS_AND_OPENS = """
import hashlib, resource, sys
from pathlib import Path
from sqlalchemy import insert
from tutela.cases.tables import cases
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.model import new_item_id
from tutela.evidence.vault import Vault
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import load_settings
settings = load_settings(data=Path(sys.argv[1]), database_url=sys.argv[2] or None)
database = Database.open(settings)
vault = Vault.over(settings, database, system_clock)
prepare_keys(vault.keyring, database, lambda _: None)
with database.writing() as connection:
    connection.execute(insert(cases).values(id="A", state="open", opened_at=system_clock()))

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

def round_trip(mib):
    def chunks():
        for number in range(mib):
            yield number.to_bytes(8) * (1 << 17)
    sealed = vault.seal(chunks, "A", new_item_id())
    with database.writing() as connection:
        vault.claim(connection, [sealed])
        vault.keep(connection, sealed)
    size, digest = 0, hashlib.sha256()
    for piece in vault.open(sealed.item):
        size += len(piece)
        digest.update(piece)
    assert (size, digest.digest()) == (mib << 20, sealed.sha256)

round_trip(4)
before = most()
round_trip(int(sys.argv[3]))
print(most() - before)
"""


def test_memory_does_not_grow_with_the_file(settings: Settings, database) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SEALS_AND_OPENS, str(settings.data), settings.database_url or "",
         str(MIB)],
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True, check=True, timeout=600,
    )  # fmt: skip
    assert int(done.stdout) <= MOST_GROWTH_MIB
