"""The ``tutela`` command: the list of commands, and how they end.

Exit codes follow clamscan's: 0 nothing found or all done, 1 a match was found, 2 an error.
"""

import os
import sys

import click
import typer

from tutela.cli import cases, hashing, keys, lists, scanning, serving
from tutela.cli.output import print_error
from tutela.errors import TutelaError

EXIT_OK = 0
EXIT_MATCH = 1
EXIT_ERROR = 2

app = typer.Typer(
    name="tutela",
    help="Protect children on your service: detect known abuse material, and act on it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serving.serve)
app.command("scan")(scanning.scan_paths)
app.command("hash")(hashing.hash_files)
app.add_typer(lists.app, name="list")
app.add_typer(cases.app, name="case")
app.add_typer(keys.app, name="key")


def main() -> None:
    """Run the command line and exit with clamscan's codes."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command.

    Args:
        arguments: The words after ``tutela``.

    Returns:
        The exit code.
    """
    try:
        code = app(arguments, prog_name="tutela", standalone_mode=False)
    except TutelaError as error:
        print_error(error.message)
        return EXIT_ERROR
    except click.ClickException as error:
        error.show()
        return EXIT_ERROR
    except (click.Abort, KeyboardInterrupt):
        print_error("stopped")
        return EXIT_ERROR
    except BrokenPipeError:
        # The reader (head, less) has gone: there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    return code if isinstance(code, int) else EXIT_OK
