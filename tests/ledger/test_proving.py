"""A stranger is convinced by a proof alone, and by nothing that is not one."""

import base64
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.ledger.filling import ACTOR, checkpointed, fill
from tutela.errors import NotFoundError
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.erasing import erase_reason
from tutela.ledger.model import AlteredLedgerError
from tutela.ledger.proving import prove
from tutela.ledger.tables import ledger_entries

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_proof.py"


def run_script(folder: Path, proof: dict[str, Any], key: str) -> subprocess.CompletedProcess[str]:
    file = folder / "proof.json"
    file.write_text(json.dumps(proof))
    # Alone: without this project's code in reach.
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(file), key],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


def holds(proof: dict[str, Any], key: str) -> bool:
    """The script itself, in this process, which is quicker for many."""
    stands = {"open": lambda _: proof, "print": lambda *_: None}
    code = SCRIPT.read_text().replace("json.load(open(sys.argv[1])), sys.argv[2]", "PROOF, KEY")
    assert "PROOF, KEY" in code
    try:
        exec(compile(code, str(SCRIPT), "exec"), {"PROOF": proof, "KEY": key, **stands})
    except Exception:
        return False
    return True


def test_every_entry_is_proved(database, settings, clock, tmp_path: Path) -> None:
    checkpoints = checkpointed(database, settings, clock, [300, 600])
    key = str(checkpoints.verifier())
    for number in (*range(0, 600, 37), 255, 256, 511, 512, 599):
        proof = prove(database, checkpoints, number).as_fields()
        assert holds(proof, key)
        assert json.loads(str(proof["leaf"]))[1] == number
    done = run_script(tmp_path, proof, key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"holds: {proof['leaf']}")


def test_an_entry_that_is_not_covered_yet_is_signed_first(database, settings, clock) -> None:
    checkpoints = Checkpoints(database, settings, clock)
    fill(database, clock, 1)
    assert prove(database, checkpoints, 0).signed.checkpoint.size == 1
    fill(database, clock, 4, first=1)
    assert prove(database, Checkpoints(database, settings, clock), 4).signed.checkpoint.size == 5


def test_each_tampered_proof_is_refused(database, settings, clock, tmp_path: Path) -> None:
    checkpoints = checkpointed(database, settings, clock, [200, 301])
    key = str(checkpoints.verifier())
    proof = prove(database, checkpoints, 100, with_words=True).as_fields()
    assert holds(proof, key)
    refused = 0
    for name in ("leaf", "checkpoint", "words", "salt"):
        text = str(proof[name])
        for place in range(len(text)):
            changed = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
            # Base64 may say the same in two ways, and only what it says is meant.
            assert not holds(proof | {name: changed}, key) or same_base64(text, changed), changed
            refused += 1
    path = list(proof["inclusion"])
    for place in range(len(path)):
        raw = bytearray(base64.b64decode(path[place]))
        raw[random.Random(place).randrange(32)] ^= 1
        other = [*path]
        other[place] = base64.b64encode(raw).decode()
        assert not holds(proof | {"inclusion": other}, key)
        assert not holds(proof | {"inclusion": path[:place] + path[place + 1 :]}, key)
    assert not holds(proof | {"inclusion": [*path, path[0]]}, key)
    assert refused > 400
    changed = str(proof["leaf"]).replace("cli", "api")
    done = run_script(tmp_path, proof | {"leaf": changed}, key)
    assert done.returncode == 1
    assert "the entry is not in the signed ledger" in done.stderr


def same_base64(one: str, other: str) -> bool:
    try:
        decoded = [base64.b64decode(each.rpartition(" ")[2]) for each in (one, other)]
    except ValueError:
        return False
    return decoded[0] == decoded[1]


def test_another_keys_proof_is_refused(database, settings, clock, tmp_path: Path) -> None:
    checkpoints = checkpointed(database, settings, clock, [3])
    proof = prove(database, checkpoints, 1).as_fields()
    done = run_script(tmp_path, proof, str(checkpoints.verifier())[:-2] + "A=")
    assert done.returncode == 1


def test_what_is_not_there_or_was_changed_is_not_proved(database, settings, clock) -> None:
    checkpoints = checkpointed(database, settings, clock, [300])
    with pytest.raises(NotFoundError, match="no entry 300"):
        prove(database, checkpoints, 300)
    with database.writing() as connection:
        where = ledger_entries.c.number == 7
        connection.execute(update(ledger_entries).where(where).values(actor="os:0"))
    with pytest.raises(AlteredLedgerError, match="entry 7 is not as it was"):
        prove(database, checkpoints, 7)


def test_a_proof_holds_after_the_words_were_erased(database, settings, clock) -> None:
    checkpoints = checkpointed(database, settings, clock, [10])
    before = prove(database, checkpoints, 4, with_words=True).as_fields()
    assert before["words"] == "because of 4"
    with database.writing() as connection:
        erase_reason(connection, 4, ACTOR, clock)
    assert holds(prove(database, checkpoints, 4).as_fields(), str(checkpoints.verifier()))
    with pytest.raises(NotFoundError, match="erased"):
        prove(database, checkpoints, 4, with_words=True)
