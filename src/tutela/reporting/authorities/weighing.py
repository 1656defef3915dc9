"""A case weighed against the directory: to whom it goes, who was told, and until when."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from tutela.cases.facts import read_facts
from tutela.cases.model import CaseId, ItemKind
from tutela.cases.moving import absent
from tutela.cases.states import State
from tutela.cases.tables import case_items, case_labels, cases
from tutela.reporting.addressing import circumstances as weighed_by
from tutela.reporting.authorities.clocks import Clock, clocks
from tutela.reporting.authorities.model import Incident
from tutela.reporting.authorities.routing import Circumstances, Route, route
from tutela.reporting.authorities.standing import directory_now
from tutela.reporting.authorities.told import Telling, told_of, who_was_told
from tutela.reporting.drafts.incidents import Said
from tutela.reporting.drafts.supplied import Supplied
from tutela.reporting.drafts.supplying import supplied_of
from tutela.reporting.tables import supplied_data
from tutela.storage.kept_secrets import KeptSecrets
from tutela.storage.settings import Settings


@dataclass(frozen=True, slots=True)
class Weighed:
    """A case weighed against the directory.

    Attributes:
        circumstances: What it was weighed by.
        routes: To whom it goes, and why there and not elsewhere.
        told: Who was told of it, of the same content and of the same subject.
        clocks: Until when it has to be reported, the first at the beginning; none before it is
            confirmed.
    """

    circumstances: Circumstances
    routes: tuple[Route, ...]
    told: tuple[Telling, ...]
    clocks: tuple[Clock, ...]

    def as_fields(self, now: datetime) -> dict[str, object]:
        """The same by names, as programs are given it."""
        return {
            "incidents": sorted(self.circumstances.incidents),
            "routes": [each.as_fields() for each in self.routes],
            "told": [each.as_fields() for each in self.told],
            "clocks": [each.as_fields(now) for each in self.clocks],
        }


def weigh(
    connection: Connection,
    settings: Settings,
    case: CaseId,
    *,
    subject: str | None = None,
    victim: str | None = None,
    incidents: Collection[Incident] | None = None,
) -> Weighed:
    """Weigh a case against the directory as it stands.

    Args:
        connection: A transaction.
        settings: The configuration.
        case: The case.
        subject: Where the subject is; ``None`` for what a platform supplied.
        victim: Where the victim is; the same.
        incidents: What the case is about; ``None`` for what its items, labels and facts say.

    Raises:
        NotFoundError: There is no such case.
        SettingsError: The operator's file of authorities cannot be used.
    """
    row = connection.execute(
        select(cases.c.id, cases.c.state, cases.c.decided_at, cases.c.facts).where(
            cases.c.id == case
        )
    ).one_or_none()
    if row is None:
        raise absent(case)
    known = circumstances_of_cases(connection, settings, {case: row.facts})[case]
    circumstances = replace(
        known,
        subject=known.subject if subject is None else subject,
        victim=known.victim if victim is None else victim,
        incidents=known.incidents if incidents is None else frozenset(incidents),
    )
    has = told_of(connection, case)
    routes = route(directory_now(connection, settings), circumstances, has)
    is_confirmed = State(row.state) in (State.CONFIRMED, State.REPORTED)
    running = (
        clocks(routes, row.decided_at, settings.reporting.within_hours, has)
        if is_confirmed and row.decided_at is not None
        else ()
    )
    return Weighed(circumstances, routes, who_was_told(connection, case), running)


def circumstances_of_cases(
    connection: Connection, settings: Settings, facts: Mapping[CaseId, str]
) -> dict[CaseId, Circumstances]:
    """What is known of some cases that decides to whom they go.

    Args:
        connection: A transaction.
        settings: The configuration.
        facts: The cases, each with its facts as they are kept.
    """
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for row in connection.execute(
        select(case_labels.c.case_id, case_labels.c.scheme, case_labels.c.label).where(
            case_labels.c.case_id.in_(facts), case_labels.c.removed_at.is_(None)
        )
    ):
        labels[row.case_id].add(f"{row.scheme}/{row.label}")
    kinds: defaultdict[str, set[ItemKind]] = defaultdict(set)
    for each in connection.execute(
        select(case_items.c.case_id, case_items.c.kind)
        .where(case_items.c.case_id.in_(facts))
        .distinct()
    ):
        kinds[each.case_id].add(ItemKind(each.kind))
    of_these = select(supplied_data.c.case_id).where(supplied_data.c.case_id.in_(facts))
    supplied = set(connection.execute(of_these).scalars())
    secrets = KeptSecrets(settings.keys_folder)
    return {
        case: weighed_by(
            settings,
            supplied_of(connection, secrets, case) if case in supplied else Supplied(),
            Said(frozenset(labels[case]), read_facts(known), frozenset(kinds[case])),
        )
        for case, known in facts.items()
    }
