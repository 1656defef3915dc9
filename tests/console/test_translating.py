"""What rooms say in English is said in every language; whoever adds a sentence is told here."""

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from pydantic import BaseModel

import tutela
from tutela import refusing
from tutela.cases import grounds, resting
from tutela.cases.model import CaseId
from tutela.cases.moving import AlreadyHeldError
from tutela.cases.schemes import all_schemes
from tutela.cases.states import State
from tutela.console.language import (
    languages,
    own_schemes,
    own_sentences,
    own_texts,
    sentences_by_file,
)
from tutela.console.translating import in_directory, in_scheme, translated, translated_meaning
from tutela.errors import InvalidInputError, OutOfTurnError, TutelaError
from tutela.hashlists.formats import columns, hashes
from tutela.reporting.authorities.model import Duty
from tutela.reporting.authorities.reading import written_directory
from tutela.reporting.cybertipline import model, problems
from tutela.reporting.cybertipline.codes import CODES
from tutela.reporting.drafts.words import HIDDEN
from tutela.storage.settings import ListPolicy, Policy, Settings
from tutela.storage.stated_settings import state_settings

OTHERS = sorted(set(languages()) - {"en"})
HOUSE = Path(tutela.__file__).parent

# What a page shows of an error is the message of one of these, or of a kind of them. The other
# errors never reach a reader in their own words: a page that is not there, a wrong proof of who one
# is, a shut account and an unforeseen failure have texts of the pages; what fails in the storage or
# in a setting is for the machine's operator, and stands in the log. What ails the way to an
# authority is kept, and shown as a sentence: see KEPT.
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
    "reporting/authorities/reading.py",
    "reporting/letters/bounces.py",
    "reporting/cybertipline/",
    "reporting/letters/notices.py",
    "reporting/drafts/supplying.py",
    "fingerprints/pdq.py",
    "kernel/",
    # What happens in a cell or a job: pages say in their own words that it cannot be shown.
    "sandbox/",
    "storage/",
)
# Sentences that an error takes from a table.
TABLES: tuple[Mapping[Any, str], ...] = (grounds._WHY_NOT, resting._WORDS)
# What is kept or composed as a sentence, and shown: the calls that make it, by their rooms.
KEPT = {
    # Why a job waits, or has failed for good.
    "": {"Later", "Never"},
    # Why a live stream is lost or has ended.
    "streams/": {"RefusedSourceError", "SourceError"},
    "reporting/": {
        "NeedsPersonError",
        "NoAnswerError",
        "TryLaterError",
        "WrongCredentialsError",
        "WrongServerError",
        "hoping",
    },
    "storage/mail_streams.py": {
        "MailNotTakenError",
        "MailOutcomeUnknownError",
        "MailTooLargeError",
    },
    "evidence/vault.py": {"_damaged"},
    "ledger/checking.py": {"Finding"},
    "ledger/verifying.py": {"Finding"},
    "reporting/cybertipline/model.py": {"ValueError"},
    "reporting/cybertipline/schema.py": {"SettingsError"},
    "reporting/cybertipline/server.py": {"SettingsError"},
    "reporting/cybertipline/values.py": {"ValueError"},
}
# Sentences that are put together of parts, with all that they may be put together of.
COMPOSED = (
    "held: A, B",
    "it is held: A",
    "no rule: it is kept until it is given one",
    'no rule: give it one with "tutela evidence assign-rule"',
    "its rule us-1 is not among the rules any more: put it back, or give it one with "
    '"tutela evidence assign-rule"',
    'its rule us-1 reads otherwise than when it was sealed: give it one with "tutela evidence '
    'assign-rule" anew',
    *(
        f"keys in {keys}, blobs in {blobs}"
        for keys in ("a file", "AWS KMS")
        for blobs in ("a folder", "S3")
    ),
    "the rule us-1 is unverified and nobody has confirmed it",
    "law enforcement asked for its destruction: A",
    "no rule: it is kept until it is given one; law enforcement asked for its destruction: A: a "
    'person has to carry that out with "tutela evidence destroy ITEM --ordered-by"',
    "us-1: the clock starts when a report of it is finished",
    *(
        f"us-1: {bound} {period} from {start} on 2026-01-31{letter}"
        for bound, period in (
            ("at least", "1 year"),
            ("at least", "2 years and 1 month"),
            ("at most", "6 months and 1 day"),
        )
        for start in ("its sealing", "the report 7")
        for letter in (
            "",
            "; but the preservation letter A asks for keeping it through 2027-01-01",
        )
    ),
    "the preservation letter A asks for keeping it through 2027-01-01",
    "a-mail lacks its address; nobody stands for a-form",
    "a-mail lacks its address and its public key; a-mail lacks its public key; a-way lacks its URL",
    *(
        f"{mail} is too large (the settings allow 20 MiB): leave out files that the authority does "
        "not need, raise reporting.mail_mebibytes if its server takes more, or agree with it on "
        "another way, such as a webhook or a package that is handed over "
        '("tutela evidence disclose")'
        for mail in ("its mail", "a mail of about 30 MiB")
    ),
    *(
        f"not those over which the checkpoint of 9 entries was signed: {sound}changed, dropped or "
        "inserted since"
        for sound in ("", "sound up to the one of 4, ")
    ),
    *(f"0.1 s from {whose}" for whose in ("this machine's", "the database's")),
    "2 on, 1 failing; webhook 7 since 2026-01-31 12:00 UTC",
    "7 reports wait to be sent, the oldest for 3 days; 2 are stopped and need a person; "
    '2 may have been sent before the house was restored: see "tutela report doubts"; '
    "a-hotline takes no reports; a-hotline is stopped",
    "it is not as the schema wants it: /report/age: should be a number; /report: lacks something; "
    "/report/name: is not in its place, or not known: here comes age",
    "limits: holds; seccomp: it lets a cell open a file, run a program",
    "a cell can still make a file",
    *(
        f"landlock: {said}"
        for said in (
            "Function not implemented",
            "Invalid argument",
            "No space left on device",
            "Operation not permitted",
            "Permission denied",
            "its system calls are not known for riscv64",
            "it was put on too late: other threads ran already",
            "putting it on broke",
            "the kernel has no Landlock, or has it switched off",
        )
    ),
    *(
        f"reporting.cybertipline_schema: a.xsd {wrong}: save again what GET /xsd of the interface "
        "answers"
        for wrong in (
            "is no XML Schema",
            "names another file: Tutela reads a schema that is in one",
        )
    ),
    HIDDEN,
    "needs exactly one kind of place, but has 2: begin another one for each",
)
GAP = "\0"
WITH_A_LIST = Policy(lists={"partners": ListPolicy()})
# Sentences that several errors share, by the names that they have there.
NAMED = {"AMBIGUOUS": hashes.AMBIGUOUS, "UNKNOWN_KIND": columns.UNKNOWN_KIND}


@cache
def sources() -> dict[str, str]:
    """The text of each module."""
    return {
        str(file.relative_to(HOUSE)): file.read_text(encoding="utf-8")
        for file in sorted(HOUSE.rglob("*.py"))
    }


def rooms() -> dict[str, str]:
    """The text of each module that raises an error or names one."""
    return {name: text for name, text in sources().items() if "Error(" in text}


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
    found = [
        {file: set(content) for file, content in sentences_by_file(tag).items()} for tag in OTHERS
    ]
    assert all(each == found[0] for each in found)
    assert own_sentences("en") == {}


def test_no_sentence_is_in_two_files() -> None:
    found = sentences_by_file(OTHERS[0])
    assert sum(map(len, found.values())) == len(own_sentences(OTHERS[0]))


def kept_sentences() -> Iterator[str]:
    """Each sentence that is kept, with something in the place of each value."""
    for name, text in sources().items():
        called = set().union(*(calls for room, calls in KEPT.items() if name.startswith(room)))
        if not any(f"{each}(" in text for each in called):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in called:
                yield from (filled(each) for each in node.args if is_sentence(each))
    words = [*refusing._WRONG.values(), refusing._OTHERWISE, "is empty"]
    words += [*problems._STRUCTURE.values(), *problems._FACETS.values(), *problems._PLAIN.values()]
    yield from (re.sub(r"{\w*}", "7", each) for each in words if each != "{error}")
    schema = files("tutela.reporting.cybertipline") / "schema.xsd"
    yield from re.findall(r'words="([^"]*)"', schema.read_text(encoding="utf-8"))
    yield from (code.meaning for code in CODES.values())
    yield from COMPOSED


def test_nothing_is_translated_that_nobody_says_any_more() -> None:
    said = {
        skeleton(node.value) if isinstance(node, ast.Constant) else filled(node, GAP)
        for text in sources().values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    }
    whole = "\n".join(kept())
    stale = {
        english
        for file in ("errors", "sentences", "report_help")
        for english in sentences_by_file(OTHERS[0])[file]
        if skeleton(english) not in said
        and not re.search(".+?".join(map(re.escape, skeleton(english).split(GAP))), whole)
    }
    assert stale == set()


def skeleton(template: str) -> str:
    """A sentence with the same mark for each value."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError:  # It only quotes braces.
        return template
    return "".join(text + (GAP if name is not None else "") for text, name, _, _ in parts)


def is_sentence(said: ast.expr) -> bool:
    return isinstance(said, ast.JoinedStr) or (
        isinstance(said, ast.Constant) and " " in str(said.value)
    )


def filled(said: ast.expr, gap: str = "7") -> str:
    if isinstance(said, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else gap for part in said.values
        )
    assert isinstance(said, ast.Constant)
    return str(said.value)


@pytest.mark.parametrize("tag", OTHERS)
def test_whatever_is_kept_as_a_sentence_is_known_in_every_language(tag: str) -> None:
    language = languages()[tag]
    unknown = [each for each in kept() if 'lang="en"' in translated(each, language)]
    assert unknown == []


@cache
def kept() -> list[str]:
    return list(kept_sentences())


@pytest.mark.parametrize("tag", OTHERS)
def test_what_a_field_of_a_report_means_is_said_in_every_language(tag: str) -> None:
    known = own_sentences(tag)
    # What the authority itself says of a file is in no form.
    models = {each for each in vars(model).values() if isinstance(each, type)} - {model.FileDetails}
    said = {
        field.description
        for each in models
        if issubclass(each, model.Content)
        for field in each.model_fields.values()
        if field.description
    }
    assert len(said) > 100
    assert said - known.keys() == set()


def meanings(model: type[BaseModel] = Settings) -> Iterator[str]:
    """What each setting means, also those of a list."""
    for field in model.model_fields.values():
        is_section = False
        for each in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(each, type) and issubclass(each, BaseModel):
                is_section = each is field.annotation
                yield from meanings(each)
        if field.description and not is_section:
            yield field.description


def test_each_setting_says_what_it_means() -> None:
    said = set(meanings())
    shown = {each.meaning for each in state_settings(Settings(policy=WITH_A_LIST))}
    assert shown <= said
    assert len(shown) > 120


@pytest.mark.parametrize("tag", OTHERS)
def test_what_a_setting_means_is_said_in_every_language(tag: str) -> None:
    known = own_sentences(tag)
    said = set(meanings())
    assert said - known.keys() == set()
    assert sentences_by_file(tag)["settings"].keys() - said == set()
    for meaning in said:
        # What is in backquotes is typed as it stands, and what is in brackets leads somewhere.
        for form in (r"`[^`]+`", r"\]\([^)]+\)"):
            there = sorted(re.findall(form, known[meaning]))
            assert there == sorted(re.findall(form, meaning)), meaning


def test_what_a_setting_means_is_shown_with_its_code_and_what_to_read() -> None:
    meaning = "`max_distance` of 31 & less; see [videos](videos.md#scenes)."
    said = translated_meaning(meaning, languages()["en"])
    assert said == (
        '<code dir="ltr">max_distance</code> of 31 &amp; less; see videos '
        '(<code dir="ltr">docs/videos.md</code>).'
    )
    french = translated_meaning("Its port.", languages()["fr"])
    assert french == "Son port."


def said_by_the_directory() -> Iterator[str]:
    """What the packaged directory says, but for the names of authorities and laws."""
    for row in written_directory(Settings()).rows():
        yield row.notes
        yield row.source
        if isinstance(row, Duty):
            yield from (row.provider, row.promptness, row.law)


# Names of laws, and where in them something stands: in every language as the law has it.
LAWS = (
    "Criminal Code Act 1995 (Cth)",
    "Internet Child Pornography Reporting Regulations",
    "Online Safety Act 2023",
    "Regulation (EU) 2022/2065, Article",
    " and recital",
)


def is_a_name(words: str) -> bool:
    for each in LAWS:
        words = words.replace(each, "")
    return not re.search("[A-Za-z]{4}", re.sub(r"https?://\S+", "", words))


@pytest.mark.parametrize("tag", OTHERS)
def test_what_the_directory_of_authorities_says_is_said_in_every_language(tag: str) -> None:
    language = languages()[tag]
    said = {each for each in said_by_the_directory() if each}
    unknown = {each for each in said if in_directory(each, language) is None}
    assert {each for each in unknown if not is_a_name(each)} == set()
    assert len(said - unknown) > 45


def test_the_directory_is_translated_as_it_reads_now() -> None:
    said = "\n".join(said_by_the_directory())
    stale = {
        english
        for english in sentences_by_file(OTHERS[0])["directory"]
        if not re.search(".+?".join(map(re.escape, skeleton(english).split(GAP))), said)
    }
    assert stale == set()


def test_what_an_operator_wrote_of_an_authority_stays_as_it_is() -> None:
    assert in_directory("Our counsel has read it.", languages()["fr"]) is None
    assert in_directory("promptly", languages()["en"]) is None
    assert in_directory("promptly", languages()["fr"]) == "promptement"


@pytest.mark.parametrize("tag", OTHERS)
def test_the_label_schemes_are_said_in_every_language(tag: str) -> None:
    ours = {
        scheme.id: {scheme.title}
        | {
            words
            for each in scheme.labels
            for words in (each.words, each.group, each.meaning)
            if words
        }
        for scheme in all_schemes(Settings())
    }
    assert {scheme: set(words) for scheme, words in own_schemes(tag).items()} == ours


def test_words_that_an_operator_put_into_a_scheme_stay_as_they_are() -> None:
    french = languages()["fr"]
    assert in_scheme("inhope", "Girl", french) == "Fille"
    assert in_scheme("inhope", "Somebody", french) == "Somebody"
    assert in_scheme("our-own", "Girl", french) == "Girl"


def test_what_is_kept_is_found() -> None:
    assert len(kept()) > 120


def test_a_period_is_said_in_its_parts_and_a_list_in_its_words() -> None:
    french, arabic = languages()["fr"], languages()["ar"]
    said = translated("us-1: at least 1 year and 6 months from its sealing on 2026-01-02", french)
    assert "au moins 1 an, <bdi>6</bdi> mois" in said
    said = translated("seccomp: it lets a cell open a file, run a program", arabic)
    assert not re.search("[a-z]", str(said).replace("<bdi>seccomp</bdi>", ""))


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


def test_what_a_job_broke_by_is_said_with_its_kind() -> None:
    said = translated("NotFoundError: the name a.example is not known", languages()["fr"])
    assert said.startswith('<code dir="ltr">NotFoundError</code>')
    assert "<bdi>a.example</bdi>" in said


def test_sentences_in_a_row_are_told_apart() -> None:
    kept = "7 reports wait to be sent; 2 are stopped and need a person; a-hotline takes no reports"
    assert str(translated(kept, languages()["es"])) == (
        "denuncias que esperan envío: <bdi>7</bdi>; detenidas, necesitan a una persona: "
        "<bdi>2</bdi>; <bdi>a-hotline</bdi>: no acepta denuncias"
    )


def test_what_runs_the_other_way_is_kept_together() -> None:
    said = translated(
        "its rule us-1 is not among the rules any more: put it back, or give it one "
        'with "tutela evidence assign-rule"',
        languages()["ar"],
    )
    assert "<bdi>us-1</bdi>" in said
    assert '«<bdi dir="ltr">tutela evidence assign-rule</bdi>»' in said
    said = translated("needs a zone, such as the Z in 2026-01-15T12:00:00Z", languages()["ar"])
    assert said.endswith('<bdi dir="ltr">2026-01-15T12:00:00Z</bdi>')
    note = written_directory(Settings()).duties["us-2258a-apparent"].notes
    assert '<bdi dir="ltr">2422(b)</bdi>' in str(in_directory(note, languages()["ar"]))


def test_an_error_within_an_error_is_said_in_the_same_language() -> None:
    inner = InvalidInputError("the hash is missing")
    error = InvalidInputError("entry {number}: {error}", number=3, error=inner)
    assert error.message == "entry 3: the hash is missing"
    assert str(translated(error, languages()["ru"])) == "Запись <bdi>3</bdi>: Хеша нет."
