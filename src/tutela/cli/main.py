"""The ``tutela`` command: the list of commands, and how they end.

Exit codes follow clamscan's: 0 nothing found or all done, 1 a match was found, 2 an error.
Ctrl-C gives a shell's own 130.
"""

import gc
import os
import sys
import traceback
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer
from typer.exceptions import TyperException
from typer.rich_utils import rich_format_error

import tutela
from tutela.cli.opening import DataFolder
from tutela.cli.output import print_error, print_line
from tutela.errors import TutelaError
from tutela.storage.settings import ENVIRONMENT_PREFIX

EXIT_OK = 0
EXIT_ERROR = 2
EXIT_INTERRUPTED = 130

# Where each command is, in the order of the help.
COMMANDS = {
    "serve": "serving.serve",
    "scan": "scanning.scan_paths",
    "watch": "watching.watch",
    "hash": "hashing.hash_files",
    "list": "lists.app",
    "link": "links.app",
    "case": "cases.app",
    "report": "reports.app",
    "evidence": "evidence.app",
    "authority": "authorities.app",
    "user": "users.app",
    "key": "keys.app",
    "backup": "backing_up.backup",
    "restore": "backing_up.restore",
    "webhook": "webhooks.app",
    "job": "jobs.app",
    "ledger": "ledger.app",
    "doctor": "doctor.doctor",
    "sandbox-authority": "sandbox_authority.sandbox_authority",
}


def _print_version(wanted: bool) -> None:
    if wanted:
        print_line(f"tutela {tutela.__version__}")
        raise typer.Exit


def everywhere(
    data: DataFolder = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print Tutela's version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Protect children on your service: detect known abuse material, and act on it."""
    if data is not None:
        os.environ[f"{ENVIRONMENT_PREFIX}DATA"] = str(data)


def commands(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Load commands, and put them together.

    Args:
        names: Which; all of them by default.
    """
    app = typer.Typer(
        name="tutela",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(everywhere)
    for name in names:
        module, attribute = COMMANDS[name].split(".")
        command = getattr(import_module(f"tutela.cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def main() -> None:
    """Run the command line and exit with clamscan's codes."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str], app: typer.Typer | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after ``tutela``.
        app: What they may name; every command by default.

    Returns:
        The exit code.
    """
    # Lists and cases are for nobody else on this machine.
    os.umask(0o077)
    try:
        app = app or _loaded(_needed(arguments))
        code = app(arguments, prog_name="tutela", standalone_mode=False)
    except TyperException as error:
        # Wrong usage: shown as typer shows it by itself.
        rich_format_error(error)  # type: ignore[arg-type]  # typer's own class is private
        return EXIT_ERROR
    except (typer.Abort, KeyboardInterrupt):
        print_error("stopped")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has gone: there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except Exception as error:
        return _tell(error)
    return code if isinstance(code, int) else EXIT_OK


def _loaded(names: Iterable[str]) -> typer.Typer:
    # There is no garbage in what stays, and to look for it takes a third of a short command: while
    # it is loaded, and once more as Python leaves.
    gc.disable()
    try:
        return commands(names)
    finally:
        gc.freeze()
        gc.enable()


def _needed(arguments: list[str]) -> Iterable[str]:
    """The command that is to run, if it is plain which: then the others need not be loaded."""
    first, *_ = [*(arguments[2:] if arguments[:1] == ["--data"] else arguments), ""]
    if first == "--version":
        return ()
    return (first,) if first in COMMANDS else COMMANDS


def _tell(error: Exception) -> int:
    """Say what went wrong; gives the exit code."""
    interrupted = _was_interrupted(error)
    if isinstance(error, TutelaError):
        print_error(error.message)
    elif interrupted:
        print_error("stopped")
    else:
        # Python's own exit code would be 1, which says that a match was found.
        traceback.print_exception(error)
        print_error(
            f"something went wrong that Tutela did not foresee ({type(error).__name__}): "
            "please report it with the lines above"
        )
    return EXIT_INTERRUPTED if interrupted else EXIT_ERROR


def _was_interrupted(error: BaseException | None) -> bool:
    # Ctrl-C in the middle of something may make the clearing away fail, and hide behind that.
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
