"""``tutela user``: the people who work here, for whoever runs the machine."""

import sys
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tutela.accounts.changing import change_roles, invite_person, let_start_anew
from tutela.accounts.invitations import (
    Invited,
    open_invitations,
    withdraw_invitation,
)
from tutela.accounts.locking import is_locked, unlock
from tutela.accounts.passwords import hash_password, refuse_weak, set_password
from tutela.accounts.people import Person, add_person, all_people, find_named
from tutela.accounts.permissions import Permission, Role
from tutela.accounts.sessions import end_sessions_of, sessions_of
from tutela.cases.leaving import close_account
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, local_actor, open_house
from tutela.cli.output import print_json, print_line, print_table, to_people
from tutela.errors import StorageError
from tutela.storage.clock import system_clock
from tutela.storage.settings import Settings

app = typer.Typer(
    help="Invite the people who work here, see them, and change what they may do.",
    no_args_is_help=True,
)

_ROLES = "Roles:\n\n" + "\n".join(f"- {role}: {role.meaning}" for role in Role)

Who = Annotated[
    str,
    typer.Argument(metavar="PERSON", help="The person's number, or the address they sign in by."),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="What the others call them.")]
Email = Annotated[str, typer.Argument(metavar="ADDRESS", help="The address they sign in by.")]
Roles = Annotated[
    list[Role],
    typer.Option("--role", metavar="ROLE", help="In which role. May be given repeatedly."),
]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, for the ledger.", show_default=False)
]


@app.command("ls")
@needs(Permission.PEOPLE_READ)
def list_people(
    everybody: Annotated[bool, typer.Option("--all", help="Also those who left.")] = False,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """List the people who work here."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = [each for each in all_people(connection) if everybody or each.closed_at is None]
    if json:
        for person in found:
            print_json(_fields(person))
        return
    if not found:
        to_people.print(
            "Nobody yet. Invite somebody: tutela user invite NAME ADDRESS --role administrator"
        )
        return
    table = Table("number", "name", "address", "roles", "came", "left")
    for person in found:
        table.add_row(
            str(person.id),
            escape(person.name),
            escape(person.email or "-"),
            " ".join(sorted(person.roles)),
            f"{person.added_at:%Y-%m-%d}",
            f"{person.closed_at:%Y-%m-%d}" if person.closed_at else "-",
        )
    print_table(table)


@app.command("show")
@needs(Permission.PEOPLE_READ)
def show_person(who: Who, json: JsonLines = False, data: DataFolder = None) -> None:
    """Show one person: their roles, what those allow, and where they are signed in."""
    with open_house(data) as (settings, database), database.reading() as connection:
        person = find_named(connection, who)
        locked = is_locked(connection, person, system_clock)
        sessions = sessions_of(connection, person.id, settings, system_clock)
    if json:
        fields = {
            "permissions": sorted(person.permissions),
            "locked": locked,
            "sessions": [
                {
                    "id": each.id,
                    "device": each.device,
                    "began_at": each.began_at.isoformat(),
                    "seen_at": each.seen_at.isoformat(),
                }
                for each in sessions
            ],
        }
        print_json(_fields(person) | fields)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("number", str(person.id))
    table.add_row("name", escape(person.name))
    table.add_row("address", escape(person.email or "-"))
    for role in sorted(person.roles):
        table.add_row("role", f"{role}: {role.meaning}")
    for permission in sorted(person.permissions):
        table.add_row("may", f"{permission.meaning} ({permission})")
    table.add_row("sessions", str(len(sessions)) if sessions else "none")
    if locked:
        table.add_row("locked", f"after too many failed tries: tutela user unlock {person.id}")
    print_table(table)


@app.command("invite", epilog=_ROLES)
@needs(Permission.PEOPLE_WRITE)
def invite(
    name: Name, email: Email, role: Roles, json: JsonLines = False, data: DataFolder = None
) -> None:
    """Invite somebody, and print the link to hand to them. It works once, for a week."""
    with open_house(data) as (settings, database), database.writing() as connection:
        invited = invite_person(
            connection, name, email, role, caller=local_caller(), clock=system_clock
        )
    _show_link(settings, invited, json=json)


@app.command("anew")
@needs(Permission.PEOPLE_WRITE)
def start_anew(who: Who, json: JsonLines = False, data: DataFolder = None) -> None:
    """Print a link by which somebody who cannot sign in any more sets that up anew."""
    with open_house(data) as (settings, database), database.writing() as connection:
        person = find_named(connection, who)
        invited = let_start_anew(connection, person.id, caller=local_caller(), clock=system_clock)
    _show_link(settings, invited, json=json)


@app.command("invitations")
@needs(Permission.PEOPLE_READ)
def list_invitations(json: JsonLines = False, data: DataFolder = None) -> None:
    """List the links that still work, without what opens them."""
    with open_house(data) as (_settings, database), database.reading() as connection:
        found = open_invitations(connection, system_clock)
    if json:
        for each in found:
            print_json(
                {
                    "id": each.id,
                    "name": each.name,
                    "email": each.email,
                    "roles": sorted(each.roles),
                    "invited_by": each.invited_by,
                    "expires_at": each.expires_at.isoformat(),
                }
            )
        return
    if not found:
        to_people.print("Nobody is invited just now.")
        return
    table = Table("number", "name", "address", "roles", "until")
    for each in found:
        table.add_row(
            str(each.id),
            escape(each.name or "the first administrator"),
            escape(each.email or "-"),
            " ".join(sorted(each.roles)),
            f"{each.expires_at:%Y-%m-%d %H:%M}",
        )
    print_table(table)


@app.command("withdraw-invitation")
@needs(Permission.PEOPLE_WRITE)
def withdraw(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The invitation's.", min=1)],
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Make a link stop working that nobody has used."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        withdraw_invitation(connection, number, local_actor(), system_clock)
    _answer(json, f"Invitation {number} works no more.", id=number, withdrawn=True)


@app.command("add", epilog=_ROLES)
@needs(Permission.PEOPLE_WRITE)
def add(
    name: Name, email: Email, role: Roles, json: JsonLines = False, data: DataFolder = None
) -> None:
    """Add somebody with a password, typed unseen or read from standard input.

    To invite them is better, since then nobody else knows their password.
    """
    password = _password()
    refuse_weak(password, name, email)
    hashed = hash_password(password)
    with open_house(data) as (_settings, database), database.writing() as connection:
        person = add_person(connection, name, email, role, actor=local_actor(), clock=system_clock)
        set_password(connection, person, hashed, system_clock)
    if json:
        print_json(_fields(person))
    else:
        to_people.print(f"{person.name} is person {person.id}.", markup=False)


@app.command("roles", epilog=_ROLES)
@needs(Permission.PEOPLE_WRITE)
def set_roles(
    who: Who, role: Roles, reason: Reason = "", json: JsonLines = False, data: DataFolder = None
) -> None:
    """Give somebody exactly these roles. They are signed out, and sign in to the new ones."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        person = find_named(connection, who)
        change_roles(
            connection, person.id, role, caller=local_caller(), clock=system_clock, reason=reason
        )
        person = find_named(connection, str(person.id))
    if json:
        print_json(_fields(person))
    else:
        to_people.print(f"{person.name}: {', '.join(sorted(person.roles))}.", markup=False)


@app.command("close")
@needs(Permission.PEOPLE_WRITE)
def close(who: Who, reason: Reason = "", json: JsonLines = False, data: DataFolder = None) -> None:
    """Close an account for good: sessions end, keys are revoked, held cases go back."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        person = find_named(connection, who)
        closed = close_account(
            connection, person.id, caller=local_caller(), clock=system_clock, reason=reason
        )
    if json:
        print_json(_fields(closed))
    else:
        to_people.print(f"The account of {closed.name} is closed.", markup=False)


@app.command("unlock")
@needs(Permission.PEOPLE_WRITE)
def unlock_account(who: Who, json: JsonLines = False, data: DataFolder = None) -> None:
    """Let somebody try again at once who failed to sign in too often."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        person = find_named(connection, who)
        unlock(connection, person, local_actor(), system_clock)
    _answer(json, f"{person.name} may try again.", id=person.id, unlocked=True)


@app.command("sign-out")
@needs(Permission.PEOPLE_WRITE)
def sign_out(who: Who, json: JsonLines = False, data: DataFolder = None) -> None:
    """Sign somebody out everywhere."""
    with open_house(data) as (_settings, database), database.writing() as connection:
        person = find_named(connection, who)
        ended = end_sessions_of(connection, person.id, local_actor(), system_clock)
    _answer(json, f"{ended} sessions of {person.name} ended.", id=person.id, ended=ended)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed


def _show_link(settings: Settings, invited: object, *, json: bool) -> None:
    if not isinstance(invited, Invited):
        raise StorageError("the operator was asked for a second person, which is a mistake")
    link = f"{settings.address}{invited.path}"
    until = invited.invitation.expires_at
    if json:
        print_json({"id": invited.invitation.id, "link": link, "expires_at": until.isoformat()})
        return
    print_line(link)
    to_people.print(
        f"Hand it to {invited.invitation.name} and nobody else. It works once, until "
        f"{until:%Y-%m-%d %H:%M} UTC, and cannot be shown again.",
        style="dim",
        markup=False,
        soft_wrap=True,
    )


def _fields(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "roles": sorted(person.roles),
        "added_at": person.added_at.isoformat(),
        "closed_at": person.closed_at.isoformat() if person.closed_at else None,
    }


def _answer(json: bool, words: str, **fields: object) -> None:
    if json:
        print_json(fields)
    else:
        to_people.print(words, markup=False)
