"""Writes docs/people.md from what routes, pages and commands declare: ``make docs``.

``tests/test_permissions.py`` walks the same things, and tries each of them over HTTP.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from tutela.accounts.permissions import WEIGHTY, Permission, Role
from tutela.api.service import Permitted
from tutela.application import build
from tutela.cli.acting import declared_needs
from tutela.cli.main import commands
from tutela.console.visiting import Allowed
from tutela.storage.clock import system_clock
from tutela.storage.settings import Settings

PAGE = Path(__file__).with_name("people.md")

PUBLIC = {
    "/": "says what this is and whether it is well",
    "/docs": "the API's documentation",
    "/openapi.json": "the API's description",
    "/static": "style sheets, scripts and pictures of the pages",
    "/look": "keeps a visitor's choice of light or dark in a cookie",
    "/welcome/{token}": "takes an invitation up, for whoever has its link",
    "/sign-in": "asks for address and password",
    "/sign-in/passkey/ask": "begins to sign in with a passkey",
    "/sign-in/passkey": "signs in with a passkey",
    "/sign-in/elsewhere": "leads to the organisation's own sign-in",
    "/sign-in/back": "comes back from there",
    "/sign-in/second-step": "asks for the second step, of whoever has done the first",
    "/sign-in/set-up": "sets the second step up, for whoever has done the first and has none",
    "/sign-in/set-up/passkey/begin": "the same, with a passkey",
    "/sign-out": "ends the session that it is asked with, if there is one",
    "/transparency": "counts of past months, if `statistics.public` is true",
    "/v1/statistics": "the same for programs",
    "/v1/statistics.csv": "the same as a table",
    "/v1/reports/feedback": "takes in what authorities say, each signed by its own secret",
    "/healthz": "whether the process runs",
    "/readyz": "whether the house can do its work",
    "/metrics": "traffic; the counts of verdicts only with a key that has `metrics:read`",
}
"""What nobody has to sign in for, and why. Whatever is not here has to declare what it needs."""


@dataclass(frozen=True, slots=True)
class Route:
    """Something that can be asked for over HTTP.

    Attributes:
        method: Such as ``GET``.
        path: With its parameters in braces.
        declared: What guards it: every permission that it names, ``None`` for whoever is signed in.
        is_page: Whether people ask for it, signed in, and not programs by their keys.
        proved: Whether they have to have shown lately that it is them.
    """

    method: str
    path: str
    declared: tuple[Permission | None, ...]
    is_page: bool
    proved: bool

    @property
    def is_public(self) -> bool:
        """Whether nobody has to sign in for it."""
        return self.path in PUBLIC


def routes() -> list[Route]:
    """Every route of the application, in its order."""
    application = build(Settings(), system_clock)
    found = []
    for route in iter_route_contexts(application.routes):
        guards = list(_guards(getattr(route, "dependant", None)))
        pages = [guard for guard in guards if isinstance(guard, Allowed)]
        declared = [guard.scope for guard in guards if isinstance(guard, Permitted)]
        found += [
            Route(
                method,
                route.path or "",
                (*declared, *(guard.permission for guard in pages)),
                is_page=bool(pages),
                proved=any(guard.proved for guard in pages),
            )
            for method in sorted(getattr(route, "methods", None) or {"GET"})
            if method != "HEAD"
        ]
    return found


def all_commands() -> dict[str, Callable[..., Any]]:
    """Every command by its words, such as ``tutela list ls``."""
    return dict(_commands(commands(), "tutela"))


def page() -> str:
    """The whole page."""
    return f"{_HEAD}{_roles()}{_TWO}{_permissions()}{_needs()}{_public()}"


def _guards(dependant: Dependant | None) -> Iterator[object]:
    for each in dependant.dependencies if dependant else ():
        yield each.call
        yield from _guards(each)


def _commands(app: typer.Typer, words: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for command in app.registered_commands:
        if command.callback is not None:
            name = command.name or command.callback.__name__
            yield f"{words} {name}", command.callback
    for group in app.registered_groups:
        if group.typer_instance is not None:
            deeper = f"{words} {group.name}" if isinstance(group.name, str) else words
            yield from _commands(group.typer_instance, deeper)


def _roles() -> str:
    rows = ["| role | what they do |", "|---|---|"]
    rows += [f"| `{role}` | {role.meaning} |" for role in Role]
    return "\n".join(rows) + "\n"


def _permissions() -> str:
    rows = [
        f"| permission | allows to | {' | '.join(Role)} |",
        "|---|---|" + ":-:|" * len(Role),
    ]
    for permission in Permission:
        marks = " | ".join("●" if permission in role.permissions else "" for role in Role)
        rows.append(f"| `{permission}` | {permission.meaning} | {marks} |")
    return "\n## Role by permission\n\n" + "\n".join(rows) + "\n"


def _needs() -> str:
    found = [route for route in routes() if not route.is_public]
    called = all_commands()
    declared = declared_needs()
    rows = ["| permission | pages | API | commands |", "|---|---|---|---|"]
    for permission in (*Permission, None):
        here = [route for route in found if permission in route.declared]
        cells = (
            [_shown(route) for route in here if route.is_page],
            [_shown(route) for route in here if not route.is_page],
            [
                f"`{words}`"
                for words, command in called.items()
                if permission is not None and declared.get(command) is permission
            ],
        )
        if any(cells):
            name = f"`{permission}`" if permission else "whoever is signed in"
            rows.append(f"| {name} | {' | '.join('<br>'.join(cell) for cell in cells)} |")
    free = [words for words, command in called.items() if declared.get(command) is None]
    return (
        _NEEDS
        + "\n".join(rows)
        + "\n\nThese commands touch nothing of the house and need nothing: "
        + ", ".join(f"`{words}`" for words in free)
        + ".\n"
    )


def _shown(route: Route) -> str:
    proved = " †" if route.proved else ""
    return f"`{route.method} {route.path}`{proved}"


def _public() -> str:
    there = {route.path for route in routes()}
    rows = ["| address | what it is |", "|---|---|"]
    rows += [f"| `{path}` | {why} |" for path, why in PUBLIC.items() if path in there]
    return "\n## For everybody\n\n" + "\n".join(rows) + "\n"


_HEAD = """# People: who may do what

<!-- Written by docs/write_people.py from what the code declares: change that. -->

Whoever works here has an account and one or more roles. Roles are sets of permissions; every page,
every call of the API and every command names the one permission that it needs. This page is written
from the code, and a test walks all of it for every role and for nobody.

The first administrator comes by a link that `tutela serve` prints while nobody works here: it works
once and for a day. Everybody else is invited, by a link that works once and for a week, with the
roles fixed in it:

    tutela user invite "Rosa Ochre" rosa@organisation.example --role reviewer

Whoever leaves has their account closed: their sessions end, their API keys are revoked, the cases
that they hold go back to the queue, and their address is erased. Their name stays, since cases and
the ledger tell of what they did. The last administrator's account cannot be closed.

After five failed tries to sign in, an account waits: 30 seconds at first, 15 minutes at most; after
thirty from one address, that waits too. Nobody learns by it who works here. `tutela user unlock`
ends the wait.

An API key may belong to a person (`tutela key add NAME --owner PERSON`): then it never allows more
than that person may do at the moment, and what is done by it is done by them. A key that belongs to
nobody is a program's: whoever makes keys may let it `screen` and `screen:fetch`, and beyond that
only what they may do themselves. So an administrator sets screening up alone, but cannot read cases
by a key; one with `cases:open` or `screen:details` is made by somebody who has such a role as well,
for which the rule of two people below holds, or by the machine's operator. See also
[signing in](signing-in.md).

## Roles

"""

_TWO = f"""
### What needs two people

Where there are two administrators, one alone neither gives nor invites to a role of these:
{", ".join(sorted(f"`{role}`" for role in WEIGHTY))}; nor lets one who has it set up anew how they
sign in; nor takes any further role for themselves. It is asked for, and done once another
administrator agrees, within a week.

The only administrator of a small house may take further roles alone, those of a reviewer and a
custodian too: there is nobody to ask. The ledger shows it, as it shows every change of roles
(`person.changed`). Invite a second administrator as soon as there is somebody.

A disclosure of evidence is asked for by one person and agreed to by another
([disclosure](disclosure.md)). A request for the destruction of evidence is recorded by one and
agreed to by another ([retention](retention.md)). To which address and for which key reports with
evidence are sealed, one sets and another one confirms ([authorities](authorities.md)).

Whoever runs commands on the machine as the owner of the data folder is its operator. They can
change all of it anyway, so they need nobody's agreement for roles; the ledger says that it was the
operator.
"""

_NEEDS = """
## What needs which permission

† only within some minutes of signing in, or of showing once more that it is you
(`console.proof_minutes`). That is asked before evidence, disclosure and settings, and whatever is
like them: people and keys; what lists find (imports, entries, withdrawals, entries in doubt,
removing a list); webhooks and their secrets; changing or dropping a job. Not before the daily work
of reviewers and leads, such as deciding, settling and appeals, which the rules of each case and the
second person guard; nor before trying a job again, which does only what was wanted already.

"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
