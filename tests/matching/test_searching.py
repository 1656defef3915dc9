"""No match is missed, none is made up, and the nearest come first."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.matching.brute_force import (
    HELD,
    BruteForce,
    asking,
    entry,
    flipped_at_random,
    some_entries,
)
from tests.requirements import missing
from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Kind
from tutela.matching.index import Index
from tutela.matching.model import Hit, Query


@pytest.fixture
def index(tmp_path: Path):
    with Index.open(tmp_path / "index") as opened:
        yield opened


def test_a_neighbour_is_found_at_its_distance_and_not_below(index: Index) -> None:
    chance = random.Random(1)
    centre = chance.randbytes(32)
    index.add(
        (
            entry(distance, Kind.PDQ, flipped_at_random(centre, distance, chance))
            for distance in range(257)
        ),
        revision=1,
    )
    for max_distance in range(257):
        hits = index.look_up(Query(pdq=centre), max_distance)
        assert hits == [Hit(near, 1, near, Kind.PDQ) for near in range(max_distance + 1)]


@pytest.mark.parametrize("bits", [range(64), range(64, 128), range(128, 192), range(192, 256)])
def test_a_neighbour_is_found_wherever_its_bits_differ(index: Index, bits: range) -> None:
    chance = random.Random(bits.start)
    entries = [entry(number, Kind.PDQ, chance.randbytes(32)) for number in range(100)]
    index.add(entries, revision=1)
    for each in entries:
        for distance in (1, 31, 32):
            number = int.from_bytes(each.value)
            for bit in chance.sample(bits, distance):
                number ^= 1 << bit
            hits = index.look_up(Query(pdq=number.to_bytes(32)), 31)
            assert [hit.entry for hit in hits] == ([each.entry] if distance < 32 else [])


def test_a_digest_that_differs_in_its_last_bit_is_no_match(index: Index) -> None:
    entries = some_entries(40)
    index.add(entries, revision=1)
    for each in entries:
        if each.kind is not Kind.PDQ:
            other = each.value[:-1] + bytes([each.value[-1] ^ 1])
            assert index.look_up(asking(each), 256) == [
                Hit(0, each.hash_list, each.entry, each.kind)
            ]
            assert index.look_up(asking(entry(0, each.kind, other)), 256) == []


def test_digests_that_begin_alike_are_told_apart(index: Index) -> None:
    values = [bytes(8) + number.to_bytes(8) for number in range(3000)]
    entries = [entry(number, Kind.MD5, value) for number, value in enumerate(values)]
    index.add(reversed(entries), revision=1)
    for number in (0, 1, 255, 256, 1500, 2999):
        assert [h.entry for h in index.look_up(Query(md5=values[number]), 0)] == [number]


def test_a_kind_never_matches_another_of_the_same_length(index: Index) -> None:
    value = bytes(range(32))
    index.add([entry(1, Kind.SHA256, value), entry(2, Kind.PDQ, value)], revision=1)
    assert [hit.entry for hit in index.look_up(Query(sha256=value), 31)] == [1]
    assert [hit.entry for hit in index.look_up(Query(pdq=value), 31)] == [2]
    assert [h.kind for h in index.look_up(Query(pdq=value, sha256=value), 31)] == [
        Kind.SHA256,
        Kind.PDQ,
    ]


def test_hits_come_nearest_first_then_by_list_and_entry(index: Index) -> None:
    chance = random.Random(2)
    centre = chance.randbytes(32)
    entries = [
        entry(
            number,
            Kind.PDQ,
            flipped_at_random(centre, chance.randrange(4), chance),
            hash_list=chance.randrange(3),
        )
        for number in range(200)
    ]
    index.add(entries[:150], revision=1)
    index.add(entries[150:], revision=2)
    hits = index.look_up(Query(pdq=centre), 31)
    assert len(hits) == 200
    assert hits == sorted(hits)


def test_a_hundred_thousand_identical_entries_are_all_found(index: Index) -> None:
    pdq, md5, count = bytes(range(32)), bytes(range(16)), 100_000
    index.add((entry(number, Kind.PDQ, pdq) for number in range(count)), revision=1)
    index.add((entry(number, Kind.MD5, md5) for number in range(count, 2 * count)), revision=2)
    assert [hit.entry for hit in index.look_up(Query(pdq=pdq), 31)] == list(range(count))
    hits = index.look_up(Query(md5=md5), 31)
    assert [hit.entry for hit in hits] == list(range(count, 2 * count))
    index.withdraw(range(0, 2 * count, 2), revision=3)
    assert [hit.entry for hit in index.look_up(Query(md5=md5, pdq=pdq), 0)] == list(
        range(1, 2 * count, 2)
    )


def test_an_empty_query_and_an_empty_batch_find_nothing(index: Index) -> None:
    index.add(some_entries(10), revision=1)
    assert index.look_up(Query(), 256) == []
    assert index.look_up_many([], 31) == []
    assert index.look_up_many([Query(), Query()], 256) == [[], []]


@pytest.mark.parametrize("kind", HELD)
def test_a_query_of_a_wrong_length_is_refused(index: Index, kind: Kind) -> None:
    for length in (0, kind.width - 1, kind.width + 1):
        with pytest.raises(InvalidInputError, match=f"{kind.width} bytes"):
            index.look_up(Query(**{kind.value: bytes(length)}), 31)


@pytest.mark.parametrize("distance", [-1, 257])
def test_a_distance_out_of_range_is_refused(index: Index, distance: int) -> None:
    with pytest.raises(InvalidInputError, match="0 to 256"):
        index.look_up(Query(pdq=bytes(32)), distance)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), max_distance=st.integers(0, 256))
def test_a_batch_is_answered_as_its_queries_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, seed: int, max_distance: int
) -> None:
    chance = random.Random(seed)
    entries = some_entries(60, seed)
    queries = []
    for _ in range(20):
        chosen = {each.kind: each for each in chance.sample(entries, 3)}
        if Kind.PDQ in chosen:
            near = flipped_at_random(chosen[Kind.PDQ].value, chance.randrange(257), chance)
            chosen[Kind.PDQ] = entry(0, Kind.PDQ, near)
        queries.append(asking(*chosen.values()))
    with Index.open(tmp_path_factory.mktemp("index")) as index:
        index.add(entries[:30], revision=1)
        index.update(entries[30:], [1, 2, 3], revision=2)
        answers = index.look_up_many(queries, max_distance)
        assert answers == [index.look_up(query, max_distance) for query in queries]
    oracle = BruteForce(entries)
    oracle.update([], [1, 2, 3])
    assert answers == [oracle.look_up(query, max_distance) for query in queries]


@pytest.mark.parametrize("max_distance", [0, 31, 90, 128, 256])
def test_the_answers_are_those_of_faiss(index: Index, max_distance: int) -> None:
    try:
        import faiss
    except ImportError:
        missing("faiss", "install the oracle dependency group")
    chance = random.Random(max_distance)
    # Families of near hashes among unrelated ones, more than are looked at in one go.
    families = [chance.randbytes(32) for _ in range(40)]
    values = [chance.randbytes(32) for _ in range(35_000)] + [
        flipped_at_random(centre, chance.randrange(70), chance)
        for centre in families
        for _ in range(50)
    ]
    chance.shuffle(values)
    index.add((entry(number, Kind.PDQ, value) for number, value in enumerate(values)), revision=1)
    queries = families if max_distance < 90 else families[:3]
    flat = faiss.IndexBinaryFlat(256)
    flat.add(np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32))
    asked = np.frombuffer(b"".join(queries), np.uint8).reshape(-1, 32)
    # Its radius is exclusive.
    limits, distances, numbers = flat.range_search(asked, max_distance + 1)
    answers = index.look_up_many([Query(pdq=value) for value in queries], max_distance)
    for place, answer in enumerate(answers):
        part = slice(limits[place], limits[place + 1])
        theirs = sorted(zip(distances[part].tolist(), numbers[part].tolist(), strict=True))
        assert [(hit.distance, hit.entry) for hit in answer] == theirs
