"""Who acts by a command, and what each command needs.

Whoever can run commands on this machine as the owner of the data folder can read and change all of
it anyway: to them everything is permitted, and the ledger says that the operator did it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from tutela.accounts.model import Caller
from tutela.accounts.permissions import Permission
from tutela.cli.opening import local_actor

_Command = TypeVar("_Command", bound=Callable[..., Any])


def local_caller() -> Caller:
    """The machine's user: may do everything, and is no person of ours."""
    return Caller(local_actor(), frozenset(Permission))


def needs(permission: Permission | None) -> Callable[[_Command], _Command]:
    """Declare what a command needs, for people to read and for a test to check.

    Args:
        permission: It; ``None`` for a command that touches nothing of the house.
    """

    def declare(command: _Command) -> _Command:
        _DECLARED[command] = permission
        return command

    return declare


def declared_needs() -> dict[Callable[..., Any], Permission | None]:
    """What every command that declared it needs."""
    return dict(_DECLARED)


_DECLARED: dict[Callable[..., Any], Permission | None] = {}
