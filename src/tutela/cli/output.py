"""How every command prints: answers on standard output, everything else on standard error."""

import json
import os
import sys
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

to_people = Console(stderr=True, highlight=False)
"""Progress, warnings and errors, so that standard output can be piped."""


def print_json(answer: Mapping[str, object]) -> None:
    """Write one JSON object on one line and flush it, so that a reader sees it at once.

    It is always valid UTF-8: a file name that is not comes out with its odd bytes escaped.
    """
    line = json.dumps(answer, ensure_ascii=False)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        line = json.dumps(answer)
    print_line(line)


def print_line(text: str) -> None:
    """Write one line of an answer.

    A file name that is not valid UTF-8 comes out as the bytes it went in, not as an error.
    """
    sys.stdout.buffer.write(os.fsencode(text) + b"\n")
    sys.stdout.buffer.flush()


def print_table(table: Table) -> None:
    """Write a table for people: as wide as the terminal, or as it needs when piped."""
    terminal = sys.stdout.isatty()
    Console(width=None if terminal else 10_000, highlight=False).print(
        table, no_wrap=not terminal, crop=terminal
    )


def print_error(message: str) -> None:
    """Say in one line what went wrong."""
    line = " ".join(message.split())
    to_people.print("[bold red]error:[/]", end=" ", soft_wrap=True)
    to_people.print(line, markup=False, soft_wrap=True)
