"""``tutela evidence disclose``, ``agree``, ``refuse``, ``package``: evidence for an authority.

People identify themselves with an API key of their own, from ``TUTELA_KEY`` or typed unseen: never
as an argument, since every user of a machine can see those.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tutela.accounts.keys import bearers, check_key, named
from tutela.accounts.permissions import Permission
from tutela.cases.dossiers import dossier_of, media_type
from tutela.cases.model import read_case_id
from tutela.cli.acting import needs
from tutela.cli.opening import DataFolder, JsonLines, open_house
from tutela.cli.output import print_json, print_line, print_table, to_people
from tutela.errors import InvalidInputError, NotSignedInError
from tutela.evidence.disclosure.exhibits import exhibits_of
from tutela.evidence.disclosure.model import (
    Disclosure,
    Exhibit,
    Standing,
    State,
)
from tutela.evidence.disclosure.packaging import Office, make_package, present
from tutela.evidence.disclosure.recipients import read_recipients_file
from tutela.evidence.disclosure.requesting import (
    agree,
    all_disclosures,
    ask,
    check_may_agree,
    refuse,
)
from tutela.evidence.model import read_item_id
from tutela.evidence.vault import Vault
from tutela.storage.clock import system_clock
from tutela.storage.settings import ENVIRONMENT_PREFIX

app = typer.Typer()

KEY_VARIABLE = f"{ENVIRONMENT_PREFIX}KEY"

Number = Annotated[int, typer.Argument(metavar="REQUEST", help="The request's number.")]


@app.command("disclose")
@needs(Permission.EVIDENCE_DISCLOSE)
def disclose(
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case's number.")],
    to: Annotated[
        Path,
        typer.Option(metavar="FILE", help="A file of the authority's public keys for age."),
    ],
    legal_basis: Annotated[str, typer.Option(metavar="TEXT", help="Why they may have it.")],
    authority: Annotated[str, typer.Option(metavar="NAME", help="Who is to receive it.")],
    reference: Annotated[str, typer.Option(metavar="REF", help="Their own reference.")],
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM", help="Leave this item's file out. May be given repeatedly."),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Ask for a case to be handed to an authority. A second person has to agree.

    Your own API key, with the scope evidence:disclose, is read from TUTELA_KEY or asked for.
    """
    recipients = read_recipients_file(to)
    number = read_case_id(case)
    left_out = {read_item_id(each) for each in without or []}
    with _office(data) as office, office.vault.database.writing() as connection:
        key = check_key(connection, _secret())
        exhibits = exhibits_of(connection, dossier_of(connection, number), left_out)
        asked = ask(
            connection,
            key,
            number,
            exhibits,
            recipients,
            authority=authority,
            legal_basis=legal_basis,
            reference=reference,
            clock=system_clock,
        )
    if json:
        print_json(asked.as_fields())
        return
    print_line(str(asked.id))
    to_people.print(
        f"Disclosure {asked.id} was asked for. Before {asked.lapses_at:%Y-%m-%d %H:%M} UTC another "
        f"person has to agree to it, with a key of their own: tutela evidence agree {asked.id}",
        style="dim",
        soft_wrap=True,
    )


@app.command("agree")
@needs(Permission.EVIDENCE_DISCLOSE)
def agree_to(
    request: Number,
    yes: Annotated[
        bool, typer.Option("--yes", help="Agree without being asked, for programs.")
    ] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """See exactly what would be handed over and to whom, and agree to it.

    Your own API key, with the scope evidence:disclose, is read from TUTELA_KEY or asked for.
    """
    with _office(data) as office:
        secret = _secret()
        with office.vault.database.reading() as connection:
            key = check_key(connection, secret)
            asked, _, exhibits = present(connection, office, request)
            check_may_agree(connection, key, request, exhibits, system_clock)
            asker = named(asked.asked_by, bearers(connection))
        _show(asked, asker, exhibits)
        if not yes:
            if not sys.stdin.isatty():
                raise InvalidInputError("to agree where nobody can be asked, add --yes")
            typer.confirm("Do you agree to hand this over?", abort=True, err=True)
        with office.vault.database.writing() as connection:
            # Everything may be otherwise by now; the request itself cannot.
            key = check_key(connection, secret)
            _, _, exhibits = present(connection, office, request)
            agreed = agree(connection, key, request, exhibits, system_clock)
    if json:
        print_json(agreed.as_fields())
        return
    to_people.print(
        f"Agreed. Until {agreed.lapses_at:%Y-%m-%d %H:%M} UTC either of you can make the package: "
        f"tutela evidence package {agreed.id}",
        soft_wrap=True,
    )


@app.command("refuse")
@needs(Permission.EVIDENCE_DISCLOSE)
def refuse_to(
    request: Number,
    reason: Annotated[str, typer.Option(help="Why. It is kept.")],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Refuse a request, or take an agreement back.

    Your own API key, with the scope evidence:disclose, is read from TUTELA_KEY or asked for.
    """
    with _office(data) as office, office.vault.database.writing() as connection:
        key = check_key(connection, _secret())
        refused = refuse(connection, key, request, reason, system_clock)
    if json:
        print_json(refused.as_fields())
    else:
        to_people.print(f"Disclosure {refused.id} is refused.")


@app.command("package")
@needs(Permission.EVIDENCE_DISCLOSE)
def package(
    request: Number,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to write it. Default: tutela-CASE-disclosure-REQUEST.tar.age here.",
        ),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Make the encrypted package that two people have agreed to.

    Your own API key, with the scope evidence:disclose, is read from TUTELA_KEY or asked for.
    """
    with _office(data) as office:
        with office.vault.database.reading() as connection:
            asked, _, _ = present(connection, office, request)
        path = out or Path(f"{asked.folder}.tar.age")
        made, written = make_package(office, _secret(), request, path)
    if json:
        answer = {"package": str(path), "sha256": written.sha256, "size": written.size}
        print_json({"disclosure": made.id, "case": made.case, **answer})
        return
    print_line(str(path))
    to_people.print(
        f"{written.size:,} bytes, SHA-256 {written.sha256}\n"
        f"Only {made.authority} can open it. Tell them the SHA-256 on another way.",
        style="dim",
        markup=False,
        soft_wrap=True,
    )


@app.command("disclosures")
@needs(Permission.EVIDENCE_DISCLOSE)
def list_disclosures(json: JsonLines = False, data: DataFolder = None) -> None:
    """List the requests to hand cases over, the newest first."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = all_disclosures(connection)
        names = bearers(connection)
    if json:
        for each in found:
            by = {
                "asked_by_name": names.get(each.asked_by),
                "decided_by_name": names.get(each.decided_by or ""),
            }
            print_json(each.as_fields() | by)
        return
    if not found:
        to_people.print("Nothing was asked for.")
        return
    table = Table("request", "case", "state", "authority", "asked for", "by")
    for each in found:
        state = each.state if each.made_at is None else f"{each.state}, made"
        lapsed = each.state is not State.REFUSED and system_clock() >= each.lapses_at
        table.add_row(
            str(each.id),
            each.case,
            f"{state}, lapsed" if lapsed else state,
            escape(each.authority),
            f"{each.asked_at:%Y-%m-%d %H:%M}",
            escape(named(each.asked_by, names)),
        )
    print_table(table)


@contextmanager
def _office(data: Path | None) -> Iterator[Office]:
    with open_house(data) as (settings, database):
        vault = Vault.over(settings, database, system_clock)
        yield Office(settings, vault, dossier_of, media_type)


def _secret() -> str:
    secret = os.environ.get(KEY_VARIABLE, "").strip()
    if secret:
        return secret
    if not sys.stdin.isatty():
        raise NotSignedInError(
            f"this needs your own API key with the scope evidence:disclose: set {KEY_VARIABLE}, or "
            "run it in a terminal to type the key unseen"
        )
    typed: str = typer.prompt("Your own API key", hide_input=True, err=True)
    return typed.strip()


def _show(asked: Disclosure, asker: str, exhibits: tuple[Exhibit, ...]) -> None:
    rows = [
        ("case", asked.case),
        ("to", asked.authority),
        ("their reference", asked.reference),
        ("legal basis", asked.legal_basis),
        ("asked for", f"{asked.asked_at:%Y-%m-%d %H:%M} UTC, by {asker}"),
        *(("encrypted to", key) for key in asked.recipients.splitlines()),
        ("its SHA-256", _in_groups(asked.recipients_sha256)),
    ]
    for each in exhibits:
        rows += [
            ("", ""),
            (f"item {each.number}", _STANDINGS[each.standing]),
            ("id", each.known.evidence or "-"),
            ("name", _visible(each.known.name) or "-"),
            ("size", f"{each.size:,} bytes" if each.size is not None else "-"),
            ("SHA-256", _in_groups(each.sha256) if each.sha256 else "-"),
        ]
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in rows:
        # Never cut: people agree to what they see.
        table.add_row(Text(name), Text(value, overflow="fold"))
    to_people.print(table)
    to_people.print(
        "\nBe sure that the key is theirs: compare its SHA-256 with one that you were given on "
        "another way, by telephone or on paper.",
        soft_wrap=True,
    )


_STANDINGS = {
    Standing.KEPT: "its file is handed over, with everything known of it",
    Standing.LEFT_OUT: "its file is left out; what is known of it is handed over",
    Standing.DESTROYED: "destroyed; what is known of it is handed over",
    Standing.MISSED: "never sealed; what is known of it is handed over",
    Standing.NO_FILE: "no file was received; what is known of it is handed over",
}


def _in_groups(digest: str) -> str:
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def _visible(name: str) -> str:
    """A name that strangers chose, with nothing that a terminal would obey or hide."""
    return "".join(letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}" for letter in name)
