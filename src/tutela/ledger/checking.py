"""Deciding whether a ledger is as it was written, and where it is not. Pure: it is given the rows.

The ledger is checked in parts, side by side: each entry against its own hash, 256 entries each
against the hash that was kept of them (a tile). From the parts' hashes the whole tree is put
together, which is held against the head and against every signed checkpoint.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise

from tutela.ledger.appending import TILE_HEIGHT
from tutela.ledger.encoding import commitment, leaves
from tutela.ledger.merkle import Frontier, frontier, levels
from tutela.ledger.model import Act

TILE = 1 << TILE_HEIGHT

EntryRow = Sequence[object]
"""All columns of ``ledger_entries`` in their order, as the database's driver gives them."""
WordsRow = Sequence[object]
"""Entry, salt and words."""
TileRow = Sequence[object]
"""Level, number and hash."""

_NUMBER, _ACT, _THING, _REASON, _LEAF = 0, 5, 8, 9, 10
_UNKNOWN = b""
# As it can only be if the table was rebuilt without its primary key.
_TWICE = "it is there twice, or more often: one was inserted"


class Trouble(StrEnum):
    """What is not as it should be."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    WORDS = "words"
    HASHES = "hashes"
    HEAD = "head"
    CHECKPOINT = "checkpoint"
    ROLLED_BACK = "rolled-back"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written.

    Attributes:
        trouble: Its kind.
        what: A few words for people.
        first: The first entry that it is about, if it is about entries.
        last: The last.
    """

    trouble: Trouble
    what: str
    first: int | None = None
    last: int | None = None

    @property
    def where(self) -> str:
        """The place, for people."""
        if self.first is None or self.last is None:
            return "the ledger"
        if self.first == self.last:
            return f"entry {self.first}"
        return f"entries {self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Part:
    """What the check of some entries gave.

    Attributes:
        start: The first entry; a multiple of 256.
        end: The one behind the last.
        empty: Whether not one of them is there.
        tiles: The hash over each 256 of them.
        tail: The hashes of those behind the last tile, if they are fewer.
        beginnings: For each size of a tree that was asked for and ends inside a tile of this part,
            the hashes of the tree's whole subtrees in that tile, the largest first.
        findings: What is not as it was written.
        without_words: Entries that commit to words which are not there.
        erased: Entries of which an entry says that their words were erased.
    """

    start: int
    end: int
    empty: bool
    tiles: Sequence[bytes]
    tail: Sequence[bytes]
    beginnings: Mapping[int, tuple[bytes, ...]]
    findings: Sequence[Finding]
    without_words: Sequence[int]
    erased: Sequence[int]


def check_part(
    origin: str,
    start: int,
    end: int,
    *,
    rows: Sequence[EntryRow],
    words: Iterable[WordsRow],
    tiles: Iterable[TileRow],
    sizes: Iterable[int] = (),
) -> Part:
    """Check the entries from ``start``, a multiple of 256, up to ``end``.

    Args:
        origin: The ledger's name.
        start: The first entry.
        end: The one behind the last.
        rows: All entries that there are with these numbers, in order.
        words: All words that there are for them.
        tiles: All tiles of level 1 that there are among them.
        sizes: Sizes of trees that end here, which ``Part.beginnings`` shall have.
    """
    findings: list[Finding] = []
    hashed: Sequence[bytes | None] = [
        each
        for place in range(0, len(rows), TILE)
        for each in _hashed(origin, rows[place : place + TILE])
    ]
    stored = [row[_LEAF] for row in rows]
    if hashed != stored:
        findings += [
            _of_entry(row, Trouble.CHANGED, "not as it was written")
            for row, ours, theirs in zip(rows, hashed, stored, strict=True)
            if ours != theirs
        ]
    leaves = [each if isinstance(each, bytes) else _UNKNOWN for each in stored]
    doubled = [
        _of_entry(row, Trouble.ADDED, _TWICE)
        for before, row in pairwise(rows)
        if before[_NUMBER] == row[_NUMBER]
    ]
    findings += doubled
    if doubled or len(rows) != end - start:
        findings += _gaps(start, end, rows)
        leaves = _spread(start, end, rows, leaves)
        hashed = _spread(start, end, rows, hashed)
    known = _Words(words)
    findings += known.doubled()
    erased = []
    for row in rows:
        if row[_REASON] is not None or row[_NUMBER] in known.words:
            findings += known.check(row)
        if row[_ACT] == Act.REASON_ERASED:
            erased += _erased(row)
    whole = (end - start) // TILE
    tiles = list(tiles)
    findings += _doubled_tiles(tiles)
    over = _tiles(start, leaves, hashed, {row[1]: row[2] for row in tiles}, findings)
    beginnings = {}
    for size in sizes:
        first = size // TILE * TILE - start
        if size % TILE:
            beginnings[size] = _frontier(leaves[first : size - start]).hashes
    return Part(
        start=start,
        end=end,
        empty=not rows,
        tiles=over,
        tail=leaves[whole * TILE :],
        beginnings=beginnings,
        findings=merged(findings),
        without_words=known.missing,
        erased=erased,
    )


class Tree:
    """The tree over all parts, and those that it grew from.

    Args:
        parts: All, in order.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._upper = levels([tile for part in parts for tile in part.tiles])
        self._beginnings: dict[int, tuple[bytes, ...]] = {}
        for part in parts:
            self._beginnings.update(part.beginnings)
        self.size = parts[-1].end if parts else 0
        self._beginnings[self.size] = _frontier(parts[-1].tail).hashes if parts else ()

    def frontier(self, size: int) -> Frontier:
        """The frontier of the tree when it had this size, which must have been asked for."""
        tiles = size // TILE
        above = frontier(tiles, lambda height, place: self._upper[height][place])
        return Frontier(size, above.hashes + self._beginnings.get(size, ()))

    def tile(self, level: int, number: int) -> bytes:
        """The hash of a tile."""
        return self._upper[(level - 1) * TILE_HEIGHT][number]


def check_tiles(tree: Tree, rows: Iterable[TileRow]) -> list[Finding]:
    """Check the tiles from level 2 on, of which all rows are given."""
    rows = list(rows)
    findings = _doubled_tiles(rows)
    kept = {(row[0], row[1]): row[2] for row in rows}
    level = 2
    while tree.size >> TILE_HEIGHT * level:
        for number in range(tree.size >> TILE_HEIGHT * level):
            found = kept.pop((level, number), None)
            if found != tree.tile(level, number):
                first = number << TILE_HEIGHT * level
                last = ((number + 1) << TILE_HEIGHT * level) - 1
                findings.append(_of_tile(level, first, last, missing=found is None))
        level += 1
    findings += [
        Finding(Trouble.HASHES, f"a hash of level {level}, number {number} is kept of nothing")
        for level, number in kept
    ]
    return findings


def check_head(tree: Tree, head: Frontier) -> list[Finding]:
    """Check that the head is that of the tree; a difference is located as far as it can be."""
    return [
        Finding(
            Trouble.HEAD,
            "the ledger's head has another hash of these: it was changed, or they were",
            start,
            end - 1,
        )
        for (start, end), ours, theirs in zip(
            head.ranges(), tree.frontier(head.size).hashes, head.hashes, strict=True
        )
        if ours != theirs
    ]


def check_checkpoints(tree: Tree, size: int, roots: Mapping[int, bytes]) -> list[Finding]:
    """Check that the ledger is the one that was signed.

    Args:
        tree: The tree over the entries that are there.
        size: How many the ledger says it has.
        roots: The root that was signed, by the size of the tree.
    """
    findings, sound, ended = [], 0, False
    for signed, root in sorted(roots.items()):
        if signed > size:
            findings.append(
                Finding(
                    Trouble.ROLLED_BACK,
                    f"no longer there, though a checkpoint over {signed} entries was signed: "
                    "the database was rolled back, or its end cut off",
                    size,
                    signed - 1,
                )
            )
        elif signed > tree.size:
            continue
        elif tree.frontier(signed).root == root:
            sound, ended = signed, False
        elif not ended:
            # The later ones are wrong because of the same change.
            ended = True
            findings.append(
                Finding(
                    Trouble.CHECKPOINT,
                    f"not those over which the checkpoint of {signed} entries was signed: "
                    + (f"sound up to the one of {sound}, " if sound else "")
                    + "changed, dropped or inserted since",
                    sound,
                    signed - 1,
                )
            )
    return findings


def check_words(parts: Iterable[Part]) -> list[Finding]:
    """Check that words are missing where an entry says that they were erased, and only there."""
    missing, erased = set[int](), set[int]()
    for part in parts:
        missing.update(part.without_words)
        erased.update(part.erased)
    return merged(
        [
            *(
                Finding(Trouble.WORDS, "its words are gone, and no entry says why", each, each)
                for each in sorted(missing - erased)
            ),
            *(
                Finding(Trouble.WORDS, "its words were erased, and are there again", each, each)
                for each in sorted(erased - missing)
            ),
        ]
    )


def merged(findings: Sequence[Finding]) -> list[Finding]:
    """The same of entries that follow each other, as one."""
    runs: list[Finding] = []
    for each in findings:
        before = runs[-1] if runs else None
        if (
            before is not None
            and before.last is not None
            and before.last + 1 == each.first
            and (before.trouble, before.what) == (each.trouble, each.what)
        ):
            runs[-1] = replace(before, last=each.last)
        else:
            runs.append(each)
    return runs


@dataclass(slots=True)
class _Words:
    """The words that say why, held against what the entries commit to."""

    rows: Iterable[WordsRow]
    words: dict[object, WordsRow] = field(init=False)
    missing: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = list(self.rows)
        self.words = {row[0]: row for row in self.rows}

    def doubled(self) -> list[Finding]:
        """The entries that have words more than once."""
        return [
            _of_entry(row, Trouble.WORDS, "its words are there twice, or more often")
            for row in _doubled(self.rows, 1)
        ]

    def check(self, row: EntryRow) -> list[Finding]:
        kept = self.words.get(row[_NUMBER])
        if kept is None:
            self.missing.append(int(str(row[_NUMBER])))
        elif row[_REASON] is None:
            return [_of_entry(row, Trouble.WORDS, "it has words that were never given")]
        elif not _is_committed(row[_REASON], kept[1], kept[2]):
            return [_of_entry(row, Trouble.WORDS, "its words are not those that were given")]
        return []


def _is_committed(committed: object, salt: object, words: object) -> bool:
    try:
        return commitment(salt, words) == committed  # type: ignore[arg-type]
    except (TypeError, ValueError, AttributeError):
        return False


def _hashed(origin: str, rows: Sequence[EntryRow]) -> Sequence[bytes | None]:
    """The hashes of entries; ``None`` for one that holds what no entry holds."""
    try:
        said = leaves(origin, [_said(row) for row in rows])
        return [sha256(b"\0" + each).digest() for each in said]
    except (TypeError, ValueError, AttributeError):
        return [None] if len(rows) == 1 else [_hashed(origin, [row])[0] for row in rows]


def _said(row: EntryRow) -> Sequence[object]:
    reason = row[_REASON]
    return row[:_LEAF] if reason is None else (*row[:_REASON], reason.hex())  # type: ignore[attr-defined]


def _erased(row: EntryRow) -> list[int]:
    prefix, _, number = str(row[_THING]).partition(":")
    return [int(number)] if prefix == "entry" and number.isdecimal() else []


def _tiles(
    start: int,
    leaves: list[bytes],
    hashed: Sequence[bytes | None],
    kept: dict[object, object],
    findings: list[Finding],
) -> list[bytes]:
    """The hashes over each 256 entries. Mends ``leaves`` where only the hash of one was changed."""
    whole = len(leaves) // TILE
    made = levels(leaves[: whole * TILE])[TILE_HEIGHT] if whole else []
    for place in range(whole):
        first = start + place * TILE
        found = kept.pop(first // TILE, None)
        if found == made[place]:
            continue
        here = slice(place * TILE, (place + 1) * TILE)
        content = [each or _UNKNOWN for each in hashed[here]]
        if isinstance(found, bytes) and levels(content)[TILE_HEIGHT][0] == found:
            leaves[here] = content
            made[place] = found
        elif isinstance(found, bytes) and _UNKNOWN in leaves[here]:
            # Some are missing, which is said already: take the kept hash's word for the rest.
            made[place] = found
        else:
            findings.append(_of_tile(1, first, first + TILE - 1, missing=found is None))
    findings += [
        Finding(Trouble.HASHES, f"a hash of level 1, number {number} is kept of nothing")
        for number in kept
    ]
    return made


def _doubled_tiles(rows: Iterable[TileRow]) -> list[Finding]:
    found = [(int(str(row[0])), int(str(row[1]))) for row in _doubled(rows, 2)]
    return [
        Finding(
            Trouble.HASHES,
            f"a hash of level {level}, number {number} is kept twice, or more often",
        )
        for level, number in found
    ]


def _doubled(rows: Iterable[Sequence[object]], key: int) -> list[Sequence[object]]:
    """The keys, the first so many columns, that more than one row has."""
    return [each for each, times in Counter(tuple(row[:key]) for row in rows).items() if times > 1]


def _of_tile(level: int, first: int, last: int, *, missing: bool) -> Finding:
    what = (
        f"the hash kept of them (level {level}) is missing"
        if missing
        else f"the hash kept of them (level {level}) is another: it was changed, or they were"
    )
    return Finding(Trouble.HASHES, what, first, last)


def _of_entry(row: EntryRow, trouble: Trouble, what: str) -> Finding:
    number = int(str(row[_NUMBER]))
    return Finding(trouble, what, number, number)


def _gaps(start: int, end: int, rows: Sequence[EntryRow]) -> list[Finding]:
    there = [start - 1, *(int(str(row[_NUMBER])) for row in rows), end]
    return [
        Finding(Trouble.MISSING, "not there", before + 1, after - 1)
        for before, after in pairwise(there)
        if after - before > 1
    ]


def _spread(
    start: int, end: int, rows: Sequence[EntryRow], hashes: Sequence[bytes | None]
) -> list[bytes]:
    """Hashes at the places of their entries, with nothing at those of missing ones."""
    spread = [_UNKNOWN] * (end - start)
    for row, each in zip(rows, hashes, strict=True):
        spread[int(str(row[_NUMBER])) - start] = each or _UNKNOWN
    return spread


def _frontier(leaves: Sequence[bytes]) -> Frontier:
    made = levels(leaves)
    return frontier(len(leaves), lambda height, place: made[height][place])
