"""The tree is that of RFC 9162, and its proofs show what they say and nothing else."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    Subtree,
    consistency_proof,
    folded,
    frontier,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    levels,
    node_hash,
)

# The leaves and roots that implementations of RFC 6962 and 9162 share as test vectors
# (certificate-transparency, merkle/testdata; transparency-dev/merkle, testonly/constants.go).
VECTOR_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
VECTOR_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(root_by_definition(leaves[:split]), root_by_definition(leaves[split:]))


def subtrees_of(leaves: list[bytes]) -> Subtree:
    made = levels(leaves)
    return lambda height, place: made[height][place]


def grown(leaves: list[bytes]) -> Frontier:
    tree = Frontier()
    for each in leaves:
        tree, _ = tree.grown(each)
    return tree


def test_the_roots_are_those_of_the_shared_test_vectors() -> None:
    tree = Frontier()
    assert tree.root == EMPTY_ROOT
    for leaf, root in zip(VECTOR_LEAVES, VECTOR_ROOTS, strict=True):
        tree, _ = tree.grown(leaf_hash(leaf))
        assert tree.root.hex() == root


def test_the_proofs_are_those_of_the_shared_test_vectors() -> None:
    subtree = subtrees_of([leaf_hash(each) for each in VECTOR_LEAVES])
    assert [each.hex()[:8] for each in inclusion_proof(0, 8, subtree)] == [
        "96a296d2",
        "5f083f0a",
        "6b47aaf2",
    ]
    assert [each.hex()[:8] for each in inclusion_proof(5, 8, subtree)] == [
        "bc1a0643",
        "ca854ea1",
        "d37ee418",
    ]
    assert [each.hex()[:8] for each in consistency_proof(6, 8, subtree)] == [
        "0ebc5d34",
        "ca854ea1",
        "d37ee418",
    ]


@given(st.integers(0, 600))
def test_every_way_to_the_root_gives_the_one_of_the_definition(size: int) -> None:
    leaves = hashes(size)
    tree = grown(leaves)
    assert tree.root == root_by_definition(leaves)
    assert tree == frontier(size, subtrees_of(leaves))
    assert Frontier.read(size, bytes(tree)) == tree
    for (start, end), each in zip(tree.ranges(), tree.hashes, strict=True):
        assert folded([each]) == root_by_definition(leaves[start:end])


def test_what_a_leaf_makes_whole_is_told() -> None:
    leaves = hashes(512)
    tree = Frontier()
    for number, each in enumerate(leaves):
        tree, made = tree.grown(each)
        for height, found in enumerate(made):
            start = (number >> height) << height
            assert (number + 1) % (1 << height) == 0
            assert found == root_by_definition(leaves[start : number + 1])
        assert (number + 1) % (1 << len(made)) != 0


@given(st.data())
def test_a_leaf_is_proved_where_it_is_and_nowhere_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    number = data.draw(st.integers(0, size - 1))
    leaves = hashes(size)
    root, proof = grown(leaves).root, inclusion_proof(number, size, subtrees_of(leaves))
    assert includes(root, size, number, leaves[number], proof)
    other = data.draw(st.integers(-1, size + 1).filter(lambda each: each != number))
    assert not includes(root, size, other, leaves[number], proof)
    assert not includes(root, size, number, leaf_hash(b"another"), proof)
    assert not includes(root, size, number, leaves[number], [*proof, root])
    assert not includes(leaf_hash(b""), size, number, leaves[number], proof)
    for place in range(len(proof)):
        assert not includes(root, size, number, leaves[number], proof[:place] + proof[place + 1 :])
        changed = [*proof]
        changed[place] = bytes([changed[place][0] ^ 1]) + changed[place][1:]
        assert not includes(root, size, number, leaves[number], changed)


@given(st.data())
def test_a_tree_is_proved_to_have_only_grown(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 300))
    old = data.draw(st.integers(0, size))
    leaves = hashes(size)
    old_root, root = grown(leaves[:old]).root, grown(leaves).root
    proof = consistency_proof(old, size, subtrees_of(leaves))
    assert is_consistent(old_root, old, root, size, proof)
    assert not is_consistent(old_root, old, root, size, [*proof, root])
    assert not is_consistent(old_root, size + 1, root, size, proof)
    if old:
        assert not is_consistent(leaf_hash(b"another"), old, root, size, proof)
        assert not is_consistent(old_root, old, leaf_hash(b"another"), size, proof)
    for place in range(len(proof)):
        changed = [*proof]
        changed[place] = bytes([changed[place][0] ^ 1]) + changed[place][1:]
        assert not is_consistent(old_root, old, root, size, changed)


def test_a_frontier_of_the_wrong_length_is_no_frontier() -> None:
    with pytest.raises(ValueError, match="hashes"):
        Frontier.read(3, b"\0" * 32)
    with pytest.raises(ValueError, match="hashes"):
        Frontier.read(-1, b"")
