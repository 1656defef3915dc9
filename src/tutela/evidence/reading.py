"""Finding evidence again: what there is, never the bytes."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from sqlalchemy import Connection, RowMapping, select

from tutela.errors import NotFoundError
from tutela.evidence.model import Evidence, ItemId, State
from tutela.evidence.tables import blobs, evidence_items
from tutela.storage.blobs.model import BlobId
from tutela.storage.database import Database

_AT_ONCE = 500


def find_evidence(connection: Connection, item: ItemId) -> Evidence:
    """One piece of evidence.

    Raises:
        NotFoundError: There is none of this id.
    """
    row = connection.execute(_SELECT.where(evidence_items.c.id == item)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f'there is no evidence {item}: see "tutela evidence ls"')
    return _evidence(row)


def recent_evidence(connection: Connection, limit: int = 100) -> list[Evidence]:
    """The evidence sealed last, the newest first."""
    newest_first = _SELECT.order_by(evidence_items.c.sealed_at.desc(), evidence_items.c.id)
    return [_evidence(row) for row in connection.execute(newest_first.limit(limit)).mappings()]


def evidence_of(connection: Connection, cases: Collection[str]) -> dict[str, tuple[Evidence, ...]]:
    """The evidence of some cases, by the case's number, in the order it was sealed."""
    found: defaultdict[str, list[Evidence]] = defaultdict(list)
    rows = connection.execute(
        _SELECT.where(evidence_items.c.case_id.in_(cases)).order_by(
            evidence_items.c.sealed_at, evidence_items.c.id
        )
    )
    for row in rows.mappings():
        found[row["case_id"]].append(_evidence(row))
    return {case: tuple(several) for case, several in found.items()}


def all_evidence(database: Database) -> Iterator[Evidence]:
    """Every piece of evidence there is, by id, read in portions."""
    after = ""
    while True:
        portion = _SELECT.where(evidence_items.c.id > after).order_by(evidence_items.c.id)
        with database.reading() as connection:
            rows = connection.execute(portion.limit(_AT_ONCE)).mappings().all()
        if not rows:
            return
        yield from map(_evidence, rows)
        after = rows[-1]["id"]


_SELECT = select(evidence_items, blobs.c.sha256, blobs.c.size).join_from(
    evidence_items, blobs, isouter=True
)


def _evidence(row: RowMapping) -> Evidence:
    return Evidence(
        id=ItemId(row["id"]),
        case=row["case_id"],
        state=State(row["state"]),
        sealed_at=row["sealed_at"],
        blob=None if row["blob_id"] is None else BlobId(row["blob_id"]),
        size=row["size"],
        sha256=row["sha256"],
        key_id=row["key_id"],
        reason=row["reason"],
    )
