"""Whatever happens to an index, in whatever order, it answers as plain Python does."""

import random
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.matching.brute_force import HELD, BruteForce, entry, flipped_at_random
from tutela.fingerprints.model import Kind
from tutela.matching.building import read_batches
from tutela.matching.index import Index
from tutela.matching.model import IndexEntry, Query

NUMBERS = st.integers(-3, 30)
LEFT_BY_CRASHES = ("manifest.new", "segment.new", "9999999999.segment", "9999999999.withdrawn")
MANY = 4200
"""More than are read through one by one."""


@st.composite
def values(draw: st.DrawFn, kind: Kind) -> bytes:
    """Values of which many are equal or near, and digests of which many begin alike."""
    family = draw(st.integers(0, 2))
    centre = random.Random(family).randbytes(kind.width)
    if kind is Kind.PDQ:
        distance = draw(st.integers(0, 40))
        return flipped_at_random(centre, distance, random.Random(distance))
    return centre[:-1] + bytes([draw(st.integers(0, 2))])


@st.composite
def entries(draw: st.DrawFn) -> IndexEntry:
    kind = draw(st.sampled_from(HELD))
    return entry(draw(NUMBERS), kind, draw(values(kind)), draw(st.integers(1, 3)))


@st.composite
def queries(draw: st.DrawFn) -> Query:
    return Query(**{kind.value: draw(st.none() | values(kind)) for kind in HELD})


class IndexStates(RuleBasedStateMachine):
    """A writer that is always up to date, and a reader that is only after ``refresh``.

    Changes merge next to nothing themselves, so that compacting has something to do.
    """

    @initialize()
    def open_both(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.open_writer()
        self.reader = Index.open(self.folder)
        self.revision = self.seen_revision = 0
        self.expected, self.seen = BruteForce(), BruteForce()

    def open_writer(self) -> None:
        self.writer = Index.open(self.folder, merged_at_once=4)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.writer.close()
            self.reader.close()
            shutil.rmtree(self.folder)

    @rule(added=st.lists(entries(), max_size=12), withdrawn=st.lists(NUMBERS, max_size=8))
    def update(self, added: list[IndexEntry], withdrawn: list[int]) -> None:
        self.revision += 1
        self.writer.update(iter(added), iter(withdrawn), revision=self.revision)
        self.expected.update(added, withdrawn)

    @rule(added=st.lists(entries(), max_size=12))
    def update_to_a_revision_that_is_there_already(self, added: list[IndexEntry]) -> None:
        self.writer.update(added, range(30), revision=self.revision)

    @rule(everything=st.lists(entries(), max_size=12))
    def replace_all(self, everything: list[IndexEntry]) -> None:
        self.revision += 1
        with self.writer.writing() as writer:
            writer.replace(read_batches(everything), revision=self.revision)
        self.expected = BruteForce(everything)

    @rule()
    def clear(self) -> None:
        self.writer.clear()
        self.revision = 0
        self.expected = BruteForce()

    @rule()
    def reopen_the_writer(self) -> None:
        self.writer.close()
        self.open_writer()

    @rule(family=st.integers(0, 2), first=st.integers(0, 200))
    def add_so_many_that_they_get_tables(self, family: int, first: int) -> None:
        chance = random.Random(first)
        centre = random.Random(family).randbytes(Kind.PDQ.width)
        added = [
            entry(first + number, Kind.PDQ, flipped_at_random(centre, distance, chance), 1)
            for number in range(MANY)
            for distance in [chance.choice((0, 3, 20, 31, 32, 64, 128))]
        ]
        self.revision += 1
        self.writer.update(iter(added), (), revision=self.revision)
        self.expected.update(added, ())

    @rule()
    def compact(self) -> None:
        self.writer.compact()
        assert self.writer.compact() == 0

    @rule(left=st.sets(st.sampled_from(LEFT_BY_CRASHES), min_size=1))
    def crash_in_the_middle_of_a_change(self, left: set[str]) -> None:
        self.writer.close()
        for name in left:
            (self.folder / name).write_bytes(b"tutela-index 2 half of what was")
        self.open_writer()

    @rule()
    def refresh_the_reader(self) -> None:
        self.reader.refresh()
        assert not self.reader.refresh()
        self.seen, self.seen_revision = BruteForce(self.expected.live.values()), self.revision

    @rule(asked=st.lists(queries(), max_size=4), max_distance=st.integers(0, 256))
    def look_up(self, asked: list[Query], max_distance: int) -> None:
        assert self.writer.look_up_many(asked, max_distance) == [
            self.expected.look_up(query, max_distance) for query in asked
        ]
        assert self.reader.look_up_many(asked, max_distance) == [
            self.seen.look_up(query, max_distance) for query in asked
        ]

    @invariant()
    def sizes_and_revisions_agree(self) -> None:
        if hasattr(self, "folder"):
            assert (len(self.writer), self.writer.revision) == (
                len(self.expected.live),
                self.revision,
            )
            assert (len(self.reader), self.reader.revision) == (
                len(self.seen.live),
                self.seen_revision,
            )
            self.writer.verify()


TestIndexStates = IndexStates.TestCase
TestIndexStates.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
