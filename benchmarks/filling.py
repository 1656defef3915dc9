"""A house that has worked for a year: cases, items, matches, decisions, viewings and a ledger.

Everything is drawn from a seed: hashes are random bytes, names are numbers. Rows are written in
bulk, as no service would, with the indexes made at the end; the ledger is one that verifies.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, select, text, update

from tutela.accounts.people import Person, add_person
from tutela.accounts.permissions import Role
from tutela.accounts.sessions import begin_session
from tutela.cases.deciding import Decision, Stage
from tutela.cases.grounds import Basis
from tutela.cases.model import ItemKind
from tutela.cases.states import Move, State
from tutela.cases.tables import (
    case_decisions,
    case_items,
    case_matches,
    case_notes,
    cases,
    subjects,
    viewings,
)
from tutela.evidence.tables import blobs, evidence_items
from tutela.fingerprints.model import Fingerprint, Kind
from tutela.hashlists.adding import add_with_provenance
from tutela.hashlists.lists import create_list
from tutela.hashlists.model import ListRow, Provenance
from tutela.hashlists.tables import entries
from tutela.ledger.appending import TILE_HEIGHT
from tutela.ledger.encoding import leaves, microseconds
from tutela.ledger.merkle import Frontier, leaf_hash
from tutela.ledger.model import Act, Actor
from tutela.ledger.reading import read_head
from tutela.ledger.tables import ledger_entries, ledger_head, ledger_tiles
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.schema import Moment

LIST = "bench"
"""The list's name."""

YEAR = timedelta(days=365)
_OPERATOR = Actor("bench", "os:1000", "operator", "cli")
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AT_ONCE = 20_000
_LISTED = 1_000
# Of cases in the newest tenth, and of those before: which states there are, and how many of each.
_NEW = ((State.OPEN, 0.85), (State.SECOND_LOOK, 0.03), (State.DISPUTED, 0.02))
_OLD = (
    (State.REPORTED, 0.40),
    (State.CLOSED, 0.34),
    (State.NOT_CONFIRMED, 0.20),
    (State.CONFIRMED, 0.05),
    (State.UNDER_APPEAL, 0.005),
    (State.OPEN, 0.005),
)
_LIFTED = frozenset({State.NOT_CONFIRMED, State.CLOSED})
_UNDECIDED = frozenset({State.OPEN})
_FILLED = (
    subjects,
    cases,
    case_items,
    case_matches,
    case_decisions,
    case_notes,
    viewings,
    blobs,
    evidence_items,
    ledger_entries,
)


@dataclass(frozen=True, slots=True)
class Filled:
    """What there is to ask for.

    Attributes:
        reviewers: People who review, each with the token of a session.
        keeper: Somebody with every role, likewise.
        cases: Some cases' numbers: of each state that there is.
        subject: Somebody who sent several things.
        entries: How many entries the ledger has.
    """

    reviewers: Sequence[tuple[Person, str]]
    keeper: tuple[Person, str]
    cases: dict[State, str]
    subject: str
    entries: int


def fill(
    database: Database,
    clock: Clock,
    count: int,
    *,
    reviewers: int = 100,
    seed: int = 5,
    tell: Callable[[int], None] = lambda _: None,
) -> Filled:
    """Fill an empty house with so many cases.

    Args:
        database: The house's, with its tables.
        clock: The time, at which the year ends.
        count: How many cases.
        reviewers: How many people review.
        seed: What everything is drawn from.
        tell: Is told how many cases there are so far.
    """
    people = _make_people(database, clock, reviewers)
    listed = _make_list(database, clock, random.Random(seed))
    year = _Year(random.Random(seed + 1), clock(), count, [person.id for person in people], listed)
    with _without_indexes(database):
        for start in range(0, count, _AT_ONCE):
            with database.writing() as connection:
                for table, names, rows in year.some(start, min(count, start + _AT_ONCE)):
                    _write(connection, table, names, rows)
                _append(connection, year.entries_until_now())
            tell(min(count, start + _AT_ONCE))
    with database.writing() as connection:
        entered = _append(connection, year.entries_left())
        sessions = [begin_session(connection, each, clock, proved=True) for each in people]
        keeper = add_person(
            connection, "Keeper", "keeper@example.org", tuple(Role), actor=_OPERATOR, clock=clock
        )
        token = begin_session(connection, keeper, clock, proved=True)
    return Filled(
        list(zip(people, sessions, strict=True)), (keeper, token), year.examples, "u1", entered
    )


class _Year:
    """Rows of a year, drawn one after the other."""

    def __init__(
        self,
        lot: random.Random,
        end: datetime,
        count: int,
        people: Sequence[int],
        listed: Sequence[tuple[int, int, bytes]],
    ) -> None:
        self._lot = lot
        self._end = end
        self._begin = end - YEAR
        self._count = count
        self._people = people
        self._listed = listed
        self._numbers = itertools.count(1)
        self._decisions = itertools.count(1)
        self._views = itertools.count(1)
        self._subjects = max(1, count // 5)
        self._known_subjects = 0
        self._waiting: list[tuple[int, int, tuple[object, ...]]] = []
        self._order = itertools.count()
        self._now = self._begin
        self.examples: dict[State, str] = {}

    def some(self, start: int, end: int) -> Iterator[tuple[Table, str, list[tuple[object, ...]]]]:
        """The rows of the cases from one number to another, in the order that they need."""
        rows: dict[str, list[tuple[object, ...]]] = {table.name: [] for table in _FILLED}
        for number in range(start, end):
            self._one(number, rows)
        for table in _FILLED:
            if rows[table.name]:
                yield table, _COLUMNS[table.name], rows[table.name]

    def entries_until_now(self) -> Iterator[tuple[object, ...]]:
        """What the ledger says until the newest case was opened."""
        now = microseconds(self._now)
        while self._waiting and self._waiting[0][0] <= now:
            yield heapq.heappop(self._waiting)[2]

    def entries_left(self) -> Iterator[tuple[object, ...]]:
        """What it says after that."""
        while self._waiting:
            yield heapq.heappop(self._waiting)[2]

    def _one(self, number: int, rows: dict[str, list[tuple[object, ...]]]) -> None:
        lot = self._lot
        case = case_number(number)
        # Evenly over the year, the newest a few minutes old.
        at = self._begin + (YEAR - timedelta(minutes=5)) * ((number + 1) / self._count)
        self._now = at
        state = _drawn(lot, _NEW if number >= 0.9 * self._count else _OLD)
        self.examples.setdefault(state, case)
        subject = self._subject(rows, at)
        severe = lot.random() < 0.3
        rank = at - timedelta(days=lot.choice((0, 0, 0, 2, 7)))
        decided = min(at + timedelta(minutes=lot.expovariate(1 / 300) + 1), self._end)
        decided_at = None if state in _UNDECIDED or state is State.SECOND_LOOK else decided
        before = State.REPORTED if state is State.UNDER_APPEAL else None
        rows["cases"].append((case, state, at, subject, "", rank, severe, 1, decided_at, before))
        self._enter(at, ("key:1", "program", "api"), Act.CASE_OPENED, case)
        item = self._item(rows, case, at, waits=state in (State.OPEN, State.SECOND_LOOK))
        if state not in _UNDECIDED:
            self._decide(rows, case, item, state, decided)

    def _subject(self, rows: dict[str, list[tuple[object, ...]]], at: datetime) -> int:
        number = 1 + self._lot.randrange(self._subjects)
        while self._known_subjects < number:
            self._known_subjects += 1
            rows["subjects"].append((self._known_subjects, f"u{self._known_subjects}", at))
        return number

    def _item(
        self, rows: dict[str, list[tuple[object, ...]]], case: str, at: datetime, *, waits: bool
    ) -> tuple[int, str]:
        lot = self._lot
        number = next(self._numbers)
        list_id, entry, md5 = lot.choice(self._listed)
        # What waits is the very file of a list's, so that it can be decided on without a look at
        # it; of some that were decided, only something similar was known.
        exact = waits or lot.random() < 0.6
        digests = md5 if exact else lot.randbytes(16), lot.randbytes(20), lot.randbytes(32)
        evidence = f"{number:026}"
        rows["case_items"].append(
            (number, case, ItemKind.PICTURE, evidence, f"upload-{number}.jpg", "key:platform",
             f"ref-{number}", at, 1000 + number % 100_000, *digests, lot.randbytes(32), 80)
        )  # fmt: skip
        rows["case_matches"].append(
            (number, list_id, entry, Kind.MD5 if exact else Kind.PDQ, 0 if exact else 20)
        )
        rows["blobs"].append((evidence, digests[2], 1000, "live", at))
        rows["evidence_items"].append((evidence, case, "sealed", at, "", evidence))
        return number, evidence

    def _decide(
        self,
        rows: dict[str, list[tuple[object, ...]]],
        case: str,
        item: tuple[int, str],
        state: State,
        at: datetime,
    ) -> None:
        lot = self._lot
        person, other = lot.sample(self._people, 2)
        decision = Decision.NOT_CONFIRMED if state in _LIFTED else Decision.CONFIRMED
        if lot.random() < 0.4:
            began = at - timedelta(seconds=40)
            rows["viewings"].append(
                (case, item[0], item[1], person, "whole", "decide", began, 10 * lot.random())
            )
            by = f"person:{person}", "person", "console"
            self._enter(began, by, Act.EVIDENCE_VIEWED, case, item=item[1])
        looked_twice = state in (State.DISPUTED, State.SECOND_LOOK) or lot.random() < 0.05
        looks = [(Stage.FIRST, State.IN_REVIEW, person, decision)]
        if looked_twice and state is not State.SECOND_LOOK:
            second = Decision.NOT_SURE if state is State.DISPUTED else decision
            looks.append((Stage.SECOND, State.IN_SECOND_LOOK, other, second))
        for place, (stage, before, who, what) in enumerate(looks):
            when = min(at + timedelta(minutes=9 * place), self._end)
            rows["case_decisions"].append(
                (case, stage, what, Basis.DIGEST, when, f"person:{who}", who, before, "",
                 "sample" if looked_twice and not place else None)
            )  # fmt: skip
            move = Move.CONFIRM if what is Decision.CONFIRMED else Move.NOT_CONFIRM
            by = f"person:{who}", "person", "console"
            self._enter(when, by, Act.CASE_MOVED, case, thing=f"move:{move}")
        if lot.random() < 0.1:
            rows["case_notes"].append((case, at, f"person:{person}", "As in the case before."))

    def _enter(
        self,
        at: datetime,
        by: tuple[str, str, str],
        act: Act,
        case: str,
        *,
        item: str | None = None,
        thing: str | None = None,
    ) -> None:
        moment = microseconds(at)
        said = (moment, *by, str(act), case, item, thing, None)
        heapq.heappush(self._waiting, (moment, next(self._order), said))


_COLUMNS = {
    "subjects": "id key first_seen_at",
    "cases": "id state opened_at subject_id facts rank_at severe hold decided_at state_before",
    "case_items": "id case_id kind evidence_id name origin reference received_at size "
    "md5 sha1 sha256 pdq pdq_quality",
    "case_matches": "item_id list_id entry_id kind distance",
    "case_decisions": "case_id stage decision basis decided_at decided_by person state_before "
    "reason second_look",
    "case_notes": "case_id written_at written_by words",
    "viewings": "case_id item_id evidence_id person level reason began_at seconds",
    "blobs": "id sha256 size state sealed_at",
    "evidence_items": "id case_id state sealed_at reason blob_id",
}


def case_number(number: int) -> str:
    """A case's number, as well spread as a random one."""
    spread = (number * 0x9E3779B97F4A7C15) & ((1 << 60) - 1)
    letters = "".join(_LETTERS[(spread >> 5 * place) & 31] for place in range(12))
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def _drawn(lot: random.Random, states: Sequence[tuple[State, float]]) -> State:
    at = lot.random()
    for state, part in states:
        at -= part
        if at < 0:
            return state
    return State.REPORTED


def _make_people(database: Database, clock: Clock, count: int) -> list[Person]:
    with database.writing() as connection:
        return [
            add_person(
                connection,
                f"Reviewer {number}",
                f"reviewer{number}@example.org",
                (Role.REVIEWER,),
                actor=_OPERATOR,
                clock=clock,
            )
            for number in range(1, max(2, count) + 1)
        ]


def _make_list(
    database: Database, clock: Clock, lot: random.Random
) -> list[tuple[int, int, bytes]]:
    rows = [
        ListRow(number, Fingerprint.from_text(Kind.MD5, lot.randbytes(16).hex()))
        for number in range(1, _LISTED + 1)
    ]
    with database.writing() as connection:
        made = create_list(connection, LIST, "", _OPERATOR, clock)
        add_with_provenance(
            connection, made, Provenance("bench"), rows, actor=_OPERATOR, clock=clock
        )
        found = connection.execute(select(entries.c.list_id, entries.c.id, entries.c.value)).all()
    return [(row.list_id, row.id, bytes(row.value)) for row in found]


@contextmanager
def _without_indexes(database: Database) -> Iterator[None]:
    with database.writing() as connection:
        for table in _FILLED:
            for index in table.indexes:
                index.drop(connection, checkfirst=True)
    yield
    with database.writing() as connection:
        for table in _FILLED:
            for index in table.indexes:
                index.create(connection, checkfirst=True)
    if database.is_sqlite:
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in _FILLED:
            # Numbers were given by hand; and what a server does by itself after a while.
            connection.execute(text(f"VACUUM ANALYZE {table.name}"))
            if table.name in ("subjects", "case_items"):
                connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                        f"(SELECT max(id) FROM {table.name}))"
                    )
                )


def _write(
    connection: Connection, table: Table, names: str, rows: list[tuple[object, ...]]
) -> None:
    columns = names.split()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})",
            list(_for_sqlite(rows, [isinstance(table.c[name].type, Moment) for name in columns])),
        )
        return
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _for_sqlite(
    rows: list[tuple[object, ...]], are_moments: Sequence[bool]
) -> Iterator[tuple[object, ...]]:
    places = [place for place, is_moment in enumerate(are_moments) if is_moment]
    for row in rows:
        values = list(row)
        for place in places:
            moment = values[place]
            if isinstance(moment, datetime):
                values[place] = moment.replace(tzinfo=None).isoformat(" ", "microseconds")
        yield tuple(values)


def _append(connection: Connection, said: Iterable[tuple[object, ...]]) -> int:
    """Write entries as ``append`` does, but many at once; gives the ledger's size."""
    head = read_head(connection)
    tree: Frontier = head.frontier
    numbered = [(number, *each) for number, each in enumerate(said, tree.size)]
    rows: list[tuple[object, ...]] = []
    tiles: list[dict[str, object]] = []
    for start in range(0, len(numbered), 256):
        portion = numbered[start : start + 256]
        for entry, leaf in zip(portion, leaves(head.origin, portion), strict=True):
            hashed = leaf_hash(leaf)
            rows.append((*entry, hashed))
            tree, made = tree.grown(hashed)
            tiles += [
                {
                    "level": height // TILE_HEIGHT,
                    "number": int(str(entry[0])) >> height,
                    "hash": made[height],
                }
                for height in range(TILE_HEIGHT, len(made), TILE_HEIGHT)
            ]
    if rows:
        _write(connection, ledger_entries, " ".join(ledger_entries.c.keys()), rows)
    if tiles:
        connection.execute(insert(ledger_tiles), tiles)
    connection.execute(update(ledger_head).values(size=tree.size, frontier=bytes(tree)))
    return tree.size
