"""Finding cases again."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields

from sqlalchemy import Connection, RowMapping, select

from tutela.cases.model import Case, CaseId, Item, Match
from tutela.cases.states import State
from tutela.cases.tables import case_items, case_matches, cases
from tutela.errors import NotFoundError
from tutela.evidence.reading import evidence_of
from tutela.fingerprints.model import FingerprintSet, Kind
from tutela.hashlists.tables import hash_lists


def find_case(connection: Connection, case: CaseId) -> Case:
    """One case.

    Raises:
        NotFoundError: There is no case of this number.
    """
    found = _read(connection, connection.execute(_SELECT.where(cases.c.id == case)).mappings())
    if not found:
        raise NotFoundError(f'there is no case {case}: see "tutela case ls"')
    return found[0]


def recent_cases(connection: Connection, limit: int = 100) -> list[Case]:
    """The cases opened last, the newest first.

    Args:
        connection: Where to read.
        limit: How many at most.
    """
    newest_first = _SELECT.order_by(cases.c.opened_at.desc(), case_items.c.id.desc()).limit(limit)
    return _read(connection, connection.execute(newest_first).mappings())


_FINGERPRINTS = tuple(field.name for field in fields(FingerprintSet))

_SELECT = select(
    cases.c.id.label("case"), cases.c.state, cases.c.opened_at, *case_items.c
).join_from(cases, case_items)


def _read(connection: Connection, rows: Iterable[RowMapping]) -> list[Case]:
    rows = list(rows)
    matches: defaultdict[int, list[Match]] = defaultdict(list)
    found = connection.execute(
        select(*case_matches.c, hash_lists.c.name)
        .join_from(case_matches, hash_lists)
        .where(case_matches.c.item_id.in_([row["id"] for row in rows]))
        .order_by(case_matches.c.distance, case_matches.c.id)
    ).mappings()
    for match in found:
        matches[match["item_id"]].append(
            Match(
                hash_list=match["list_id"],
                list_name=match["name"],
                entry=match["entry_id"],
                kind=Kind(match["kind"]),
                distance=match["distance"],
            )
        )
    evidence = evidence_of(connection, {row["case"] for row in rows})
    return [
        Case(
            id=CaseId(row["case"]),
            state=State(row["state"]),
            opened_at=row["opened_at"],
            item=Item(
                name=row["name"],
                origin=row["origin"],
                fingerprints=FingerprintSet(**{name: row[name] for name in _FINGERPRINTS}),
            ),
            matches=tuple(matches[row["id"]]),
            evidence=evidence.get(row["case"], ()),
        )
        for row in rows
    ]
