"""``tutela backup`` and ``tutela restore``: the whole house in one encrypted file, and back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tutela.accounts.permissions import Permission
from tutela.backup.making import Made, make_backup
from tutela.backup.model import Contents, Lack, LackingBlob
from tutela.backup.proving import Proof, prove
from tutela.backup.reading import Checked, check_backup
from tutela.backup.restoring import Restored, restore_backup
from tutela.cli.acting import needs
from tutela.cli.backup_progress import BackupProgress
from tutela.cli.opening import (
    DataFolder,
    JsonLines,
    cover_ledger,
    local_actor,
    open_house,
    prepare_vault,
)
from tutela.cli.output import print_json, to_people
from tutela.errors import InvalidInputError
from tutela.evidence.keyring import Keyring
from tutela.evidence.vault import Vault
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import load_settings

_LACKING = 1
"""The exit code where something is missing: neither done without a blemish, nor an error."""


@needs(Permission.HOUSE_KEEP)
def backup(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|FOLDER",
            help="Where it goes: a new file, or a folder, in which it is named by the time.",
        ),
    ],
    without_blobs: Annotated[
        bool,
        typer.Option(
            "--without-blobs",
            help="Leave the sealed evidence out, where it lies in a bucket that keeps versions.",
        ),
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Keep the N newest backups of the folder; older ones go once this one is whole.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Make none: read FILE to its end, and see if it is sound."),
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> int:
    """Make an encrypted backup while the service goes on serving.

    It holds the database and the sealed evidence, but never the keys: keep the folder of keys in
    another place. It is read again to its end before it gets its name. Exit code 1: it lacks
    evidence that the vault lacks.
    """
    if check:
        return _check(target, data, json=json)
    if keep is not None and not target.is_dir():
        raise InvalidInputError(f"--keep: {target} is no folder in which backups could be kept")
    with (
        open_house(data, existing=True) as (settings, database),
        BackupProgress("Backing up") as shown,
    ):
        prepare_vault(settings, database)
        made = make_backup(
            Vault.over(settings, database, system_clock),
            settings,
            target,
            local_actor(),
            with_blobs=not without_blobs,
            keep=keep,
            tell=shown.tell,
        )
    if json:
        print_json(
            {"path": str(made.path), **_checked_fields(made.checked)}
            | {"removed": [str(each) for each in made.removed]}
        )
    else:
        _tell_made(made, shown.seconds)
    return _LACKING if made.missing else 0


@needs(Permission.HOUSE_KEEP)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")],
    json: JsonLines = False,
    data: DataFolder = None,
) -> int:
    """Put a backup back into an empty house, of either database, and prove that it is whole.

    The keys of the time have to be in the folder of keys. All of it is put back or nothing. Exit
    code 0: the ledger and every piece of evidence were verified. 1: what is listed is missing.
    """
    settings = load_settings(data=data)
    database = Database.open(settings)
    try:
        vault = Vault.over(settings, database, system_clock)
        with BackupProgress("Restoring") as shown:
            restored = restore_backup(vault, file, local_actor(), shown.tell)
        with to_people.status("Verifying the ledger and every piece of evidence ..."):
            proof = prove(vault, settings, restored.contents, local_actor())
        cover_ledger(settings, database)
    finally:
        database.close()
    if json:
        print_json(_restored_fields(restored, proof))
    else:
        _tell_restored(restored, proof)
    return _LACKING if proof.wrong else 0


def _check(file: Path, data: Path | None, *, json: bool) -> int:
    settings = load_settings(data=data)
    with BackupProgress("Checking") as shown:
        checked = check_backup(file, Keyring(settings), shown.tell)
    if json:
        print_json({"path": str(file), **_checked_fields(checked)})
    else:
        _say(f"{file} is whole and as it was written.")
        _tell_contents(checked)
    return _LACKING if _missing(checked.lacking) else 0


def _checked_fields(checked: Checked) -> dict[str, object]:
    contents = checked.contents
    return {
        **_contents_fields(contents),
        "rows": checked.end.rows,
        "blobs": None if contents.blobs is None else checked.end.blobs,
        "bytes": checked.bytes,
        "destroyed_meanwhile": [each.id for each in checked.lacking if each.lack is Lack.DESTROYED],
        "missing": _missing(checked.lacking),
    }


def _contents_fields(contents: Contents) -> dict[str, object]:
    return {
        "backup": contents.id,
        "made_at": contents.made_at.isoformat(),
        "version": contents.version,
        "revision": contents.revision,
        "database": contents.database,
        "ledger_size": contents.ledger.size,
        "ledger_root": contents.ledger.root.hex(),
    }


def _restored_fields(restored: Restored, proof: Proof) -> dict[str, object]:
    return {
        **_contents_fields(restored.contents),
        "rows": restored.rows,
        "blobs": restored.blobs,
        "destroyed_again": list(restored.destroyed),
        "reports_in_doubt": restored.doubted,
        "ledger_entries_verified": proof.entries,
        "checkpoints_verified": proof.checkpoints,
        "ledger_entries_lost": proof.lost,
        "evidence_verified": proof.items,
        "evidence_bytes": proof.bytes,
        "wrong": list(proof.wrong),
    }


def _tell_made(made: Made, seconds: float) -> None:
    size = made.checked.bytes / (1 << 20)
    _say(f"{made.path} is whole: {size:,.1f} MiB in {seconds:,.1f} s, read again to its end.")
    _tell_contents(made.checked)
    if made.removed:
        _say(f"Removed: {', '.join(each.name for each in made.removed)}.")
    _say("The keys are not in it. Keep a copy of the folder of keys in another place.")


def _tell_contents(checked: Checked) -> None:
    contents = checked.contents
    blobs = "no blobs" if contents.blobs is None else f"{checked.end.blobs:,} blobs"
    _say(
        f"It holds {checked.end.rows:,} rows, {blobs} and {contents.ledger.size:,} entries of the "
        f"ledger, as of {contents.made_at:%Y-%m-%d %H:%M:%S} UTC (backup {contents.id})."
    )
    for missing in _missing(checked.lacking):
        _say(f'warning: the vault lacks the blob {missing}: see "tutela evidence verify"')


def _tell_restored(restored: Restored, proof: Proof) -> None:
    contents = restored.contents
    _say(
        f"Restored {restored.rows:,} rows and {restored.blobs:,} blobs, as of "
        f"{contents.made_at:%Y-%m-%d %H:%M:%S} UTC (backup {contents.id})."
    )
    _say(
        f"Ledger: {proof.entries:,} entries verified, by {proof.checkpoints:,} signed checkpoints "
        f"at hand; its head is the backup's ({contents.ledger.root.hex()[:16]}...)."
    )
    _say(f"Evidence: {proof.items:,} pieces opened and verified, {proof.bytes:,} bytes.")
    if restored.doubted:
        _say(
            f"Reports: {restored.doubted:,} may have been sent since the backup. None goes before "
            'somebody has said whether it was: see "tutela report doubts".'
        )
    if restored.destroyed:
        _say(f"Destroyed while the backup was made, and so here: {', '.join(restored.destroyed)}.")
    if proof.lost:
        _say(
            f"At least {proof.lost:,} entries of the ledger were signed after this backup and are "
            'lost, with what they tell of. "tutela ledger verify" says so until their checkpoints '
            'are put aside: see "After a restore" in docs/backup.md.'
        )
    for each in proof.wrong:
        _say(f"missing or wrong: {each}")
    if not proof.wrong:
        _say("The house is whole.")


def _missing(lacking: Sequence[LackingBlob]) -> list[str]:
    return [each.id for each in lacking if each.lack is Lack.MISSING]


def _say(line: str) -> None:
    to_people.print(line, markup=False, soft_wrap=True)
