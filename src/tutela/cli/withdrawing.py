"""``tutela list withdraw``, ``restore`` and ``withdrawn``: entries that shall not match."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tutela.accounts.permissions import Permission
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_json, print_table, to_people
from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.entries import change_entries
from tutela.hashlists.exporting import withdrawn_entries
from tutela.hashlists.formats.hashes import KindHint, is_video, read_hash, read_listed
from tutela.hashlists.lists import find_list
from tutela.hashlists.model import ListRow
from tutela.hashlists.reading import ListFile
from tutela.storage.clock import system_clock

Name = Annotated[str, typer.Argument(help="The list's name.")]
HashText = Annotated[
    str | None,
    typer.Argument(metavar="[HASH]", help="The hash; with --kind url and the like, the address."),
]
HashFile = Annotated[
    Path | None, typer.Option("--file", help="A file of hashes instead, in any list format.")
]
HashKind = Annotated[Kind | None, typer.Option("--kind", help="What the hash is.")]
Why = Annotated[str, typer.Option(help="Why. It is kept.")]


@needs(Permission.LISTS_WRITE)
def withdraw(
    name: Name,
    reason: Why,
    hash_text: HashText = None,
    file: HashFile = None,
    kind: HashKind = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Make entries match no more, within a second; a later import leaves them withdrawn."""
    found = _fingerprints(hash_text, file, kind)
    _change(name, found, reason, data, live=False, json=json)


@needs(Permission.LISTS_WRITE)
def restore(
    name: Name,
    reason: Why,
    hash_text: HashText = None,
    file: HashFile = None,
    kind: HashKind = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Make withdrawn entries match again."""
    found = _fingerprints(hash_text, file, kind)
    _change(name, found, reason, data, live=True, json=json)


@needs(Permission.LISTS_WRITE)
def withdrawn(name: Name, json: JsonLines = False, data: DataFolder = None) -> None:
    """List the withdrawn entries: who withdrew them, when and why."""
    table = Table("kind", "hash", "withdrawn", "by", "reason")
    with open_house(data) as (_settings, database), database.reading() as connection:
        for entry in withdrawn_entries(connection, find_list(connection, name)):
            if json:
                print_json(
                    {
                        "kind": entry.fingerprint.kind,
                        "hash": entry.fingerprint.text,
                        "withdrawn_at": entry.withdrawn_at.isoformat(),
                        "withdrawn_by": entry.withdrawn_by,
                        "reason": entry.reason,
                    }
                )
            else:
                table.add_row(
                    entry.fingerprint.kind,
                    entry.fingerprint.text,
                    f"{entry.withdrawn_at:%Y-%m-%d %H:%M}",
                    entry.withdrawn_by,
                    entry.reason,
                )
    if table.row_count:
        print_table(table)
    elif not json:
        to_people.print("None is withdrawn.")


def _fingerprints(text: str | None, file: Path | None, kind: Kind | None) -> list[Fingerprint]:
    if (text is None) == (file is None):
        raise InvalidInputError("name one hash, or a file of them with --file")
    if text is not None:
        text = text.strip()
        if is_video(text, kind, KindHint()):
            return [read_listed(Kind.VPDQ, text)[0]]
        return [read_hash(text, kind, KindHint())]
    rows = list(ListFile(file, kind).rows()) if file else []
    if not rows:
        raise InvalidInputError(f"{file}: there is no hash in it")
    for row in rows:
        if not isinstance(row, ListRow):
            raise InvalidInputError(f"{file}: line {row.number}: {row.reason}; nothing was changed")
    return [row.fingerprint for row in rows if isinstance(row, ListRow)]


def _change(
    name: str,
    fingerprints: list[Fingerprint],
    reason: str,
    data: Path | None,
    *,
    live: bool,
    json: bool,
) -> None:
    with open_house(data) as (_settings, database), database.writing() as connection:
        changed = change_entries(
            connection,
            find_list(connection, name),
            fingerprints,
            live=live,
            reason=reason,
            actor=local_actor(),
            clock=system_clock,
        )
    done = "restored" if live else "withdrawn"
    left = len(fingerprints) - changed
    if json:
        print_json({"name": name, done: changed, "left": left})
    else:
        to_people.print(f'{changed:,} entries of the list "{name}" {done}.', markup=False)
        if left:
            to_people.print(f"{left:,} left as they were: not on it, or {done} before.")
