"""Judging files by their fingerprints: look up, decide, and open the case."""

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, select

from tutela.cases.model import CaseId, Item, Match
from tutela.cases.opening import open_case
from tutela.fingerprints.model import FingerprintSet
from tutela.hashlists.indexing import Mark, catch_up, newest_change
from tutela.hashlists.lists import live_lists
from tutela.hashlists.tables import entries
from tutela.matching.index import Index
from tutela.matching.model import Hit, Query
from tutela.screening.counts import Counts
from tutela.screening.model import Known, Screened
from tutela.screening.policy import Rules, decide, matches_among, rules_for
from tutela.storage.clock import Clock
from tutela.storage.database import Database
from tutela.storage.settings import Policy


@dataclass(frozen=True, slots=True)
class Submission:
    """A file to be judged.

    Attributes:
        known: What is known of it.
        name: Its name or path as the sender gave it; kept only with a case.
        origin: Where it came from, as in ``cases.model.Item``.
        request: Names this very request, so that sending it again opens no second case.
    """

    known: Known
    name: str
    origin: str
    request: str | None = None


def request_name(*parts: str) -> str:
    """A name for a request that is as long as the database takes, whatever it is made of."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


class Screener:
    """Judges files against every live list. Safe to share between threads.

    Each call sees the lists as they are in the database when it begins.
    """

    def __init__(
        self, database: Database, index: Index, policy: Policy, clock: Clock, counts: Counts
    ) -> None:
        self._database = database
        self._index = index
        self._policy = policy
        self._clock = clock
        self._counts = counts
        self._refreshing = threading.Lock()
        self._rules: Mapping[int, Rules] = {}
        self._seen: Mark | None = None

    def screen(self, submission: Submission) -> Screened:
        """Judge one file."""
        return self.screen_many([submission])[0]

    def screen_many(self, submissions: Sequence[Submission]) -> list[Screened]:
        """Judge files together, which is quicker than one by one; each has its own case.

        Raises:
            StorageError: The database does not answer. No verdict is given then.
        """
        rules = self.refresh()
        radius = max((rule.max_distance for rule in rules.values()), default=0)
        queries = [_query(submission.known.fingerprints, rules) for submission in submissions]
        found = self._index.look_up_many(queries, radius)
        matches: list[tuple[Match, ...]] = [()] * len(submissions)
        if any(found):
            with self._database.reading() as connection:
                matches = [
                    _matches(connection, submission.known.fingerprints.pdq_quality, hits, rules)
                    for submission, hits in zip(submissions, found, strict=True)
                ]
        return self._act(submissions, matches, rules)

    @property
    def live_lists(self) -> int:
        """How many lists files are judged by, as of the last call."""
        return len(self._rules)

    def refresh(self) -> Mapping[int, Rules]:
        """Take up what has changed in the lists; gives the rules of the live ones."""
        with self._database.reading() as connection:
            newest = newest_change(connection)
        if newest == self._seen:
            return self._rules
        with self._refreshing:
            # Another thread may have taken it up while this one waited.
            if newest != self._seen:
                catch_up(self._database, self._index)
                with self._database.reading() as connection:
                    self._rules = {
                        number: rules_for(self._policy, hash_list.name)
                        for number, hash_list in live_lists(connection).items()
                    }
                self._seen = newest
        return self._rules

    def _act(
        self,
        submissions: Sequence[Submission],
        matches: Sequence[tuple[Match, ...]],
        rules: Mapping[int, Rules],
    ) -> list[Screened]:
        actions = [
            decide(matched, rules, unreadable=submission.known.unreadable is not None)
            for submission, matched in zip(submissions, matches, strict=True)
        ]
        cases: dict[int, CaseId] = {}
        if any(action.open_case for action in actions):
            with self._database.writing() as connection:
                for place, action in enumerate(actions):
                    if action.open_case:
                        submission = submissions[place]
                        cases[place] = open_case(
                            connection,
                            Item(submission.name, submission.origin, submission.known.fingerprints),
                            matches[place],
                            self._clock,
                            submission.request,
                        )
        screened = []
        for place, (submission, action) in enumerate(zip(submissions, actions, strict=True)):
            self._counts.add(action.verdict, {match.hash_list for match in matches[place]})
            screened.append(
                Screened(
                    action.verdict, cases.get(place), matches[place], submission.known.unreadable
                )
            )
        return screened


def _query(fingerprints: FingerprintSet, rules: Mapping[int, Rules]) -> Query:
    gate = min((rule.min_quality for rule in rules.values()), default=0)
    quality = fingerprints.pdq_quality
    return Query(
        md5=fingerprints.md5,
        sha1=fingerprints.sha1,
        sha256=fingerprints.sha256,
        pdq=fingerprints.pdq if quality is None or quality >= gate else None,
    )


def _matches(
    connection: Connection, quality: int | None, hits: Sequence[Hit], rules: Mapping[int, Rules]
) -> tuple[Match, ...]:
    # A flat picture may hit a hundred thousand entries, of which a few are enough: the nearest
    # of each list and kind. So the entries are read in portions, until each has its nearest.
    wanted = {(hit.hash_list, hit.kind) for hit in hits if hit.hash_list in rules}
    nearest: dict[tuple[int, str], Match] = {}
    remaining = iter(hits)
    while (portion := list(islice(remaining, 500))) and len(nearest) < len(wanted):
        for match in matches_among(portion, rules, quality, _qualities(connection, portion)):
            nearest.setdefault((match.hash_list, match.kind), match)
    return tuple(nearest.values())


def _qualities(connection: Connection, hits: Iterable[Hit]) -> dict[int, int | None]:
    rows = connection.execute(
        select(entries.c.id, entries.c.quality).where(
            entries.c.id.in_([hit.entry for hit in hits]), entries.c.live
        )
    )
    return {row.id: row.quality for row in rows}
