"""``tutela sandbox-authority``: an authority on one's own machine, to which reports may go."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tutela.cli.acting import needs
from tutela.cli.opening import JsonLines
from tutela.cli.output import print_json, to_people
from tutela.errors import InvalidInputError, StorageError
from tutela.testing.authority.calls import Rules
from tutela.testing.authority.documents import Documents
from tutela.testing.authority.registry import Registry
from tutela.testing.authority.serving import address_of, base_of, listen, real_time, server_of


@needs(None)
def sandbox_authority(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8471,
    folder: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where it keeps what it was sent.")
    ] = Path("tutela-sandbox-authority"),
    user: Annotated[str, typer.Option(help="The user that it lets in.")] = "sandbox",
    password: Annotated[str, typer.Option(help="That user's password.")] = "sandbox",  # noqa: S107
    schema: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your copy of the official schema, to check by it in place of Tutela's own.",
        ),
    ] = None,
    json_lines: JsonLines = False,
) -> None:
    """Run an authority on this machine that reports can be tried on: nothing goes anywhere."""
    documents = Documents.by_official_schema(schema) if schema else Documents.by_own_schema()
    try:
        listening = listen(port)
    except OSError as error:
        raise InvalidInputError(
            f"cannot listen on port {port}: {error.strerror}; choose another with --port"
        ) from None
    address = address_of(listening)
    told = {"address": address, "base": base_of(address), "user": user, "password": password}
    try:
        with listening, Registry(folder, real_time) as registry:
            if json_lines:
                print_json(told)
            else:
                _tell(told, folder)
            server_of(registry, Rules(user, password, documents)).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            f"cannot keep what arrives in {folder}: {error}; choose another with --folder, and run "
            "one sandbox authority at a time on each"
        ) from None
    to_people.print("The sandbox authority has stopped.")


def _tell(told: dict[str, str], folder: Path) -> None:
    to_people.print(
        "[bold]SANDBOX, nothing here goes anywhere.[/] What arrives is shown at "
        f"[bold]{told['address']}[/]  (Ctrl-C stops it)\n"
    )
    to_people.print("To have Tutela report to it, put this into tutela.toml:\n")
    for line in _settings(told):
        to_people.print(f"  {line}", markup=False, soft_wrap=True)
    to_people.print(f"\nIt is all kept in {folder}; remove that to begin anew.", markup=False)


def _settings(told: dict[str, str]) -> Iterator[str]:
    yield "[reporting.cybertipline]"
    yield 'environment = "sandbox"'
    for name, value in (
        ("address", told["base"]),
        ("user", told["user"]),
        ("password", told["password"]),
    ):
        # A string of JSON is one of TOML.
        yield f"{name} = {json.dumps(value, ensure_ascii=False)}"
