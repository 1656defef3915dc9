"""Presenting a case's items: what the case knows of them beside what the vault has of them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, select

from tutela.errors import NotFoundError
from tutela.evidence import model as evidence
from tutela.evidence.disclosure.model import (
    Dossier,
    DossierItem,
    Exhibit,
    OpenMedium,
    Standing,
)
from tutela.evidence.holds import holds_about
from tutela.evidence.subjects import Subject
from tutela.evidence.tables import blobs, destructions, evidence_items

# Whatever else there is, such as a destruction that has begun, may not be opened any more.
_STANDINGS = {evidence.State.SEALED: Standing.KEPT, evidence.State.MISSED: Standing.MISSED}

_STILL_THERE = {Standing.KEPT, Standing.LEFT_OUT}


def exhibits_of(
    connection: Connection, dossier: Dossier, left_out: Collection[str] = ()
) -> tuple[Exhibit, ...]:
    """The items of a case, in the case's order; then what only the vault knows of.

    Args:
        connection: Where to read.
        dossier: What is known of the case.
        left_out: Items whose files shall not be handed over.

    Raises:
        NotFoundError: An item that shall be left out is not in the case.
    """
    rows = {
        row["id"]: row
        for row in connection.execute(
            select(evidence_items, blobs.c.sha256, blobs.c.size, destructions.c.destroyed_at)
            .join_from(evidence_items, blobs, isouter=True)
            .outerjoin(destructions, destructions.c.item_id == evidence_items.c.id)
            .where(evidence_items.c.case_id == dossier.case)
            .order_by(evidence_items.c.sealed_at, evidence_items.c.id)
        ).mappings()
    }
    unknown = set(left_out) - rows.keys()
    if unknown:
        raise NotFoundError(
            f"the case {dossier.case} has no evidence {', '.join(sorted(unknown))}: "
            f'see "tutela evidence ls"'
        )
    held = {
        each.subject.item
        for each in holds_about(connection, Subject(dossier.case, None))
        if each.released_at is None
    }
    known = [*dossier.items, *_of_the_vault_alone(dossier, rows.values())]
    return tuple(
        _exhibit(number, each, rows.get(each.evidence or ""), left_out, held)
        for number, each in enumerate(known, start=1)
    )


def with_media_types(
    exhibits: Sequence[Exhibit],
    open_medium: OpenMedium,
    type_of: Callable[[bytes], str | None],
) -> tuple[Exhibit, ...]:
    """The same, with what each file that is handed over is by its first bytes.

    Raises:
        DamagedEvidenceError: A file does not open.
        StorageError: The blob store or the key provider fails.
    """
    return tuple(
        replace(each, media_type=type_of(next(iter(open_medium(each.id)), b"")))
        if each.file
        else each
        for each in exhibits
    )


def _of_the_vault_alone(dossier: Dossier, rows: Collection[RowMapping]) -> Iterator[DossierItem]:
    told = {each.evidence for each in dossier.items}
    for row in rows:
        if row["id"] not in told:
            yield DossierItem(
                evidence=row["id"],
                name="",
                origin="",
                received_at=row["sealed_at"],
                size=row["size"],
                digests={},
                pdq=None,
                pdq_quality=None,
                matches=(),
            )


def _exhibit(
    number: int,
    known: DossierItem,
    row: RowMapping | None,
    left_out: Collection[str],
    held: AbstractSet[str | None],
) -> Exhibit:
    if row is None:
        # Whatever the case thinks, the vault has nothing of it.
        return Exhibit(number, replace(known, evidence=None), Standing.NO_FILE)
    standing = _STANDINGS.get(row["state"], Standing.DESTROYED)
    if standing is Standing.KEPT and row["id"] in left_out:
        standing = Standing.LEFT_OUT
    return Exhibit(
        number=number,
        known=known,
        standing=standing,
        size=row["size"],
        sha256=row["sha256"].hex() if row["sha256"] else None,
        sealed_at=row["sealed_at"] if row["blob_id"] else None,
        destroyed_at=row["destroyed_at"],
        # A hold without an item is on the whole case.
        held=standing in _STILL_THERE and not held.isdisjoint({None, row["id"]}),
    )
