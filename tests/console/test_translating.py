"""What rooms say in English is said in every language; whoever adds a sentence is told here."""

import ast
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

import tutela
from tutela.cases import grounds, resting
from tutela.cases.model import CaseId
from tutela.cases.moving import AlreadyHeldError
from tutela.cases.states import State
from tutela.console.language import languages, own_sentences, own_texts
from tutela.console.translating import translated
from tutela.errors import InvalidInputError, OutOfTurnError, TutelaError
from tutela.hashlists.formats import columns, hashes

OTHERS = sorted(set(languages()) - {"en"})
HOUSE = Path(tutela.__file__).parent

# What a page shows of an error is the message of one of these, or of a kind of them. The other
# errors never reach a reader in their own words: a page that is not there, a wrong proof of who one
# is, a shut account and an unforeseen failure have texts of the pages; what fails in the storage or
# in a setting is for the machine's operator, and stands in the log; what ails the way to an
# authority is no error of a page.
SHOWN = {
    "AlreadyExistsError",
    "AlteredLedgerError",
    "InvalidInputError",
    "NotAgreedError",
    "NotPermittedError",
    "OutOfTurnError",
    "OverCapacityError",
}
NOT_SHOWN = {
    # Both rooms have one, and the page that asks for proof says it by itself.
    "NotProvedError",
}
# Where nobody who reads a page gets to.
ELSEWHERE = (
    # Commands, and what only they do.
    "cli/",
    "testing/",
    "backup/",
    "screening/",
    "evidence/disclosure/writing.py",
    "hashlists/exporting.py",
    "hashlists/importing.py",
    "hashlists/reading.py",
    "hashlists/rejects.py",
    "ledger/checkpointing.py",
    "ledger/notes.py",
    "ledger/proof_files.py",
    "ledger/signing.py",
    "ledger/timestamping.py",
    # Routes of programs, and what happens for them alone.
    "api/",
    "matching/",
    "reporting/",
    "fingerprints/",
    "kernel/",
    # What happens in a cell or a job: pages say in their own words that it cannot be shown.
    "sandbox/decoding.py",
    "sandbox/moments.py",
    "sandbox/pool.py",
    "sandbox/rendering.py",
    "storage/",
)
# Sentences that an error takes from a table, or that are kept and shown later.
TABLES: tuple[Mapping[Any, str], ...] = (grounds._WHY_NOT, resting._WORDS)
# Sentences that several errors share, by the names that they have there.
NAMED = {"AMBIGUOUS": hashes.AMBIGUOUS, "UNKNOWN_KIND": columns.UNKNOWN_KIND}


@cache
def rooms() -> dict[str, str]:
    """The text of each module that raises an error or names one."""
    texts = {
        str(file.relative_to(HOUSE)): file.read_text(encoding="utf-8")
        for file in sorted(HOUSE.rglob("*.py"))
    }
    return {name: text for name, text in texts.items() if "Error(" in text}


def kinds_of_shown_errors() -> set[str]:
    kinds = [
        kind
        for text in rooms().values()
        for kind in re.findall(r"^class (\w+Error)\((\w+Error)\)", text, re.MULTILINE)
    ]
    shown = set(SHOWN)
    while more := {name for name, base in kinds if base in shown} - shown:
        shown |= more
    return shown - NOT_SHOWN


@cache
def shown_messages() -> list[tuple[str, str | None]]:
    """Where each error that a page can show is made, and its template if it is a literal."""
    by_class = {key.removeprefix("wrong_") for key in own_texts("en") if key.startswith("wrong_")}
    # What these say is put together where their class is.
    shown = kinds_of_shown_errors() - by_class - {"RestDueError"}
    found: list[tuple[str, str | None]] = []
    for name, text in rooms().items():
        if name.startswith(ELSEWHERE):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id not in shown or not node.args:
                    continue
                found.append((f"{name}:{node.lineno}", literal(node.args[0])))
    return found


def literal(said: ast.expr) -> str | None:
    if isinstance(said, ast.Name):
        return NAMED.get(said.id)
    return said.value if isinstance(said, ast.Constant) and isinstance(said.value, str) else None


def gaps(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_whatever_error_a_page_can_show_keeps_its_values_apart() -> None:
    # No f-string, no name: the template is what the languages know it by.
    assert [place for place, template in shown_messages() if template is None] == []


@pytest.mark.parametrize("tag", OTHERS)
def test_whatever_error_a_page_can_show_is_said_in_every_language(tag: str) -> None:
    known = own_sentences(tag)
    said = {template: place for place, template in shown_messages() if template is not None}
    said |= {sentence: "a table" for table in TABLES for sentence in table.values()}
    assert {place: text for text, place in said.items() if text not in known} == {}


@pytest.mark.parametrize("tag", OTHERS)
def test_a_sentence_names_no_value_that_its_english_lacks(tag: str) -> None:
    for english, sentence in own_sentences(tag).items():
        assert gaps(sentence) <= gaps(english), english
        assert sentence.strip(), english
        assert not set("<>\\") & set(sentence), english


def test_every_language_knows_the_same_sentences() -> None:
    assert len({frozenset(own_sentences(tag)) for tag in OTHERS}) == 1
    assert own_sentences("en") == {}


def test_an_error_is_said_in_english_as_programs_hear_it() -> None:
    error = nothing_to_decide()
    assert error.message == f"X is {State.OPEN.words}: there is nothing to decide"
    assert str(translated(error, languages()["en"])) == error.message


def test_an_error_is_said_in_the_readers_language_with_its_values() -> None:
    arabic = languages()["ar"]
    said = str(translated(nothing_to_decide(), arabic))
    assert said == f"<bdi>X</bdi>: {arabic.texts['state_open']}. لا شيء يُبتّ فيه."


def nothing_to_decide() -> OutOfTurnError:
    template = "{case} is {state}: there is nothing to decide"
    return OutOfTurnError(template, case="X", state=State.OPEN)


def test_braces_in_a_message_without_values_are_left_alone() -> None:
    error = InvalidInputError('write {"case": 1}')
    assert error.message == 'write {"case": 1}'
    assert "{&#34;case&#34;: 1}" in translated(error, languages()["fr"])


def test_what_no_language_knows_stays_english_and_is_marked_as_such() -> None:
    found = translated(TutelaError("<b>nobody translated this</b>"), languages()["ar"])
    assert str(found) == (
        '<span lang="en" dir="ltr">&lt;b&gt;nobody translated this&lt;/b&gt;</span>'
    )


def test_a_value_cannot_bring_markup() -> None:
    error = InvalidInputError('"{text}" is not a day: write it as 2026-11-28', text="<script>")
    assert "<bdi>&lt;script&gt;</bdi>" in translated(error, languages()["es"])


def test_an_error_that_has_a_text_of_the_pages_is_said_by_it() -> None:
    error = AlreadyHeldError(CaseId("X"), None, datetime(2026, 1, 1, tzinfo=UTC))
    for language in languages().values():
        assert translated(error, language) == language.texts["wrong_AlreadyHeldError"]


def test_a_sentence_that_was_kept_is_known_again_with_what_is_in_it() -> None:
    kept = "us-1: at least 1y from its sealing on 2026-01-02; but the preservation letter A asks "
    kept += "for keeping it through 2027-05-01"
    said = translated(kept, languages()["fr"])
    assert said.startswith("<bdi>us-1</bdi> : au moins <bdi>1y</bdi>")
    assert "la demande de conservation <bdi>A</bdi>" in said


def test_an_error_within_an_error_is_said_in_the_same_language() -> None:
    inner = InvalidInputError("the hash is missing")
    error = InvalidInputError("entry {number}: {error}", number=3, error=inner)
    assert error.message == "entry 3: the hash is missing"
    assert str(translated(error, languages()["ru"])) == "Запись <bdi>3</bdi>: Хеша нет."
