"""``tutela link``: what becomes of addresses, and whether lists have them."""

from collections.abc import Iterator
from typing import Annotated

import typer

from tutela.accounts.permissions import Permission
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_error, print_json, print_line
from tutela.errors import InvalidInputError
from tutela.fingerprints.links import expressions
from tutela.fingerprints.urls import broken_apart, read_url
from tutela.screening.model import Known
from tutela.screening.opening import open_screening
from tutela.screening.words import known_of_url
from tutela.storage.clock import system_clock

app = typer.Typer(no_args_is_help=True, help="Look addresses up, and see their form.")

Addresses = Annotated[list[str], typer.Argument(metavar="ADDRESS...", help="Addresses of the web.")]


@app.command()
@needs(None)
def form(addresses: Addresses, json: JsonLines = False) -> int:
    """Print the one form of addresses, and the digests that lists may have of them.

    Nothing is stored or looked up. The digests are what partners exchange instead of addresses.
    """
    failed = False
    for address in addresses:
        try:
            url = read_url(address)
        except InvalidInputError as error:
            print_error(f"{address}: {error.message}")
            failed = True
            continue
        digests = [(str(each.kind), each.text) for each in expressions(url)]
        if json:
            print_json(
                {
                    "address": address,
                    "form": url.normal_form,
                    "digests": [{"kind": kind, "sha256": text} for kind, text in digests],
                }
            )
        else:
            print_line(url.normal_form)
            for kind, text in digests:
                print_line(f"  {kind:10} {text}")
    return 2 if failed else 0


@app.command()
@needs(Permission.SCREEN_DETAILS)
def check(addresses: Addresses, json: JsonLines = False, data: DataFolder = None) -> int:
    """Say which lists have addresses. Nothing is fetched, no case is opened, nothing is kept.

    Exit codes are clamscan's: 0 no list has any, 1 one has, 2 something is no address.
    """
    found = failed = False
    with (
        open_house(data) as (settings, database),
        open_screening(settings, database, system_clock) as room,
    ):
        room.screener.refresh()
        for address, known in _known(addresses):
            if known is None:
                failed = True
                continue
            findings = room.screener.look_up([known])
            (matches,) = room.screener.matches_of([known], findings)
            found = found or bool(matches)
            if json:
                told = [match.as_fields() for match in matches]
                print_json({"address": address, "matches": told})
            else:
                names = ", ".join(f"{match.list_name} ({match.kind})" for match in matches)
                print_line(f"{broken_apart(address)}: {names or 'on no list'}")
    if found:
        return 1
    return 2 if failed else 0


def _known(addresses: list[str]) -> Iterator[tuple[str, Known | None]]:
    for address in addresses:
        try:
            yield address, known_of_url(address)
        except InvalidInputError as error:
            print_error(f"{broken_apart(address)}: {error.message}")
            yield address, None
