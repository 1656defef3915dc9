"""``tutela key``: the API keys of the programs that call the service."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tutela.accounts.keys import all_keys, give_key, revoke_key
from tutela.accounts.people import find_named
from tutela.accounts.permissions import Permission
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_json, print_line, print_table, to_people
from tutela.storage.clock import system_clock

app = typer.Typer(
    help="Make, list and revoke the API keys of programs that call the service.",
    no_args_is_help=True,
)

_SCOPES = "\n".join(f"- {scope}: {scope.meaning}" for scope in Permission)


@app.command("add", epilog=f"Scopes:\n\n{_SCOPES}")
@needs(Permission.KEYS_WRITE)
def add(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="What to call the key, such as the program's name."),
    ],
    scope: Annotated[
        list[Permission],
        typer.Option(
            "--scope", metavar="SCOPE", help="What the key allows. May be given repeatedly."
        ),
    ],
    owner: Annotated[
        str | None,
        typer.Option(
            metavar="PERSON",
            help="The number or address of the person it belongs to, who acts by it: it never "
            "allows more than they may do.",
            show_default=False,
        ),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Make a key and print it. It is shown only this once."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        person = find_named(connection, owner) if owner is not None else None
        key = give_key(
            connection,
            name,
            scope,
            owner=person.id if person else None,
            caller=local_caller(),
            clock=system_clock,
        )
    if json:
        fields: dict[str, object] = {"name": name, "key": key, "scopes": sorted(set(scope))}
        print_json(fields | ({"owner": person.actor_id} if person else {}))
        return
    print_line(key)
    to_people.print("Keep it safe: it cannot be shown again. Only its hash is stored.", style="dim")


@app.command("ls")
@needs(Permission.KEYS_READ)
def list_keys(json: JsonLines = False, data: DataFolder = None) -> None:
    """List the keys, without their secrets."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        keys = all_keys(connection)
    if json:
        for key in keys:
            print_json(
                {
                    "id": key.actor_id,
                    "name": key.name,
                    "scopes": sorted(key.scopes),
                    "owner": f"person:{key.owner}" if key.owner is not None else None,
                    "created_at": key.created_at.isoformat(),
                    "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
                }
            )
        return
    if not keys:
        to_people.print("No keys yet. Make one: tutela key add NAME --scope screen")
        return
    table = Table("id", "name", "scopes", "owner", "made", "state")
    for key in keys:
        table.add_row(
            key.actor_id,
            escape(key.name),
            " ".join(sorted(key.scopes)),
            f"person:{key.owner}" if key.owner is not None else "-",
            f"{key.created_at:%Y-%m-%d %H:%M}",
            f"revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "in use",
        )
    print_table(table)


@app.command("revoke")
@needs(Permission.KEYS_WRITE)
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The key's name.")],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Make a key stop working, within a second and for good."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        revoke_key(connection, name, local_actor(), system_clock)
    if json:
        print_json({"name": name, "revoked": True})
    else:
        to_people.print(f'The key "{name}" no longer works.', markup=False)
