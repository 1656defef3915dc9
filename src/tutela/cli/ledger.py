"""``tutela ledger``: who did what, and the proof that it is unaltered."""

import json as json_text
import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Self

import typer
from rich import progress as rich_progress
from rich.markup import escape
from rich.table import Table

from tutela.accounts.keys import key_names, named
from tutela.accounts.permissions import Permission
from tutela.cases.model import read_case_id
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_json, print_line, print_table, to_people
from tutela.errors import InvalidInputError
from tutela.ledger.checking import Finding
from tutela.ledger.checkpointing import SUFFIX, Checkpoints
from tutela.ledger.erasing import clear_remains, erase_reason
from tutela.ledger.model import Entry, EntryNumber
from tutela.ledger.notes import VerifierKey
from tutela.ledger.places.choosing import second_place
from tutela.ledger.places.model import Place
from tutela.ledger.proof_files import refuse_unfit, write_proof
from tutela.ledger.proving import prove
from tutela.ledger.reading import find_entry, newest_entries, words_of
from tutela.ledger.signing import key_to_sign, public_bytes, renew_key
from tutela.ledger.timestamping import StampVerifier
from tutela.ledger.verifying import Verification, verifier_of, verify
from tutela.storage.clock import system_clock

app = typer.Typer(help="See who did what, and prove that it is unaltered.", no_args_is_help=True)

_TAMPERED = 1
_SHOWN = 50
Number = Annotated[int, typer.Argument(metavar="ENTRY", min=0, help="The entry's number.")]


@app.command("ls")
@needs(Permission.LEDGER_READ)
def list_entries(
    case: Annotated[
        str | None, typer.Option(metavar="CASE", help="Only what was done on this case.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 50,
    before: Annotated[
        int | None, typer.Option(metavar="ENTRY", help="Only entries before this one.")
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List the newest entries."""
    with open_house(data, existing=True) as (_settings, database), database.reading() as connection:
        found = newest_entries(connection, limit, case and read_case_id(case), before)
        words = words_of(connection, found)
        names = key_names(connection)
    if json:
        for entry in found:
            print_json(_fields(entry, words.get(entry.number), names))
        return
    if not found:
        to_people.print("No entries.")
        return
    table = Table("entry", "when", "who", "what", "on", "why")
    for entry in found:
        thing = entry.thing and named(entry.thing, names)
        on = " ".join(each for each in (entry.case, entry.item, thing) if each)
        why = words.get(entry.number) or ("-" if entry.reason is None else "erased")
        table.add_row(
            str(entry.number),
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            escape(named(entry.actor, names)),
            entry.act,
            escape(on),
            escape(why),
        )
    print_table(table)


@app.command("show")
@needs(Permission.LEDGER_READ)
def show_entry(entry: Number, json: JsonLines = False, data: DataFolder = None) -> None:
    """Show one entry."""
    with open_house(data, existing=True) as (_settings, database), database.reading() as connection:
        found = find_entry(connection, entry)
        words = words_of(connection, [found]).get(found.number)
        names = key_names(connection)
    fields = _fields(found, words, names)
    if json:
        print_json(fields)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in fields.items():
        if value is not None:
            table.add_row(name.replace("_", " "), escape(str(value)))
    print_table(table)


@app.command("verify")
@needs(Permission.LEDGER_READ)
def verify_ledger(
    checkpoints: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="Where the checkpoints are: a folder or s3://bucket/prefix. Default: where they "
            "are written.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help='The verifier key, as "tutela ledger key" once printed it. Default: that of the '
            "ledger's own key file.",
            show_default=False,
        ),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> int:
    """Check everything: every entry, every hash, all words, every checkpoint.

    Exit codes: 0 the ledger is sound, 1 something was changed, 2 it could not be checked.
    """
    with open_house(data, covered=False, existing=True) as (settings, database):
        place = second_place(settings, checkpoints)
        if checkpoints is not None:
            _require_checkpoints(place, checkpoints)
        if key is None:
            own = key_to_sign(settings.keys_folder, place, database, system_clock)
            verifier = verifier_of(database, place, public_bytes(own))
        else:
            verifier = VerifierKey.read(key)
        roots = settings.ledger_timestamp_certificates
        begin = time.monotonic()
        with _Bar() as bar:
            verified = verify(
                database,
                settings,
                place,
                verifier,
                processes=len(os.sched_getaffinity(0)),
                stamps=StampVerifier.read(roots) if roots else None,
                progress=bar.tell,
            )
        seconds = time.monotonic() - begin
    if json:
        for finding in verified.findings:
            print_json(_finding_fields(finding))
        print_json(_verification_fields(verified, seconds))
    else:
        _tell(verified, seconds)
    return _TAMPERED if verified.findings else 0


@app.command("prove")
@needs(Permission.LEDGER_READ)
def prove_entry(
    entry: Number,
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it. Default: standard output.")
    ] = None,
    with_words: Annotated[
        bool, typer.Option("--with-words", help="Show the words that say why, too.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over FILE if it is there already.")
    ] = False,
    data: DataFolder = None,
) -> None:
    """Write a proof of an entry, for anyone to check with docs/verify_proof.py."""
    if file is not None:
        refuse_unfit(file, replace=force)
    with open_house(data, existing=True) as (settings, database):
        checkpoints = Checkpoints(database, settings, system_clock)
        proof = prove(database, checkpoints, entry, with_words=with_words).as_fields()
    if file is None:
        print_json(proof)
    else:
        write_proof(file, json_text.dumps(proof, indent=1) + "\n", replace=force)
        to_people.print(f"The proof is in {file}.", markup=False, soft_wrap=True)


@app.command("key")
@needs(Permission.LEDGER_WRITE)
def print_key(
    new: Annotated[
        bool,
        typer.Option("--new", help="Make another key, since ledger.key is lost for good."),
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Print the ledger's verifier key, by which strangers check its checkpoints and proofs."""
    with open_house(data, existing=True) as (settings, database):
        if new:
            place = second_place(settings)
            renew_key(settings.keys_folder, place, database, local_actor(), system_clock)
        key = Checkpoints(database, settings, system_clock).verifier()
    if json:
        print_json({"key": str(key)})
    else:
        print_line(str(key))


@app.command("checkpoint")
@needs(Permission.LEDGER_WRITE)
def make_checkpoint(json: JsonLines = False, data: DataFolder = None) -> None:
    """Sign the ledger as it is now, and write that to the second place."""
    with open_house(data, covered=False, existing=True) as (settings, database):
        checkpoints = Checkpoints(database, settings, system_clock)
        made = checkpoints.make()
        newest = checkpoints.newest()
    size = newest.checkpoint.size if newest else 0
    if json:
        print_json({"size": size, "made": made is not None})
    else:
        words = "signed" if made else "signed already"
        to_people.print(f"{size:,} entries are {words}.")


@app.command("erase-reason")
@needs(Permission.LEDGER_WRITE)
def erase(
    entry: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Erase the words that say why, for good. The entry stays, and all proofs hold."""
    with open_house(data, existing=True) as (_settings, database):
        if not yes:
            typer.confirm(f"Erase the words of entry {entry} for good?", abort=True, err=True)
        with database.writing() as connection:
            told = erase_reason(connection, EntryNumber(entry), local_actor(), system_clock)
        clear_remains(database)
    if json:
        print_json({"entry": entry, "erased_by_entry": told})
    else:
        to_people.print(f"The words of entry {entry} are erased. Entry {told} says so.")


def _require_checkpoints(place: Place, where: str) -> None:
    """Without a checkpoint the check would be none, and whoever named the place would not know."""
    if not where.strip() or not any(name.endswith(SUFFIX) for name in place.names()):
        raise InvalidInputError(
            f'nothing was checked: there is no checkpoint in "{where}", or no such place: '
            "see how --checkpoints is spelt"
        )


class _Bar:
    """A bar on a terminal; elsewhere nothing."""

    def __init__(self) -> None:
        self._bar = rich_progress.Progress(
            rich_progress.TextColumn("verifying"),
            rich_progress.BarColumn(bar_width=24),
            rich_progress.TaskProgressColumn(),
            rich_progress.MofNCompleteColumn(),
            rich_progress.TimeRemainingColumn(compact=True),
            console=to_people,
            transient=True,
            disable=not to_people.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def tell(self, done: int, size: int) -> None:
        self._bar.update(self._task, completed=done, total=size)


def _tell(verified: Verification, seconds: float) -> None:
    """Print the verdict: an answer, so that it can be kept in a file."""
    rate = verified.entries / max(seconds, 0.001)
    if not verified.entries and not verified.findings:
        print_line("The ledger is empty.")
        return
    print_line(
        f"{verified.entries:,} entries and {verified.checkpoints:,} checkpoints verified in "
        f"{seconds:.1f} s ({rate:,.0f} entries/s)."
    )
    if verified.findings:
        print_line(f"Not sound: {len(verified.findings):,} findings.")
        for finding in verified.findings[:_SHOWN]:
            print_line(f"  {finding.where}: {finding.what}")
        if len(verified.findings) > _SHOWN:
            print_line("  ... and more: all of them with --json, from entry 0 on")
    elif not verified.checkpoints:
        print_line(
            "Not signed yet: the entries fit each other, but no checkpoint was found that shows "
            "that they are those of old. Whoever may write the database could have replaced all "
            "of them. Check the setting ledger_checkpoints, then sign what there is: "
            "tutela ledger checkpoint"
        )
    elif verified.covered < verified.entries:
        print_line(
            f"Sound. The newest checkpoint is over {verified.covered:,} entries; those behind it "
            "could be replaced unnoticed, by whoever may write the database."
        )
    else:
        print_line("Sound. Every entry is below a signed checkpoint.")


def _fields(entry: Entry, words: str | None, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "entry": entry.number,
        "at": _text(entry.at),
        "actor": entry.actor,
        "actor_name": names.get(entry.actor),
        "role": entry.role,
        "face": entry.face,
        "act": entry.act,
        "case": entry.case,
        "item": entry.item,
        "thing": entry.thing,
        "thing_name": names.get(entry.thing) if entry.thing else None,
        "reason": words,
        "reason_erased": entry.reason is not None and words is None,
    }


def _text(moment: datetime) -> str:
    return moment.isoformat()


def _finding_fields(finding: Finding) -> dict[str, object]:
    return {
        "trouble": finding.trouble,
        "first": finding.first,
        "last": finding.last,
        "what": finding.what,
    }


def _verification_fields(verified: Verification, seconds: float) -> dict[str, object]:
    return {
        "sound": not verified.findings,
        "entries": verified.entries,
        "checkpoints": verified.checkpoints,
        "timestamps": verified.timestamps,
        "covered": verified.covered,
        "findings": len(verified.findings),
        "seconds": round(seconds, 3),
    }
