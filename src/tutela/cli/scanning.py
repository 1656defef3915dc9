"""``tutela scan``: look through files and folders."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from tutela.accounts.permissions import Permission
from tutela.cli.acting import needs
from tutela.cli.opening import (
    DataFolder,
    JsonLines,
    local_actor,
    open_house,
    prepare_vault,
    see_seal,
    warn_of_absent_lists,
)
from tutela.cli.output import to_people
from tutela.cli.scan_report import ScanReport
from tutela.errors import InvalidInputError, StorageError
from tutela.screening.checkpoint import Checkpoint, abandon, resume
from tutela.screening.finding import check_roots, find_files
from tutela.screening.model import Verdict
from tutela.screening.opening import open_screening
from tutela.screening.scanning import scan
from tutela.storage.clock import system_clock

_CLEAR, _MATCH, _ERROR = 0, 1, 2


@needs(Permission.SCREEN)
def scan_paths(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Files and folders to look through."),
    ] = None,
    resume_scan: Annotated[
        bool,
        typer.Option("--resume", help="Go on with an interrupted scan: of PATH, or the last one."),
    ] = False,
    abandon_scan: Annotated[
        bool,
        typer.Option("--abandon", help="Forget interrupted scans: of PATH, or all of them."),
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", "-a", help="Print clear files too, not only what was found.")
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> int:
    """Look through files and folders for known material. No picture is ever shown.

    A match opens a case. A clear file leaves nothing behind but a count. Exit codes are
    clamscan's: 0 nothing found, 1 something found, 2 something could not be looked at that the
    policy of unreadable files does not let pass.
    """
    if resume_scan and abandon_scan:
        raise InvalidInputError("choose one of --resume and --abandon")
    with open_house(data) as (settings, database):
        folder = settings.data / "scans"
        if abandon_scan:
            erased = abandon(folder, check_roots(paths) if paths else [])
            to_people.print(f"Interrupted scans forgotten: {erased}.")
            return _CLEAR
        see_seal(settings)
        prepare_vault(settings, database)
        with open_screening(settings, database, system_clock) as room:
            # A database or index that does not answer is better known before the search for files.
            room.screener.refresh()
            warn_of_absent_lists(settings, database)
            checkpoint = _checkpoint(folder, paths or [], resumed=resume_scan)
            report = ScanReport(checkpoint.scan, json=json, every=every)

            def save_counts() -> None:
                # What cannot be saved now is kept for the next time, or for the end.
                with suppress(StorageError):
                    room.counts.save(database)

            outcomes = scan(
                checkpoint,
                room.cells,
                settings.cells,
                room.screener,
                save_counts,
                actor=local_actor(),
            )
            with _kept_for_later(checkpoint), report, closing(outcomes):
                for scanned in outcomes:
                    report.tell(scanned)
    if report.verdicts[Verdict.MATCH]:
        return _MATCH
    return _ERROR if report.verdicts[Verdict.UNREADABLE] > report.passed else _CLEAR


def _checkpoint(folder: Path, paths: list[str], *, resumed: bool) -> Checkpoint:
    if resumed:
        return resume(folder, check_roots(paths) if paths else [])
    roots = check_roots(paths)
    abandon(folder, roots)
    with to_people.status("Looking for files ..."):
        return Checkpoint.begin(folder, roots, find_files(paths), started_in=os.getcwd())  # noqa: PTH109


@contextmanager
def _kept_for_later(checkpoint: Checkpoint) -> Iterator[None]:
    """Erase the checkpoint when the scan ends, but keep it when it is interrupted."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except BaseException:
        checkpoint.close()
        to_people.print("Interrupted. To go on where it stopped: tutela scan --resume")
        raise
    else:
        checkpoint.erase()
    finally:
        signal.signal(signal.SIGTERM, before)
