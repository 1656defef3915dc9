"""What commands share: their common options, and opening the house."""

import difflib
import getpass
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tutela.cli.output import to_people
from tutela.errors import NotFoundError, StorageError, TutelaError
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.keyring import Keyring
from tutela.hashlists.lists import all_lists
from tutela.ledger.checkpointing import Checkpoints
from tutela.ledger.model import OPERATOR, Actor
from tutela.ledger.reading import entries_counted
from tutela.sandbox.probing import probe, require
from tutela.screening.opening import limits_of
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.migration import upgrade
from tutela.storage.settings import Settings, load_settings

DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        help="The data folder. Default: TUTELA_DATA, or tutela-data here.",
        show_default=False,
    ),
]
JsonLines = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a line, for programs.")
]


@contextmanager
def open_house(
    data: Path | None, *, covered: bool = True, existing: bool = False, **overrides: object
) -> Iterator[tuple[Settings, Database]]:
    """Read the settings and open the database, making or upgrading it where needed.

    At the end, what was entered into the ledger meanwhile is covered by a checkpoint. If that
    cannot be, it is said, and tried again at the end of the next command or by the service.

    Args:
        data: The data folder from the command line, if given.
        covered: Whether to make that checkpoint.
        existing: Whether there has to be a house already: what checks one must not make an empty
            one where a name is mistyped, and call that sound.
        overrides: Other settings from the command line; ``None`` means not given.

    Raises:
        SettingsError: The configuration is wrong.
        StorageError: The data folder or the database cannot be used.
    """
    settings = load_settings(data=data, **overrides)
    _refuse_anothers(settings.data)
    if existing:
        _refuse_absent(settings)
    database = Database.open(settings)
    try:
        upgrade(database, settings.data, tell=lambda line: to_people.print(line, markup=False))
        before = _entries(database) if covered else 0
        try:
            yield settings, database
        finally:
            if covered:
                _cover(settings, database, before)
    finally:
        database.close()


def _refuse_anothers(folder: Path) -> None:
    """Keep root from making files that the folder's owner then cannot use."""
    try:
        owner = folder.stat().st_uid
    except OSError:
        return
    if os.geteuid() == 0 and owner != 0:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise StorageError(
            f"{folder} belongs to the user {name}, who could not use what root makes in it: "
            f"run this as that user, with: sudo -u '{name}'"
        )


def _refuse_absent(settings: Settings) -> None:
    file = settings.database.database if settings.database_url is None else None
    if file is not None and not Path(file).exists():
        raise NotFoundError(
            f"there is no house in {settings.data}: choose its data folder with --data or "
            "TUTELA_DATA"
        )


def _entries(database: Database) -> int:
    with database.reading() as connection:
        return entries_counted(connection)


def _cover(settings: Settings, database: Database, before: int) -> None:
    try:
        grown = _entries(database) > before
    except TutelaError:
        return  # Whatever fails here has been told of already.
    if grown:
        cover_ledger(settings, database)


def cover_ledger(settings: Settings, database: Database) -> None:
    """Sign the ledger as it is; say it if it cannot be, such as because it was rolled back."""
    try:
        Checkpoints(database, settings, system_clock).make()
    except TutelaError as error:
        # What is entered stays entered all the same.
        warn(error.message)


def prepare_vault(settings: Settings, database: Database) -> None:
    """See that evidence can be sealed; at the first start, make the key for it and say so.

    Raises:
        SettingsError: ``vault_key`` cannot be used.
        StorageError: The key is lost, or is another one's.
    """
    prepare_keys(
        Keyring(settings),
        database,
        tell=lambda line: to_people.print(line, markup=False, soft_wrap=True),
    )


def see_seal(settings: Settings) -> None:
    """See that untrusted files are kept apart, before the first is opened; else say so.

    Raises:
        SettingsError: A layer of the sandbox is lacking, and ``sandbox.strict`` is set.
        TutelaError: It could not be tried, and ``sandbox.strict`` is set.
    """
    try:
        seal = probe(limits_of(settings))
    except TutelaError as error:
        if settings.sandbox.strict:
            raise
        warn(error.message)
        return
    if settings.sandbox.strict:
        require(seal)
    elif not seal.is_whole:
        warn(
            f"cells are not sealed whole on this machine ({seal.words}): whoever breaks a decoder "
            "could do more than they should; see docs/sandbox.md, or run: tutela doctor"
        )


def warn(message: str) -> None:
    """Say what is wrong, although the command goes on."""
    to_people.print("[bold yellow]warning:[/]", end=" ", soft_wrap=True)
    to_people.print(message, markup=False, soft_wrap=True)


def local_actor() -> Actor:
    """Who runs the command: the machine's user."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user that has no name.
        user = str(os.getuid())
    return Actor(f"cli:{user}", f"os:{os.getuid()}", OPERATOR, "cli")


def warn_of_absent_lists(settings: Settings, database: Database) -> None:
    """Say which lists have a policy but do not exist: perhaps a name is misspelt."""
    with database.reading() as connection:
        names = {each.name for each in all_lists(connection)}
    for absent in sorted(settings.policy.lists.keys() - names):
        near = difflib.get_close_matches(absent, names, n=1)
        hint = f'did you mean "{near[0]}"?' if near else "it has no effect until there is one"
        warn(f'policy.lists."{absent}": there is no list of this name: {hint}')
