"""Items of one subject are in one case, as long as nobody looks at it."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from tests.cases.world import ANNA, OPERATOR, PROGRAM, decided, employ, looked, reviewing, taken
from tests.evidence.sealing import blob_files, opened
from tutela.cases.adding import Opening
from tutela.cases.by_hand import add_by_hand, given_words, open_by_hand
from tutela.cases.facts import Fact
from tutela.cases.model import CaseId, Item, ItemKind
from tutela.cases.reading import read_case
from tutela.cases.sealing import open_cases
from tutela.cases.states import State
from tutela.cases.tables import case_items, cases
from tutela.errors import InvalidInputError, OutOfTurnError
from tutela.evidence.key_registry import prepare_keys
from tutela.evidence.vault import Vault
from tutela.fingerprints.model import FingerprintSet
from tutela.ledger.tables import ledger_entries
from tutela.sandbox.model import Shown
from tutela.storage.database import Database
from tutela.storage.settings import Settings


@pytest.fixture
def vault(settings: Settings, database: Database, clock) -> Vault:
    opened_vault = Vault.over(settings, database, clock)
    prepare_keys(opened_vault.keyring, database, tell=lambda _: None)
    return opened_vault


def about(subject: str | None, content: bytes, /, **options: object) -> Opening:
    known = FingerprintSet(size=len(content), sha256=hashlib.sha256(content).digest())
    item = Item("p", "scan", known)
    return replace(Opening(item, (), content=lambda: [content], subject=subject), **options)


def acts(database: Database, case: CaseId) -> list[str]:
    with database.reading() as connection:
        return list(
            connection.execute(
                select(ledger_entries.c.act)
                .where(ledger_entries.c.case_id == case)
                .order_by(ledger_entries.c.number)
            ).scalars()
        )


def contents(vault: Vault, case: CaseId) -> list[bytes]:
    with vault.database.reading() as connection:
        found = read_case(connection, case, PROGRAM)
    return [opened(vault, each.evidence.id) for each in found.items if each.evidence]


def test_uploads_of_one_subject_join_one_case(vault: Vault, database, clock) -> None:
    (first,) = open_cases(vault, [about("a", b"one", facts=frozenset({Fact.ESCALATED}))], clock)
    second, third, other = open_cases(
        vault, [about("a", b"two"), about("a", b"one"), about("b", b"three")], clock
    )
    assert first == second == third != other
    assert contents(vault, first) == [b"one", b"two", b"one"]
    assert acts(database, first).count("case.opened") == 1
    assert acts(database, first).count("case.item-added") == 2


def test_what_is_known_of_the_new_one_puts_the_case_forward(vault: Vault, database, clock) -> None:
    (case,) = open_cases(vault, [about("a", b"one")], clock)
    with database.reading() as connection:
        before = read_case(connection, case, PROGRAM)
    open_cases(vault, [about("a", b"two", facts=frozenset({Fact.LIVE_STREAM}))], clock)
    with database.reading() as connection:
        after = read_case(connection, case, PROGRAM)
    assert after.rank_at < before.rank_at
    assert "case.facts-changed" in acts(database, case)


def test_what_somebody_looks_at_is_left_as_it_is(vault: Vault, database, clock) -> None:
    (first,) = open_cases(vault, [about("a", b"one")], clock)
    taken(database, clock, first, ANNA)
    second, third = open_cases(vault, [about("a", b"two"), about("a", b"three")], clock)
    assert first != second == third
    with database.reading() as connection:
        assert [each.case for each in read_case(connection, second, PROGRAM).earlier] == [first]


def test_a_case_that_is_taken_while_more_is_sealed_is_not_joined(
    vault: Vault, settings, database, clock
) -> None:
    (first,) = open_cases(vault, [about("a", b"one")], clock)

    def two() -> Iterator[bytes]:
        # Somebody is quicker, after the case was chosen.
        taken(database, clock, first, ANNA)
        yield b"two"

    (second,) = open_cases(vault, [about("a", b"two", content=two)], clock)
    assert second != first
    assert contents(vault, second) == [b"two"]
    assert len(blob_files(settings)) == 2


def test_many_uploads_at_once_open_one_case(vault: Vault, database: Database, clock) -> None:
    numbers: list[CaseId] = []
    failed: list[Exception] = []

    def send(number: int) -> None:
        try:
            numbers.extend(open_cases(vault, [about("a", b"%d" % number)], clock))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(set(numbers)) == 1
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(cases)).scalar_one() == 1
        assert connection.execute(select(func.count()).select_from(case_items)).scalar_one() == 6


def test_who_was_confirmed_before_comes_sooner(vault: Vault, settings, database, clock) -> None:
    (first,) = open_cases(vault, [about("a", b"one")], clock)
    with database.writing() as connection:
        connection.execute(update(case_items).values(evidence_id=None))
    decided(database, clock, reviewing(settings), first, OPERATOR)
    (second,) = open_cases(vault, [about("a", b"two")], clock)
    with database.reading() as connection:
        assert "confirmed_before" in read_case(connection, second, PROGRAM).facts


def test_the_same_content_in_other_cases_is_linked(vault: Vault, database, clock) -> None:
    first, second, _ = open_cases(
        vault, [about(None, b"one"), about(None, b"one"), about(None, b"two")], clock
    )
    with database.reading() as connection:
        (item,) = read_case(connection, first, PROGRAM).items
    assert [each.case for each in item.elsewhere] == [second]


def test_words_alone_are_a_case_and_are_sealed(vault: Vault, settings, database, clock) -> None:
    words = "Words that somebody wrote."
    case = open_by_hand(
        vault,
        [given_words(ItemKind.TEXT, words), given_words(ItemKind.URL, "https://host.example/")],
        ANNA,
        clock,
        reference="report-1",
    )
    assert contents(vault, case) == [words.encode(), b"https://host.example/"]
    with database.reading() as connection:
        items = read_case(connection, case, ANNA).items
    assert [(each.kind, each.reference) for each in items] == [
        (ItemKind.TEXT, "report-1"),
        (ItemKind.URL, "report-1"),
    ]
    if database.is_sqlite:
        assert words.encode() not in (settings.data / "tutela.db").read_bytes()


def test_items_are_added_until_a_case_is_decided(vault: Vault, settings, database, clock) -> None:
    employ(database, clock)
    more = [given_words(ItemKind.TEXT, "More words.")]
    case = open_by_hand(vault, [given_words(ItemKind.TEXT, "Words.")], ANNA, clock)
    taken(database, clock, case, ANNA)
    add_by_hand(vault, case, more, ANNA, clock)
    assert len(contents(vault, case)) == 2
    with database.reading() as connection:
        items = [each.id for each in read_case(connection, case, ANNA).items]
    for item in items:
        looked(database, clock, case, ANNA, shown=Shown.TEXT, item=item)
    decided(database, clock, reviewing(settings), case, ANNA, ask_second=True)
    blobs = len(blob_files(settings))
    with pytest.raises(OutOfTurnError, match="takes no more items"):
        add_by_hand(vault, case, [given_words(ItemKind.TEXT, "Late.")], ANNA, clock)
    assert len(blob_files(settings)) == blobs
    with database.writing() as connection:
        connection.execute(update(cases).values(state=State.CONFIRMED))
    with pytest.raises(OutOfTurnError):
        add_by_hand(vault, case, more, ANNA, clock)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ItemKind.TEXT, " "),
        (ItemKind.TEXT, "x" * 100_001),
        (ItemKind.URL, "host.example"),
        (ItemKind.URL, "https://host.example/ and more"),
    ],
)
def test_what_is_neither_words_nor_an_address_is_refused(kind, words) -> None:
    with pytest.raises(InvalidInputError):
        given_words(kind, words)


def test_what_is_opened_by_hand_is_due_when_it_is_said_or_else_as_the_house_has_it(
    vault: Vault, database, clock
) -> None:
    words = [given_words(ItemKind.TEXT, "Words.")]
    said = clock() + timedelta(days=1)
    cases = [
        open_by_hand(vault, words, ANNA, clock),
        open_by_hand(vault, words, ANNA, clock, due_hours=3),
        open_by_hand(vault, words, ANNA, clock, due_hours=3, due_at=said),
    ]
    with database.reading() as connection:
        due = [read_case(connection, case, ANNA).due_at for case in cases]
    assert due == [None, clock() + timedelta(hours=3), said]
