"""``tutela list``: lists of known material."""

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cli.acting import needs
from tutela.cli.flags import list_flags, settle
from tutela.cli.import_progress import ImportProgress
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_json, print_table, to_people
from tutela.cli.withdrawing import restore, withdraw, withdrawn
from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.hashlists.exporting import ExportFormat, export_list, new_file
from tutela.hashlists.importing import import_file
from tutela.hashlists.indexing import open_index
from tutela.hashlists.lists import all_lists, create_list, find_list, list_summary, remove_list
from tutela.hashlists.model import ImportRecord, ImportResult, ListSummary, Provenance
from tutela.ledger.appending import append
from tutela.ledger.model import Act
from tutela.storage.clock import system_clock

app = typer.Typer(help="Keep lists of known material.", no_args_is_help=True)
app.command("withdraw")(withdraw)
app.command("restore")(restore)
app.command("withdrawn")(withdrawn)
app.command("flags")(list_flags)
app.command("settle")(settle)

_ERROR = 2
# So that an import of any length fits into 1 GiB. What is left to merge, the service does.
_MERGE_BYTES = 512 << 20
Name = Annotated[str, typer.Argument(help="The list's name.")]


@app.command("create")
@needs(Permission.LISTS_WRITE)
def create(
    name: Annotated[str, typer.Argument(help="What to call it, in 1 to 100 characters.")],
    description: Annotated[str, typer.Option(help="A line for people.")] = "",
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Make an empty list."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        made = create_list(connection, name, description, local_actor(), system_clock)
    if json:
        print_json({"name": made.name, "description": made.description})
    else:
        _say(f'The list "{made.name}" is made. Fill it: tutela list import "{made.name}" FILE')


@app.command("import")
@needs(Permission.LISTS_WRITE)
def import_list(
    name: Name,
    file: Annotated[Path, typer.Argument(help="CSV, JSON or text; gzip is understood.")],
    source: Annotated[
        str | None,
        typer.Option(help="Who says that these are known. Default: the file's name."),
    ] = None,
    label: Annotated[
        str, typer.Option(help="What they are said to be, such as A1, where rows do not say it.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why they are added.")] = "",
    kind: Annotated[
        Kind | None, typer.Option(help="What the hashes are, where the file does not say it.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="LABEL",
            help="Take only rows with this label, such as a Project VIC category. May be repeated.",
        ),
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where rows go that cannot be read. Default: FILE.rejects.csv.",
            show_default=False,
        ),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> int:
    """Put the hashes of a file on a list.

    Understands CSV, JSON lines, Project VIC JSON, md5sum's and Meta's text files. Interrupted, the
    same command goes on where it stopped; repeated, it adds nothing.
    """
    rejects = rejects or Path(f"{file}.rejects.csv")
    with open_house(data) as (settings, database):
        with database.reading() as connection:
            hash_list = find_list(connection, name)
        with ImportProgress(name) as shown:
            try:
                result = import_file(
                    database,
                    hash_list,
                    file,
                    Provenance(_default_source(file) if source is None else source, label, reason),
                    actor=local_actor(),
                    clock=system_clock,
                    rejects_path=rejects,
                    kind=kind,
                    only_labels=only or (),
                    progress=shown.tell,
                )
            except KeyboardInterrupt:
                _say("Interrupted. To go on where it stopped, run the same command again.")
                raise
        with (
            to_people.status("Bringing the index up to date ..."),
            open_index(settings.data / "index", database) as index,
        ):
            index.compact(min(settings.merge_memory_mib << 20, _MERGE_BYTES))
    if json:
        print_json(_result_fields(name, result, rejects))
    else:
        _tell(result, shown.seconds, rejects)
    return _ERROR if result.rejected == result.rows > 0 else 0


@app.command("export")
@needs(Permission.LISTS_WRITE)
def export(
    name: Name,
    file: Annotated[
        Path | None, typer.Argument(help="Where to write. Default: standard output.")
    ] = None,
    form: Annotated[ExportFormat, typer.Option("--format", help="How.")] = ExportFormat.CSV,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Write a list's live entries, in a form that can be imported again."""
    if json:
        form = ExportFormat.JSON
    with open_house(data) as (_settings, database):
        with database.reading() as connection:
            hash_list = find_list(connection, name)
        with _standard_output() if file is None else new_file(file, replace=force) as out:
            # First of all, so that nothing leaves without an entry.
            with database.writing() as connection:
                thing = f"list:{hash_list.id}"
                append(connection, local_actor(), Act.LIST_EXPORTED, system_clock, thing=thing)
            with database.reading() as connection:
                count = export_list(connection, hash_list, form, out)
    if file is not None:
        _say(f"{count:,} entries written to {file}, which only you can read.")


@app.command("show")
@needs(Permission.LISTS_READ)
def show(name: Name, json: JsonLines = False, data: DataFolder = None) -> None:
    """Show how much a list holds, and where it came from."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        summary = list_summary(connection, find_list(connection, name))
    if json:
        print_json(
            _summary_fields(summary)
            | {"imports": [_import_fields(each) for each in summary.imports]}
        )
        return
    fields = Table(show_header=False, box=None, pad_edge=False)
    fields.add_row("list", summary.hash_list.name)
    fields.add_row("description", summary.hash_list.description or "-")
    made = summary.hash_list.created_at
    fields.add_row("made", f"{made:%Y-%m-%d %H:%M} by {summary.hash_list.created_by}")
    fields.add_row("live entries", _counts(summary))
    fields.add_row("withdrawn", f"{summary.withdrawn:,}")
    print_table(fields)
    if summary.imports:
        _print_imports(summary.imports)


@app.command("ls")
@needs(Permission.LISTS_READ)
def list_lists(json: JsonLines = False, data: DataFolder = None) -> None:
    """List the lists."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        summaries = [list_summary(connection, each) for each in all_lists(connection)]
    if json:
        for summary in summaries:
            print_json(_summary_fields(summary))
        return
    if not summaries:
        _say("No lists yet. Make one: tutela list create NAME")
        return
    table = Table("list", "live entries", "withdrawn", "description")
    for summary in summaries:
        table.add_row(
            summary.hash_list.name,
            _counts(summary),
            f"{summary.withdrawn:,}",
            summary.hash_list.description,
        )
    print_table(table)


@app.command("remove")
@needs(Permission.LISTS_WRITE)
def remove(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why. It is kept.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Take a list out of use. Nothing on it matches any more; its history is kept for old cases."""
    with open_house(data) as (_settings, database):
        with database.reading() as connection:
            summary = list_summary(connection, find_list(connection, name))
        if not yes:
            _ask(f'Stop matching the list "{name}" ({_counts(summary)})?')
        with database.writing() as connection:
            remove_list(connection, name, reason, local_actor(), system_clock)
    if json:
        print_json({"name": name, "removed": True})
    else:
        _say(f'The list "{name}" no longer matches anything.')


@contextmanager
def _standard_output() -> Iterator[TextIO]:
    """Standard output as UTF-8 with our own line ends, whatever the terminal's settings."""
    text = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        yield text
        text.flush()
    finally:
        text.detach()


def _say(line: str) -> None:
    to_people.print(line, markup=False, soft_wrap=True)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise InvalidInputError("there is nobody to ask: confirm with --yes")
    typer.confirm(question, abort=True, err=True)


def _default_source(file: Path) -> str:
    readable = (file.name or str(file)).encode("utf-8", "backslashreplace").decode()
    return "".join(each if each.isprintable() else "?" for each in readable).strip()


def _counts(summary: ListSummary) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in summary.live.items()) or "none"


def _tell(result: ImportResult, seconds: float, rejects: Path) -> None:
    done = result.rows - result.resumed_at
    if result.resumed_at:
        _say(f"Went on behind row {result.resumed_at:,}, where it was interrupted.")
    _say(
        f"{result.rows:,} {'row' if result.rows == 1 else 'rows'}: {result.added:,} added, "
        f"{result.already:,} there already, "
        f"{result.withdrawn:,} withdrawn before and left so, {result.rejected:,} rejected "
        f"({done / max(seconds, 0.001):,.0f} rows/s)."
    )
    if result.rejected:
        _say(f"The rejected rows and what is wrong with them: {rejects}")


def _result_fields(name: str, result: ImportResult, rejects: Path) -> dict[str, object]:
    return {
        "name": name,
        "import": result.id,
        "rows": result.rows,
        "added": result.added,
        "already": result.already,
        "withdrawn": result.withdrawn,
        "rejected": result.rejected,
        "resumed_at": result.resumed_at,
        "rejects": str(rejects) if result.rejected else None,
    }


def _summary_fields(summary: ListSummary) -> dict[str, object]:
    return {
        "name": summary.hash_list.name,
        "description": summary.hash_list.description,
        "created_at": summary.hash_list.created_at.isoformat(),
        "created_by": summary.hash_list.created_by,
        "entries": {str(kind): count for kind, count in summary.live.items()},
        "withdrawn": summary.withdrawn,
    }


def _import_fields(record: ImportRecord) -> dict[str, object]:
    return {
        "import": record.id,
        "source": record.provenance.source,
        "label": record.provenance.label,
        "reason": record.provenance.reason,
        "imported_by": record.imported_by,
        "started_at": record.started_at.isoformat(),
        "finished_at": record.finished_at.isoformat() if record.finished_at else None,
        "file": record.file_name,
        "rows": record.rows,
        "added": record.added,
        "already": record.already,
        "withdrawn": record.withdrawn,
        "rejected": record.rejected,
    }


def _print_imports(records: Iterable[ImportRecord]) -> None:
    table = Table("imported", "by", "source", "label", "reason", "added", "rejected", "state")
    for record in records:
        table.add_row(
            f"{record.started_at:%Y-%m-%d %H:%M}",
            record.imported_by,
            record.provenance.source,
            record.provenance.label or "-",
            record.provenance.reason or "-",
            f"{record.added:,}",
            f"{record.rejected:,}",
            "done" if record.finished_at else f"not finished, at row {record.rows:,}",
        )
    print_table(table)
