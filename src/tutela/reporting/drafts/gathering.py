"""Gathering what a draft is filled from. Nothing is read but of the case itself."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select

from tutela.cases.facts import read_facts
from tutela.cases.grounds import WORDS
from tutela.cases.model import CaseId, ItemKind
from tutela.cases.moving import absent
from tutela.cases.reading import WholeItem, find_case, labels_of
from tutela.cases.tables import cases, subjects
from tutela.cases.viewings import was_viewed
from tutela.errors import DamagedEvidenceError
from tutela.evidence.model import Evidence, ItemId
from tutela.evidence.model import State as EvidenceState
from tutela.evidence.vault import Vault
from tutela.reporting.desk import Desk
from tutela.reporting.drafts.drafting import LONGEST_WORDS, Gathered, GatheredItem
from tutela.reporting.drafts.supplying import supplied_of
from tutela.reporting.model import CaseItemNumber, ChannelKind, Environment
from tutela.reporting.states import State
from tutela.reporting.tables import reports

LOST_WORDS = "(The text of this item can no longer be read: what was sealed of it is damaged.)"
"""What a report says in the place of a text that the vault has lost, for the authority."""


def gather(
    desk: Desk,
    case: CaseId,
    authority: str,
    channel: ChannelKind,
    environment: Environment,
    *,
    with_words: bool = True,
) -> Gathered:
    """All that is known of a case, for a draft to one authority.

    The words of its texts and addresses are opened for it. What a report says is sealed again.
    Where the vault no longer has a text as it was sealed, ``LOST_WORDS`` stand for it.

    Args:
        desk: The open house.
        case: The case.
        authority: To whom the report goes.
        channel: By which way.
        environment: How real it will be: numbers that a sandbox gave are never told to others.
        with_words: Whether the words are opened.

    Raises:
        NotFoundError: There is no such case.
        StorageError: The vault or the database fails.
    """
    with desk.database.reading() as connection:
        found = find_case(connection, case)
        row = _row(connection, case)
        labels: defaultdict[int | None, set[str]] = defaultdict(set)
        for label in labels_of(connection, case):
            labels[label.item].add(f"{label.scheme}/{label.label}")
        items = [_item(connection, each, labels) for each in found.items]
        supplied = supplied_of(connection, desk.secrets, case)
        prior = list(_prior(connection, row, authority, channel, environment))
    return Gathered(
        case=case,
        subject=row.key,
        facts=read_facts(row.facts),
        labels=frozenset(labels[None]),
        items=tuple(_with_words(desk.vault, each) for each in items)
        if with_words
        else tuple(items),
        company=desk.settings.reporting.company,
        supplied=supplied,
        prior=tuple(int(each) for each in prior if each.isascii() and each.isdigit()),
        prior_names=tuple(each for each in prior if not (each.isascii() and each.isdigit())),
    )


def _row(connection: Connection, case: CaseId) -> Row[*tuple[Any, ...]]:
    row = connection.execute(
        select(cases.c.id, cases.c.subject_id, cases.c.facts, subjects.c.key)
        .join_from(cases, subjects, cases.c.subject_id == subjects.c.id, isouter=True)
        .where(cases.c.id == case)
    ).one_or_none()
    if row is None:
        raise absent(case)
    return row


def _item(
    connection: Connection, item: WholeItem, labels: Mapping[int | None, set[str]]
) -> GatheredItem:
    evidence = _kept(item.evidence)
    return GatheredItem(
        item=CaseItemNumber(item.id),
        kind=item.kind,
        origin=item.item.origin,
        name=item.item.name,
        reference=item.reference,
        received_at=item.received_at,
        fingerprints=item.item.fingerprints,
        labels=frozenset(labels.get(item.id, ())),
        matches=tuple(
            dict.fromkeys((each.list_name, each.kind) for each in item.matches if not each.place)
        ),
        within=tuple(
            dict.fromkeys(
                (each.list_name, each.kind, each.place) for each in item.matches if each.place
            )
        ),
        evidence=evidence,
        viewed=evidence is not None and was_viewed(connection, evidence),
    )


def _kept(evidence: Evidence | None) -> ItemId | None:
    if evidence is None or evidence.state is not EvidenceState.SEALED:
        return None
    return evidence.id


def _with_words(vault: Vault, item: GatheredItem) -> GatheredItem:
    if item.kind not in WORDS or item.evidence is None:
        return item
    content = bytearray()
    try:
        # To its end, since only then it is known to be what was sealed.
        for chunk in vault.open(item.evidence):
            content += chunk[: max(0, 4 * LONGEST_WORDS - len(content))]
    except DamagedEvidenceError:
        # One lost item is to keep nobody from hearing of the case.
        return replace(item, words=LOST_WORDS if item.kind is ItemKind.TEXT else None)
    return replace(item, words=content.decode("utf-8", "replace"))


def _prior(
    connection: Connection,
    case: Row[*tuple[Any, ...]],
    authority: str,
    channel: ChannelKind,
    environment: Environment,
) -> Iterator[str]:
    """What the authority calls the reports that it has of the same subject, and of this case."""
    same = cases.c.id == case.id
    if case.subject_id is not None:
        same = cases.c.subject_id == case.subject_id
    rows = connection.execute(
        select(reports.c.remote_id)
        .join(cases, cases.c.id == reports.c.case_id)
        .where(
            same,
            reports.c.authority == authority,
            reports.c.channel == channel,
            reports.c.environment == environment,
            reports.c.state == State.SENT,
            reports.c.remote_id.is_not(None),
        )
        .order_by(reports.c.id)
        .limit(_MOST_PRIOR)
    )
    yield from dict.fromkeys(rows.scalars())


_MOST_PRIOR = 200
