"""Nothing is handed over unless two different people said so, about exactly this, in time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Connection, insert, select, update

from tests.actors import actor_called, custodians_key
from tests.conftest import TurnedClock
from tests.evidence.disclosure.parcels import IDS, exhibits
from tutela.accounts.keys import add_key, check_key, revoke_key
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission, Role
from tutela.accounts.tables import api_keys, people
from tutela.cases.tables import cases
from tutela.errors import (
    InvalidInputError,
    NotAgreedError,
    NotFoundError,
    NotPermittedError,
    TutelaError,
)
from tutela.evidence.disclosure.model import Disclosure, Exhibit, Standing, State
from tutela.evidence.disclosure.recipients import read_recipients
from tutela.evidence.disclosure.requesting import (
    agree,
    all_disclosures,
    ask,
    check_may_make,
    find_disclosure,
    left_out_of,
    note_made,
    refuse,
)
from tutela.evidence.disclosure.writing import Package
from tutela.ledger.reading import newest_entries, words_of
from tutela.storage.database import Database

CASE = "7K3M-9QPD-2X4H"
RECIPIENTS = read_recipients("age1jw48gptpw649dx3gul60qupapw0d4x38jydrkqqv2xhq0m62p35qrt8tg9", "f")
_FIRST = exhibits()[0]
_SECOND = replace(_FIRST, number=6, known=replace(_FIRST.known, evidence="f" * 26))
EXHIBITS = (*exhibits(), _SECOND)
MADE = Package("ab" * 32, 12_345)


@dataclass
class World:
    """A case and three people: Ada asks, Ben agrees, Cid may disclose as well."""

    database: Database
    clock: TurnedClock

    def __post_init__(self) -> None:
        with self.database.writing() as connection:
            connection.execute(insert(cases).values(id=CASE, state="open", opened_at=self.clock()))
        self.ada, self.ben, self.cid = map(self.person, ("ada", "ben", "cid"))

    def person(self, name: str, *scopes: Permission) -> ApiKey:
        with self.database.writing() as connection:
            secret = custodians_key(connection, name, self.clock, *scopes)
            return check_key(connection, secret)

    def revoke(self, name: str) -> None:
        with self.database.writing() as connection:
            revoke_key(connection, name, actor_called("boss"), self.clock)

    def ask(self, key: ApiKey, shown: tuple[Exhibit, ...] = EXHIBITS, **changes) -> Disclosure:
        texts = {"authority": "Police", "legal_basis": "Order 1", "reference": "X 1"} | changes
        with self.database.writing() as connection:
            return ask(connection, key, CASE, shown, RECIPIENTS, clock=self.clock, **texts)

    def agree(self, key: ApiKey, number: int, shown: tuple[Exhibit, ...] = EXHIBITS) -> Disclosure:
        with self.database.writing() as connection:
            return agree(connection, key, number, shown, self.clock)

    def refuse(self, key: ApiKey, number: int, reason: str = "too much") -> Disclosure:
        with self.database.writing() as connection:
            return refuse(connection, key, number, reason, self.clock)

    def make(self, key: ApiKey, number: int, shown: tuple[Exhibit, ...] = EXHIBITS) -> None:
        with self.database.writing() as connection:
            made = check_may_make(connection, key, number, shown, self.clock)
            note_made(connection, key, made, MADE, self.clock)

    def find(self, number: int) -> Disclosure:
        with self.database.reading() as connection:
            return find_disclosure(connection, number)

    def told(self) -> list[tuple[str, str, str | None]]:
        with self.database.reading() as connection:
            return [
                (entry.act, entry.actor, entry.thing)
                for entry in reversed(newest_entries(connection, 1000, case=CASE))
            ]


@pytest.fixture
def world(database: Database, clock) -> World:
    return World(database, clock)


def test_one_asks_another_agrees_and_each_step_is_in_the_ledger(world: World) -> None:
    asked = world.ask(world.ada)
    assert (asked.state, asked.asked_by, asked.decided_by) == (
        State.ASKED,
        f"key:{world.ada.id}",
        None,
    )
    agreed = world.agree(world.ben, asked.id)
    assert (agreed.state, agreed.decided_by) == (State.AGREED, f"key:{world.ben.id}")
    world.make(world.ada, asked.id)
    made = world.find(asked.id)
    assert (made.made_at, made.package_sha256, made.package_size) == (
        world.clock(),
        MADE.sha256,
        MADE.size,
    )
    thing = f"disclosure:{asked.id}"
    assert world.told() == [
        ("disclosure.requested", f"key:{world.ada.id}", thing),
        ("disclosure.agreed", f"key:{world.ben.id}", thing),
        ("disclosure.made", f"key:{world.ada.id}", thing),
    ]


def test_the_ledger_keeps_the_recipient_and_the_packages_sum_apart_from_the_entries(
    world: World,
) -> None:
    asked = world.ask(world.ada)
    world.agree(world.ben, asked.id)
    world.make(world.ben, asked.id)
    with world.database.reading() as connection:
        found = newest_entries(connection, 3)
        words = words_of(connection, found)
    made, agreed, requested = (words[entry.number] for entry in found)
    assert MADE.sha256 in made
    assert "12345 bytes" in made
    for each in (made, agreed, requested):
        assert RECIPIENTS.sha256 in each
    assert "Police; X 1; Order 1" in requested


Doing = Callable[[World, ApiKey, int], object]
DOINGS: dict[str, Doing] = {"agree": World.agree, "refuse": World.refuse, "make": World.make}


_WHO_MAY_DO_WHAT = [
    ("ada", "agree", "asked", False),
    ("ben", "agree", "asked", True),
    ("cid", "agree", "asked", True),
    ("dan", "agree", "asked", False),
    ("ada", "refuse", "asked", True),
    ("ben", "refuse", "asked", True),
    ("dan", "refuse", "asked", False),
    ("ada", "make", "asked", False),
    ("ben", "make", "asked", False),
    ("ada", "agree", "agreed", False),
    ("ben", "agree", "agreed", False),
    ("cid", "agree", "agreed", False),
    ("ada", "refuse", "agreed", True),
    ("cid", "refuse", "agreed", True),
    ("ada", "make", "agreed", True),
    ("ben", "make", "agreed", True),
    ("cid", "make", "agreed", False),
    ("dan", "make", "agreed", False),
    ("ada", "agree", "refused", False),
    ("ben", "agree", "refused", False),
    ("ada", "refuse", "refused", False),
    ("ada", "make", "refused", False),
    ("ben", "make", "refused", False),
]


def test_who_may_do_what_when(world: World) -> None:
    """Ada asked; if somebody decided it was Ben; Dan has every scope but the right one."""
    dan = world.person("dan", *(set(Permission) - {Permission.EVIDENCE_DISCLOSE}))
    people = {"ada": world.ada, "ben": world.ben, "cid": world.cid, "dan": dan}
    for who, doing, state, allowed in _WHO_MAY_DO_WHAT:
        asked = world.ask(world.ada)
        if state == "agreed":
            world.agree(world.ben, asked.id)
        elif state == "refused":
            world.refuse(world.ben, asked.id)
        before, told = world.find(asked.id), world.told()
        if allowed:
            DOINGS[doing](world, people[who], asked.id)
            assert len(world.told()) == len(told) + 1
            continue
        with pytest.raises((NotPermittedError, NotAgreedError)):
            DOINGS[doing](world, people[who], asked.id)
        assert (world.find(asked.id), world.told()) == (before, told), (who, doing, state)


def test_asking_needs_the_scope(world: World) -> None:
    with pytest.raises(NotPermittedError, match="evidence:disclose"):
        world.ask(world.person("dan", Permission.CASES_READ))


@pytest.mark.parametrize("name", ["ada", "ben"])
def test_what_the_bearer_of_a_revoked_key_said_is_void(world: World, name: str) -> None:
    asked = world.ask(world.ada)
    if name == "ada":
        world.revoke("ada")
        with pytest.raises(NotAgreedError, match=f"void, since key:{world.ada.id} was revoked"):
            world.agree(world.ben, asked.id)
        return
    world.agree(world.ben, asked.id)
    world.revoke("ben")
    with pytest.raises(NotAgreedError, match=f"void, since key:{world.ben.id} was revoked"):
        world.make(world.ada, asked.id)


def test_a_key_that_lost_its_scope_in_the_database_counts_no_more(world: World) -> None:
    asked = world.ask(world.ada)
    with world.database.writing() as connection:
        connection.execute(
            update(api_keys).where(api_keys.c.id == world.ada.id).values(scopes="screen")
        )
    with pytest.raises(NotAgreedError, match="void"):
        world.agree(world.ben, asked.id)


def test_the_same_person_by_a_new_name_of_the_same_key_is_the_same(world: World) -> None:
    asked = world.ask(world.ada)
    with pytest.raises(NotPermittedError, match="another person"):
        world.agree(replace(world.ada, name="ben"), asked.id)


@pytest.mark.parametrize("days", [6.99, 7])
def test_a_request_and_an_agreement_hold_for_seven_days(world: World, days: float) -> None:
    asked = world.ask(world.ada)
    world.clock.turn(days=days)
    if days >= 7:
        with pytest.raises(NotAgreedError, match=r"has lapsed on 2026-01-22 \(7 days\)"):
            world.agree(world.ben, asked.id)
        return
    world.agree(world.ben, asked.id)
    world.clock.turn(days=days)
    world.make(world.ada, asked.id)
    world.clock.turn(days=0.02)
    with pytest.raises(NotAgreedError, match="has lapsed"):
        world.make(world.ada, asked.id)


def _changes() -> dict[str, tuple[Exhibit, ...]]:
    first, *others = EXHIBITS
    new = replace(first, number=7, known=replace(first.known, evidence=IDS[4]))
    return {
        "an item more": (*EXHIBITS, new),
        "an item less": tuple(others),
        "one destroyed": (replace(first, standing=Standing.DESTROYED), *others),
        "one no longer left out": (
            first,
            replace(others[0], standing=Standing.KEPT),
            *others[1:],
        ),
        "other content": (replace(first, sha256="ff" * 32), *others),
    }


@pytest.mark.parametrize("change", list(_changes()))
def test_a_case_that_changed_needs_to_be_asked_for_anew(world: World, change: str) -> None:
    changed = _changes()[change]
    asked = world.ask(world.ada)
    with pytest.raises(NotAgreedError, match="has changed since"):
        world.agree(world.ben, asked.id, changed)
    world.agree(world.ben, asked.id)
    with pytest.raises(NotAgreedError, match="has changed since"):
        world.make(world.ben, asked.id, changed)
    world.agree(world.ben, world.ask(world.ada, changed).id, changed)


def test_the_order_of_items_and_what_is_only_said_of_them_is_no_change(world: World) -> None:
    asked = world.ask(world.ada)
    shown = tuple(replace(each, held=True, media_type=None) for each in reversed(EXHIBITS))
    world.agree(world.ben, asked.id, shown)


def test_what_was_left_out_is_remembered(world: World) -> None:
    assert left_out_of(world.ask(world.ada)) == {IDS[1]}


def test_a_case_without_a_file_to_hand_over_cannot_be_asked_for(world: World) -> None:
    with pytest.raises(InvalidInputError, match="no file in the vault"):
        world.ask(world.ada, EXHIBITS[1:5])


def test_every_text_is_needed_and_can_be_seen(world: World) -> None:
    for field in ("authority", "legal_basis", "reference"):
        for text in ("", "  \n ", "x" * 3001, "a\x1b[2Jb", "a\u202eb", "a\0b"):
            with pytest.raises(InvalidInputError, match="is needed"):
                world.ask(world.ada, **{field: text})
    assert world.told() == []


def test_texts_in_any_script_are_kept(world: World) -> None:
    asked = world.ask(world.ada, authority="  Кіберполіція\n 警察 ")
    assert world.find(asked.id).authority == "Кіберполіція 警察"


def test_an_agreement_can_be_taken_back_until_it_is_too_late(world: World) -> None:
    asked = world.ask(world.ada)
    world.agree(world.ben, asked.id)
    world.make(world.ada, asked.id)
    world.refuse(world.cid, asked.id, "a wrong key")
    with pytest.raises(NotAgreedError, match=f"was refused by key:{world.cid.id}: a wrong key"):
        world.make(world.ada, asked.id)


def test_a_refusal_needs_a_reason(world: World) -> None:
    asked = world.ask(world.ada)
    with pytest.raises(InvalidInputError, match="a reason is needed"):
        world.refuse(world.ben, asked.id, " ")


def test_of_many_who_decide_at_once_one_is_heard(world: World) -> None:
    asked = world.ask(world.ada)
    outcomes: list[object] = []

    def decide(doing: Doing, key: ApiKey) -> None:
        try:
            outcomes.append(doing(world, key, asked.id))
        except TutelaError as error:
            outcomes.append(error)

    threads = [
        threading.Thread(target=decide, args=each)
        for each in [(World.agree, world.ben), (World.agree, world.cid)] * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(each, Disclosure) for each in outcomes) == 1
    assert sum(isinstance(each, NotAgreedError) for each in outcomes) == 5
    assert len(world.told()) == 2


def test_a_step_whose_transaction_fails_never_was(world: World) -> None:
    asked = world.ask(world.ada)

    def fail(step: Callable[[Connection], object]) -> None:
        with pytest.raises(ZeroDivisionError), world.database.writing() as connection:
            step(connection)
            _ = 1 / 0

    before = world.told()
    fail(lambda connection: agree(connection, world.ben, asked.id, EXHIBITS, world.clock))
    assert world.find(asked.id) == asked
    assert world.told() == before


def test_requests_are_listed_the_newest_first(world: World) -> None:
    numbers = [world.ask(world.ada).id for _ in range(3)]
    with world.database.reading() as connection:
        assert [each.id for each in all_disclosures(connection)] == numbers[::-1]
        with pytest.raises(NotFoundError, match="there is no disclosure 99"):
            find_disclosure(connection, 99)
        assert connection.execute(select(cases.c.id)).scalars().all() == [CASE]


def test_one_person_with_two_keys_is_one_person(world: World) -> None:
    asked = world.ask(world.ada)
    with world.database.writing() as connection:
        secret = add_key(
            connection,
            "ada's other",
            [Permission.EVIDENCE_DISCLOSE],
            actor_called("boss"),
            world.clock,
            owner=world.ada.owner,
        )
        other = check_key(connection, secret)
    with pytest.raises(NotPermittedError, match="another person"):
        world.agree(other, asked.id)
    world.agree(world.ben, asked.id)
    world.make(other, asked.id)


def test_a_key_that_belongs_to_nobody_is_no_person(world: World) -> None:
    with world.database.writing() as connection:
        secret = add_key(
            connection, "x", [Permission.EVIDENCE_DISCLOSE], actor_called("boss"), world.clock
        )
        nobodys = check_key(connection, secret)
    asked = world.ask(world.ada)
    for act in (lambda: world.ask(nobodys), lambda: world.agree(nobodys, asked.id)):
        with pytest.raises(NotPermittedError, match="belongs to nobody"):
            act()


def test_a_request_is_void_once_its_asker_may_not_disclose_any_more(world: World) -> None:
    asked = world.ask(world.ada)
    with world.database.writing() as connection:
        connection.execute(
            update(people).where(people.c.id == world.ada.owner).values(roles=Role.REVIEWER)
        )
    with pytest.raises(NotAgreedError, match="void"):
        world.agree(world.ben, asked.id)
