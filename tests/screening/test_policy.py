"""The policy says what a match means, and nothing slips past it."""

import itertools
from dataclasses import replace

import pytest

from tutela.cases.model import Match
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import Kind, Part, Unreadable
from tutela.matching.model import Hit
from tutela.screening.model import Failure, Verdict
from tutela.screening.policy import (
    MOST_MATCHES,
    Action,
    Rules,
    answer_to,
    best_of,
    decide,
    matches_among,
    rules_for,
)
from tutela.storage.settings import (
    ListPolicy,
    OnEachUnreadable,
    OnMatch,
    OnUnreadable,
    Policy,
)


def rules(**changes: object) -> Rules:
    return Rules(
        **{"name": "a", "on_match": OnMatch.BLOCK, "max_distance": 31, "min_quality": 50} | changes  # type: ignore[arg-type]
    )


def match(hash_list: int) -> Match:
    return Match(hash_list, f"list {hash_list}", 1, Kind.MD5, 0)


def pdq(distance: int, entry: int = 1, hash_list: int = 1) -> Hit:
    return Hit(distance, hash_list, entry, Kind.PDQ)


@pytest.mark.parametrize(
    ("meanings", "unreadable", "action"),
    [
        ([], None, Action(Verdict.CLEAR, open_case=False)),
        ([], OnUnreadable.REFUSE, Action(Verdict.UNREADABLE, open_case=False)),
        ([], OnUnreadable.PASS, Action(Verdict.UNREADABLE, open_case=False)),
        ([], OnUnreadable.QUEUE, Action(Verdict.UNREADABLE, open_case=True)),
        ([OnMatch.BLOCK], OnUnreadable.QUEUE, Action(Verdict.MATCH, open_case=True)),
        ([OnMatch.COUNT], None, Action(Verdict.CLEAR, open_case=False)),
        ([OnMatch.COUNT], OnUnreadable.REFUSE, Action(Verdict.UNREADABLE, open_case=False)),
        ([OnMatch.PASS], None, Action(Verdict.CLEAR, open_case=True)),
        ([OnMatch.PASS], OnUnreadable.REFUSE, Action(Verdict.UNREADABLE, open_case=True)),
        ([OnMatch.PASS, OnMatch.COUNT], None, Action(Verdict.CLEAR, open_case=True)),
        ([OnMatch.BLOCK], None, Action(Verdict.MATCH, open_case=True)),
        ([OnMatch.BLOCK], OnUnreadable.REFUSE, Action(Verdict.MATCH, open_case=True)),
        ([OnMatch.BLOCK, OnMatch.PASS], None, Action(Verdict.MATCH, open_case=True)),
        (
            [OnMatch.BLOCK, OnMatch.COUNT],
            OnUnreadable.REFUSE,
            Action(Verdict.MATCH, open_case=True),
        ),
    ],
)
def test_the_strictest_list_decides(
    meanings: list[OnMatch], unreadable: OnUnreadable | None, action: Action
) -> None:
    for order in itertools.permutations(meanings):
        by_number = {number: rules(on_match=meaning) for number, meaning in enumerate(order)}
        assert decide([match(n) for n in by_number], by_number, unreadable) == action


def test_what_a_list_does_not_set_follows_the_general_policy() -> None:
    policy = Policy(max_distance=20, lists={"own": ListPolicy(min_quality=0)})
    assert rules_for(policy, "own") == Rules("own", OnMatch.BLOCK, 20, 0)
    assert rules_for(policy, "other") == Rules("other", OnMatch.BLOCK, 20, 50)


@pytest.mark.parametrize(("distance", "matched"), [(0, True), (31, True), (32, False)])
def test_a_distance_within_the_lists_own_is_a_match(distance: int, matched: bool) -> None:
    found = matches_among([pdq(distance)], {1: rules()}, 100, {1: None})
    assert bool(found) == matched


@pytest.mark.parametrize(("mine", "theirs", "matched"), [
    (50, 50, True), (None, None, True), (49, 100, False), (100, 49, False), (None, 49, False),
])  # fmt: skip
def test_pictures_that_are_too_flat_are_compared_on_neither_side(
    mine: int | None, theirs: int | None, matched: bool
) -> None:
    found = matches_among([pdq(0)], {1: rules()}, mine, {1: theirs})
    assert bool(found) == matched


def test_a_flat_picture_is_still_known_by_its_digest() -> None:
    hit = Hit(0, 1, 1, Kind.SHA256)
    assert matches_among([hit], {1: rules()}, 0, {1: 0}) == (Match(1, "a", 1, Kind.SHA256, 0),)


def test_a_list_that_was_removed_matches_nothing() -> None:
    assert matches_among([pdq(0)], {}, 100, {1: None}) == ()


def test_an_entry_that_was_withdrawn_matches_nothing() -> None:
    assert matches_among([pdq(0)], {1: rules()}, 100, {}) == ()


def test_only_the_nearest_of_each_list_and_kind_is_told() -> None:
    hits = [pdq(1, entry=5), pdq(2, entry=6), pdq(3, entry=7, hash_list=2)]
    found = matches_among(hits, {1: rules(), 2: rules()}, 100, dict.fromkeys((5, 6, 7)))
    assert [(each.hash_list, each.entry) for each in found] == [(1, 5), (2, 7)]


def at(distance: int, entry: int = 1, hash_list: int = 1) -> Match:
    return Match(hash_list, f"list {hash_list}", entry, Kind.PDQ, distance)


def test_of_a_files_parts_the_nearest_is_told_with_its_place() -> None:
    parts = [(Part("frame 2"), [at(3)]), (Part("frame 3"), [at(3)]), (Part("frame 4"), [])]
    assert best_of([at(5)], parts) == [replace(at(3), place="frame 2")]
    assert best_of([at(3)], parts) == [at(3)]
    assert best_of([at(3), at(3, entry=2)], parts) == [at(3)]
    assert best_of([], [(Part("page 2"), [at(1, hash_list=2), at(9)])]) == [
        replace(at(1, hash_list=2), place="page 2"),
        replace(at(9), place="page 2"),
    ]


def test_each_file_within_a_file_is_told_of_with_the_nearest_of_its_own_parts() -> None:
    own = digests_of(b"")
    parts = [
        (Part("a.gif", own), [at(9)]),
        (Part("a.gif frame 2"), [at(2)]),
        (Part("a.gif frame 3"), [at(4)]),
        (Part("b.gif", own), []),
        (Part("b.gif frame 2"), [at(1)]),
        (Part("thumbnail"), [at(7)]),
    ]
    assert [(each.place, each.distance) for each in best_of([at(8)], parts)] == [
        ("b.gif frame 2", 1),
        ("a.gif frame 2", 2),
        ("thumbnail", 7),
    ]


def test_of_very_many_matches_none_is_left_out_that_could_decide() -> None:
    own = digests_of(b"")
    parts = [(Part(f"{number}.png", own), [at(0)]) for number in range(300)]
    best = best_of([at(31, hash_list=2)], parts)
    assert len(best) == MOST_MATCHES + 1
    assert best[0].place == "0.png"
    assert best[-1] == at(31, hash_list=2)


def test_the_strictest_reason_decides_on_what_could_not_be_looked_at() -> None:
    on_each = OnEachUnreadable(damaged=OnUnreadable.QUEUE)
    encrypted, damaged, bomb = (
        Failure(cause, cause.words) for cause in
        (Unreadable.ENCRYPTED, Unreadable.DAMAGED, Unreadable.BOMB)
    )  # fmt: skip
    assert answer_to([], on_each) is None
    assert answer_to([encrypted], on_each) == (encrypted, OnUnreadable.PASS)
    assert answer_to([encrypted, damaged], on_each) == (damaged, OnUnreadable.QUEUE)
    assert answer_to([encrypted, damaged, bomb], on_each) == (bomb, OnUnreadable.REFUSE)


def test_every_reason_has_a_setting_and_no_other() -> None:
    assert set(OnEachUnreadable.model_fields) == set(Unreadable)
    with pytest.raises(ValueError, match="nothing to keep for a person"):
        OnEachUnreadable(not_read=OnUnreadable.QUEUE)
