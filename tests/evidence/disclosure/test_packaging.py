"""An authority opens with its own tools what two people agreed to hand over, and checks it."""

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import select, update

from tests.actors import actor_called
from tests.evidence.disclosure.authority import Authority
from tests.evidence.disclosure.packages import CONTENTS, World
from tests.evidence.sealing import sealed_item
from tutela.accounts.keys import check_key, revoke_key
from tutela.errors import (
    DamagedEvidenceError,
    NotAgreedError,
    NotFoundError,
    NotSignedInError,
    TutelaError,
)
from tutela.evidence.destruction import destroy
from tutela.evidence.disclosure.custody import HOW_TO_CHECK
from tutela.evidence.disclosure.requesting import find_disclosure, refuse
from tutela.evidence.disclosure.writing import UNFINISHED
from tutela.evidence.holds import hold
from tutela.evidence.model import ItemId
from tutela.evidence.subjects import Subject
from tutela.evidence.tables import blobs, evidence_items
from tutela.evidence.vault import Vault


def _read(folder: Path) -> Mapping[str, object]:
    return json.loads((folder / "case.json").read_text())


def test_the_authority_opens_and_checks_everything_with_its_own_tools(
    world: World, authority: Authority, out: Path
) -> None:
    number = world.agreed(authority)
    world.make(number, out / "p.tar.age")
    folder = authority.open(out / "p.tar.age", out / "opened")
    assert folder.name == f"tutela-{world.case}-disclosure-{number}"
    for each, content in zip(world.items, CONTENTS, strict=True):
        assert (folder / f"media/{each}.bin").read_bytes() == content
    assert len(list((folder / "media").iterdir())) == 3

    case = _read(folder)
    first, second, _, fourth = case["items"]
    assert first["original_name"] == "first.png"
    assert first["media_type"] == "image/png"
    assert first["sha256"] == hashlib.sha256(CONTENTS[0]).hexdigest()
    assert second["original_name"] == "Фото 北京.bin"
    assert (fourth["file"], fourth["standing"]) == (None, "no-file")
    assert case["disclosure"]["to"] == "State Police of Example"

    sheet = PdfReader(io.BytesIO((folder / "cover-sheet.pdf").read_bytes()))
    text = "".join(page.extract_text() for page in sheet.pages)
    for expected in (world.case, "Order of the court", first["sha256"], "disclosure.agreed"):
        assert expected in text
    assert "Order" not in (folder / "case-uco.jsonld").read_text()[:200]
    assert authority.key in (folder / "README.txt").read_text()


def test_every_entry_about_the_case_is_proved_by_a_script_that_knows_nothing_of_us(
    world: World, authority: Authority, out: Path
) -> None:
    world.make(world.agreed(authority), out / "p.tar.age")
    ledger = authority.open(out / "p.tar.age", out / "opened") / "ledger"
    assert HOW_TO_CHECK in (ledger.parent / "README.txt").read_text()
    told = [entry["act"] for entry in _read(ledger.parent)["ledger"]]
    assert told == world.acts()[:-1]
    assert told[-2:] == ["disclosure.requested", "disclosure.agreed"]
    # Python with its package cryptography is what the README asks for, and nothing of ours.
    python = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", HOW_TO_CHECK],
            cwd=ledger,
            env=python,
            capture_output=True,
            text=True,
            check=False,
        )

    checked = check()
    assert checked.stdout.count("holds:") == len(told), checked.stderr
    assert "BAD" not in checked.stdout
    altered = ledger / sorted(each.name for each in ledger.glob("entry-*.json"))[0]
    altered.write_text(altered.read_text().replace("evidence.sealed", "evidence.sealer"))
    assert check().stdout.count("BAD") == 1


def test_the_script_is_the_one_of_the_documentation() -> None:
    root = Path(__file__).parents[3]
    ours = root / "src/tutela/evidence/disclosure/verify_proof.txt"
    assert ours.read_bytes() == (root / "docs/verify_proof.py").read_bytes()


def test_the_ledger_and_the_request_know_the_package(
    world: World, authority: Authority, out: Path
) -> None:
    number = world.agreed(authority)
    world.make(number, out / "p.tar.age", world.ben)
    content = (out / "p.tar.age").read_bytes()
    with world.database.reading() as connection:
        made = find_disclosure(connection, number)
    assert made.package_sha256 == hashlib.sha256(content).hexdigest()
    assert made.package_size == len(content)
    assert world.acts()[-3:] == ["disclosure.requested", "disclosure.agreed", "disclosure.made"]


def test_a_package_may_be_made_again_and_each_time_is_written_down(
    world: World, authority: Authority, out: Path
) -> None:
    number = world.agreed(authority)
    world.make(number, out / "1.age")
    world.make(number, out / "2.age")
    assert (out / "1.age").read_bytes() != (out / "2.age").read_bytes()
    assert world.acts().count("disclosure.made") == 2


def test_without_agreement_there_is_no_package(
    world: World, authority: Authority, out: Path
) -> None:
    number = world.ask(authority).id
    with pytest.raises(NotAgreedError, match="still needs a second person"):
        world.make(number, out / "p.age")
    with pytest.raises(NotSignedInError):
        world.make(number, out / "p.age", "tutela_nobody")
    assert list(out.iterdir()) == []
    assert "disclosure.made" not in world.acts()


def test_an_item_that_came_meanwhile_needs_a_new_agreement(
    world: World, authority: Authority, out: Path
) -> None:
    number = world.agreed(authority)
    sealed_item(world.vault, world.case, b"one more")
    with pytest.raises(NotAgreedError, match="has changed since"):
        world.make(number, out / "p.age")
    again = world.agreed(authority)
    world.make(again, out / "p.age")
    folder = authority.open(out / "p.age", out / "opened")
    assert len(list((folder / "media").iterdir())) == 4


def test_what_is_left_out_is_described_but_not_there(
    world: World, authority: Authority, out: Path
) -> None:
    with pytest.raises(NotFoundError, match="has no evidence"):
        world.ask(authority, {"z" * 26})
    number = world.agreed(authority, {world.items[1]})
    world.make(number, out / "p.age")
    folder = authority.open(out / "p.age", out / "opened")
    assert not (folder / f"media/{world.items[1]}.bin").exists()
    left_out = _read(folder)["items"][1]
    assert (left_out["standing"], left_out["id"]) == ("left-out", world.items[1])
    assert left_out["sha256"] == hashlib.sha256(CONTENTS[1]).hexdigest()


def test_what_was_destroyed_is_listed_without_its_file(
    world: World, authority: Authority, out: Path
) -> None:
    number = world.agreed(authority)
    gone = world.items[0]
    destroy(world.vault, [gone], actor_called("ana"), reason="asked for", ordered_by="LE-1")
    with pytest.raises(NotAgreedError, match="has changed since"):
        world.make(number, out / "p.age")
    world.make(world.agreed(authority), out / "p.age")
    folder = authority.open(out / "p.age", out / "opened")
    described = _read(folder)["items"][0]
    assert described["standing"] == "destroyed"
    assert described["destroyed_at"] == world.clock().isoformat()
    assert not (folder / f"media/{gone}.bin").exists()


@pytest.mark.parametrize("on_the_case", [True, False])
def test_what_is_held_is_handed_over_and_said_to_be_held(
    world: World, authority: Authority, out: Path, on_the_case: bool
) -> None:
    subject = Subject(world.case, None if on_the_case else world.items[0])
    with world.database.writing() as connection:
        hold(
            connection,
            subject,
            actor_called("ana"),
            world.clock,
            reference="H-1",
            reason="a trial",
        )
    world.make(world.agreed(authority), out / "p.age")
    folder = authority.open(out / "p.age", out / "opened")
    assert [each["legal_hold"] for each in _read(folder)["items"]] == [
        True,
        on_the_case,
        on_the_case,
        False,
    ]


def _flip(vault: Vault, world: World, damaged: ItemId, at: int) -> None:
    with vault.database.reading() as connection:
        blob = connection.execute(
            select(evidence_items.c.blob_id).where(evidence_items.c.id == damaged)
        ).scalar_one()
    (file,) = [each for each in world.office.settings.data.rglob("*") if each.name.startswith(blob)]
    file.chmod(0o600)
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("at", [60, -1])
def test_a_damaged_item_is_never_handed_over(
    world: World, authority: Authority, out: Path, at: int
) -> None:
    number = world.agreed(authority)
    damaged = world.items[1]
    _flip(world.vault, world, damaged, at)
    with pytest.raises(DamagedEvidenceError, match=f"again with --without {damaged}"):
        world.make(number, out / "p.age")
    assert list(out.iterdir()) == []
    assert "disclosure.made" not in world.acts()
    world.make(world.agreed(authority, {damaged}), out / "p.age")
    authority.open(out / "p.age", out / "opened")


def test_a_row_that_tells_of_another_content_is_noticed(
    world: World, authority: Authority, out: Path
) -> None:
    with world.database.writing() as connection:
        connection.execute(
            update(blobs).where(blobs.c.size == len(CONTENTS[1])).values(size=len(CONTENTS[1]) - 1)
        )
    with pytest.raises(TutelaError, match=r"damaged|not what was sealed"):
        world.make(world.agreed(authority), out / "p.age")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("event", ["refused", "revoked", "another item"])
def test_what_happens_while_it_is_written_stops_it(
    world: World, authority: Authority, out: Path, event: str
) -> None:
    number = world.agreed(authority)

    def happen() -> None:
        with world.database.writing() as connection:
            if event == "refused":
                refuse(connection, check_key(connection, world.ben), number, "stop", world.clock)
            elif event == "revoked":
                revoke_key(connection, "ada", actor_called("boss"), world.clock)
        if event == "another item":
            sealed_item(world.vault, world.case, b"one more")

    def type_of(_: bytes) -> None:
        nonlocal happened
        if not happened:
            happened = True
            happen()

    happened = False
    world.office = replace(world.office, type_of=type_of)
    with pytest.raises((NotAgreedError, NotSignedInError)):
        world.make(number, out / "p.age")
    assert happened
    assert list(out.iterdir()) == []
    assert "disclosure.made" not in world.acts()


def test_no_plaintext_reaches_the_disk(world: World, authority: Authority, out: Path) -> None:
    """Everything that is in any folder of ours while the last bytes are written."""
    number = world.agreed(authority)
    marks = [b"first.png", "Фото".encode(), CONTENTS[1][:64], CONTENTS[1][-64:]]
    seen: list[Path] = []

    class Watching(Vault):
        def open(self, item: ItemId):
            yield from super().open(item)
            for file in out.parent.rglob("*"):
                if file.is_file():
                    seen.append(file)
                    content = file.read_bytes()
                    assert not any(mark in content for mark in marks), file

    vault = world.vault
    watching = Watching(vault.database, vault.store, vault.keyring, vault.clock)
    world.office = replace(world.office, vault=watching)
    world.make(number, out / "p.age")
    assert any(file.name.endswith(UNFINISHED) for file in seen)
