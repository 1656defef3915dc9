"""The Merkle tree of RFC 9162, section 2.1: hashes, roots, and proofs that a stranger can check.

Pure: it knows hashes and numbers, and neither entries nor the database.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves."""

Subtree = Callable[[int, int], bytes]
"""Gives the hash of a whole subtree by its height and its place among those of its height: the one
of height ``h`` at place ``p`` has the leaves from ``p << h`` up to ``(p + 1) << h``.
"""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(b"\1" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All of a tree that is needed to append to it: the hashes of its whole subtrees.

    Attributes:
        size: The number of leaves.
        hashes: One for each bit that is set in the size, the largest subtree first.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    @classmethod
    def read(cls, size: int, hashes: bytes) -> "Frontier":
        """A frontier from its bytes.

        Raises:
            ValueError: There are not as many hashes as a tree of this size has.
        """
        if size < 0 or len(hashes) != HASH_BYTES * size.bit_count():
            raise ValueError("not as many hashes as a tree of this size has")
        return cls(
            size,
            tuple(hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)),
        )

    def __bytes__(self) -> bytes:
        return b"".join(self.hashes)

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return folded(self.hashes)

    def ranges(self) -> list[tuple[int, int]]:
        """The leaves below each of the hashes: the first, and the one behind the last."""
        return [
            (place << height, (place + 1) << height) for height, place in _whole_subtrees(self.size)
        ]

    def grown(self, leaf: bytes) -> tuple["Frontier", tuple[bytes, ...]]:
        """Append the hash of a leaf.

        Returns:
            The frontier of the larger tree; and the hashes of the subtrees which the leaf makes
            whole, by their height: that of the leaf itself, of the two last leaves, and so on.
        """
        hashes = list(self.hashes)
        made = [leaf]
        remaining = self.size
        while remaining & 1:
            made.append(node_hash(hashes.pop(), made[-1]))
            remaining >>= 1
        return Frontier(self.size + 1, (*hashes, made[-1])), tuple(made)


def folded(hashes: Sequence[bytes]) -> bytes:
    """The root over the hashes of a tree's whole subtrees, the largest first."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The hashes of all whole subtrees over some leaves' hashes, by height from 0."""
    made = [list(leaves)]
    while len(made[-1]) > 1:
        pairs = iter(made[-1])
        # As node_hash does it, but twice as quick: most of the time of a verification is here.
        made.append(
            [
                sha256(b"\1" + left + right).digest()
                for left, right in zip(pairs, pairs, strict=False)
            ]
        )
    return made


def frontier(size: int, subtree: Subtree) -> Frontier:
    """The frontier of a tree of which the subtrees are known."""
    return Frontier(size, tuple(subtree(height, place) for height, place in _whole_subtrees(size)))


def inclusion_proof(number: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes from which a leaf's hash and the root follow (RFC 9162, section 2.1.3.1).

    Args:
        number: The leaf's, from 0.
        size: The tree's.
        subtree: Gives the hashes of whole subtrees.
    """
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if number < middle:
            proof.append(_range_hash(middle, end, subtree))
            end = middle
        else:
            proof.append(_range_hash(start, middle, subtree))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes which show that a tree only grew (RFC 9162, section 2.1.4.1).

    Args:
        old: The size that it had.
        size: The size that it has.
        subtree: Gives the hashes of whole subtrees.
    """
    if old in (0, size):
        return []
    proof: list[bytes] = []
    start, end = 0, size
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_range_hash(middle, end, subtree))
            end = middle
        else:
            proof.append(_range_hash(start, middle, subtree))
            start = middle
    # Whoever asks has the old root already.
    if start:
        proof.append(_range_hash(start, end, subtree))
    return proof[::-1]


def includes(root: bytes, size: int, number: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that a leaf's hash is in a tree (RFC 9162, section 2.1.3.2)."""
    if not 0 <= number < size:
        return False
    place, last, found = number, size - 1, leaf
    for other in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(other, found)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            found = node_hash(found, other)
        place >>= 1
        last >>= 1
    return last == 0 and found == root


def is_consistent(
    old_root: bytes, old: int, root: bytes, size: int, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that the old tree is the new one's beginning (section 2.1.4.2)."""
    if not 0 <= old <= size:
        return False
    if old in (0, size):
        same = root if old else EMPTY_ROOT
        return not proof and old_root == same
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    first = second = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(other, first), node_hash(other, second)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            second = node_hash(second, other)
        place >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == root


def _split(leaves: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << (leaves - 1).bit_length() - 1


def _range_hash(start: int, end: int, subtree: Subtree) -> bytes:
    """The root over leaves of which the first is where a subtree of their number would begin."""
    return folded(
        [
            subtree(height, (start >> height) + place)
            for height, place in _whole_subtrees(end - start)
        ]
    )


def _whole_subtrees(size: int) -> list[tuple[int, int]]:
    """Height and place of each subtree of a frontier, the largest first."""
    return [
        (height, (size >> height) - 1)
        for height in range(size.bit_length() - 1, -1, -1)
        if size >> height & 1
    ]
