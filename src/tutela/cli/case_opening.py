"""``tutela case open``: opening a case by hand, and adding items to one."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tutela.accounts.permissions import Permission
from tutela.cases.by_hand import Given, add_by_hand, given_file, given_words, open_by_hand
from tutela.cases.facts import Fact, said_facts
from tutela.cases.model import ItemKind, read_case_id
from tutela.cli.acting import local_caller, needs
from tutela.cli.opening import DataFolder, JsonLines, open_house, prepare_vault
from tutela.cli.output import print_json, print_line, to_people
from tutela.cli.subjects import read_moment
from tutela.errors import NotFoundError
from tutela.screening.fingerprinting import known_of
from tutela.screening.opening import ScreeningRoom, open_screening
from tutela.screening.recognising import recognised
from tutela.storage.clock import system_clock

app = typer.Typer()

_SAYABLE = ", ".join(fact for fact in Fact if not fact.is_derived)


@app.command("open")
@needs(Permission.CASES_OPEN)
def open_case(
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORDS",
            help="An excerpt of a conversation; - reads it from standard input. May be repeated.",
        ),
    ] = None,
    url: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="An address. May be repeated.")
    ] = None,
    file: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="A file. May be repeated.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the platform calls the account.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the sender calls it.")
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(metavar="FACT", help=f"What is known of it: {_SAYABLE}. May be repeated."),
    ] = None,
    due: Annotated[
        str | None, typer.Option(metavar="DATE", help="Until when it has to be decided.")
    ] = None,
    into: Annotated[
        str | None, typer.Option(metavar="CASE", help="Add to this case instead.")
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> None:
    """Open a case about words, addresses or files. All of it is sealed as evidence."""
    facts = said_facts(fact or [])
    words = [
        *(
            given_words(ItemKind.TEXT, sys.stdin.read() if each == "-" else each)
            for each in text or []
        ),
        *(given_words(ItemKind.URL, each) for each in url or []),
    ]
    caller = local_caller()
    with open_house(data) as (settings, database):
        prepare_vault(settings, database)
        with open_screening(settings, database, system_clock) as room:
            room.screener.refresh()
            given = [*recognised(room.screener, words), *_files(room, file or [])]
            if into is None:
                case = open_by_hand(
                    room.vault,
                    given,
                    caller,
                    system_clock,
                    subject=subject,
                    reference=reference,
                    facts=facts,
                    due_at=read_moment(due, system_clock()) if due else None,
                    due_hours=settings.review.due_hours,
                )
            else:
                case = read_case_id(into)
                add_by_hand(
                    room.vault,
                    case,
                    given,
                    caller,
                    system_clock,
                    reference=reference,
                    facts=facts,
                )
    if json:
        print_json({"case": case, "items": len(given)})
        return
    print_line(case)
    to_people.print("Sealed. See it with: tutela case show", case, style="dim")


def _files(room: ScreeningRoom, paths: list[Path]) -> list[Given]:
    known = []
    for path in paths:
        try:
            with path.open("rb") as opened:
                known.append(known_of(room.cells, opened.fileno(), path.suffix))
        except OSError as error:
            raise NotFoundError(f"{path} cannot be read: {error.strerror}") from None
    findings = room.screener.look_up(known)
    return [
        given_file(path.name, partial(_read, path), file.fingerprints, matches)
        for path, file, matches in zip(
            paths, known, room.screener.matches_of(known, findings), strict=True
        )
    ]


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as opened:
        while piece := opened.read(1 << 20):
            yield piece
