"""Judging files by their fingerprints: look up, decide, and open the case."""

import hashlib
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import PurePath

from sqlalchemy import Connection, select

from tutela.cases.adding import Opening
from tutela.cases.facts import Fact
from tutela.cases.model import CaseId, Item, ItemKind, Match, kind_of, new_case_id
from tutela.cases.sealing import open_cases
from tutela.evidence.model import Content, new_item_id
from tutela.evidence.vault import Vault
from tutela.fingerprints.model import Fingerprint, FingerprintSet, Kind, Part, Unreadable
from tutela.fingerprints.vpdq import MOST_FRAMES
from tutela.hashlists.indexing import Mark, catch_up, newest_change
from tutela.hashlists.lists import live_lists
from tutela.hashlists.tables import entries
from tutela.ledger.model import SYSTEM, Actor
from tutela.matching.hits import Hits
from tutela.matching.index import Index
from tutela.matching.model import Hit, Query
from tutela.screening.counts import Counts
from tutela.screening.model import Failure, Known, Screened, Verdict
from tutela.screening.policy import (
    Rules,
    answer_to,
    best_of,
    decide,
    matches_among,
    rules_for,
)
from tutela.screening.videos import matches_of_video, videos_among
from tutela.screening.words import content_of, fingerprints_of
from tutela.storage.clock import Clock
from tutela.storage.settings import OnEachUnreadable, OnUnreadable, Policy

# Handing work to a thread costs the service a tenth of a millisecond. Looking up for longer than
# this without a thread would let the other requests wait.
_QUICK_SECONDS = 0.002
# The first ones after a change find nothing in the processor's caches.
_LOOK_UPS_TRIED = 3
_OF_REQUEST = 60


@dataclass(frozen=True, slots=True)
class Submission:
    """A file to be judged.

    Attributes:
        known: What is known of it.
        name: Its name or path as the sender gave it; kept only with a case.
        origin: Where it came from, as in ``cases.model.Item``.
        request: Names this very request, so that sending it again opens no second case.
        content: The file's bytes, to be sealed if it matches; ``None`` where only fingerprints are
            known.
        actor: Who sent it, for the ledger.
        subject: Whom it is about, as the platform calls them.
        reference: What the platform calls the upload.
        facts: What else is known of it that makes it urgent.
        joins: As in ``cases.adding.Opening``.
        beside: As in ``cases.adding.Opening``.
        sources: The addresses that led to it, which a case has sealed beside it.
    """

    known: Known
    name: str
    origin: str
    request: str | None = None
    content: Content | None = None
    actor: Actor = SYSTEM
    subject: str | None = None
    reference: str | None = None
    facts: frozenset[Fact] = frozenset()
    joins: CaseId | None = None
    beside: Callable[[Connection, CaseId], None] | None = None
    sources: tuple[str, ...] = ()


def request_name(*parts: str) -> str:
    """A name for a request that is as long as the database takes, whatever it is made of."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Findings:
    """What the index found of some files, and by which rules it is to be judged.

    Attributes:
        rules: The rules of every live list, by the list's number.
        hits: For each file, and after it for each of its parts and for all that lists may have of
            it, the entries that may match, nearest first.
    """

    rules: Mapping[int, Rules]
    hits: Sequence[Hits]

    @property
    def nothing(self) -> bool:
        """Whether no list has any of the files."""
        return not any(self.hits)


class Screener:
    """Judges files against every live list. Safe to share between threads.

    It sees the lists as they were when ``refresh`` was last called. A withdrawn entry is no match
    even before that.

    Attributes:
        video_frames_if_matched: Of a video in a file that is a match already, so many frames are
            looked at.
    """

    def __init__(
        self,
        index: Index,
        vault: Vault,
        policy: Policy,
        clock: Clock,
        counts: Counts,
        *,
        due_hours: int | None = None,
        unreadable: OnEachUnreadable | None = None,
        video_frames_if_matched: int = MOST_FRAMES,
    ) -> None:
        self._database = vault.database
        self._vault = vault
        self._index = index
        self._policy = policy
        self._clock = clock
        self._counts = counts
        self._due_hours = due_hours
        self._unreadable = unreadable or OnEachUnreadable()
        self.video_frames_if_matched = video_frames_if_matched
        self._refreshing = threading.Lock()
        self._lists = _Lists()

    def screen(self, submission: Submission) -> Screened:
        """Judge one file."""
        return self.screen_many([submission])[0]

    def screen_many(self, submissions: Sequence[Submission]) -> list[Screened]:
        """Judge files together, which is quicker than one by one; each has its own case.

        Raises:
            StorageError: The database or the vault fails. No verdict is given then.
        """
        files = [submission.known for submission in submissions]
        return self.judge(submissions, self.look_up(files))

    def look_up(self, files: Sequence[Known]) -> Findings:
        """Find what the lists have of these files. Asks memory alone, and never waits."""
        lists = self._lists
        queries = []
        for file in files:
            queries.append(_query(file.fingerprints, lists.gate))
            queries += [_query_of_part(part, lists.gate) for part in file.parts]
            queries += map(_query_of_words, file.listed_as)
        return Findings(lists.rules, self._index.look_up_many(queries, lists.radius))

    def is_quick(self, files: Sequence[Known]) -> bool:
        """Whether files are looked up in less time than handing them to a thread is worth.

        With the compiled index it is so for a few hundred without parts. Without it a single one
        can take longer.
        """
        queries = len(files) + sum(len(file.parts) + len(file.listed_as) for file in files)
        return queries * self._lists.look_up_seconds <= _QUICK_SECONDS

    def count_clear(self, files: int) -> None:
        """Count so many files of which nothing was found, and be done with them."""
        self._counts.add(Verdict.CLEAR, files=files)

    def count_not_read(self, reason: str, suffix: str) -> Screened:
        """Count a file whose bytes cannot be read.

        Args:
            reason: Why, in words.
            suffix: What its name ends in.
        """
        failure = Failure(Unreadable.NOT_READ, reason)
        answer = self._unreadable.of(failure.cause)
        self._counts.add(Verdict.UNREADABLE)
        self._counts.add_unreadable(failure, answer, suffix, None)
        return Screened(Verdict.UNREADABLE, failure=failure, answer=answer)

    def queues_any(self, files: Iterable[Known]) -> bool:
        """Whether any of these is for a person to look at, although no list has it."""
        answers = [answer_to(file.failures, self._unreadable) for file in files]
        return any(each is not None and each[1] is OnUnreadable.QUEUE for each in answers)

    def judge(self, submissions: Sequence[Submission], findings: Findings) -> list[Screened]:
        """Decide what becomes of files of which the findings are known, and open their cases.

        Raises:
            StorageError: The database or the vault fails. No verdict is given then.
        """
        matches = self.matches_of([each.known for each in submissions], findings)
        return self.act(submissions, matches, findings.rules)

    def act(
        self,
        submissions: Sequence[Submission],
        matches: Sequence[tuple[Match, ...]],
        rules: Mapping[int, Rules],
    ) -> list[Screened]:
        """Do what follows from what files match.

        Args:
            submissions: The files.
            matches: What each matches, as ``matches_of`` has it.
            rules: The rules by which they were found.

        Raises:
            StorageError: The database or the vault fails. No verdict is given then.
        """
        failures = [answer_to(each.known.failures, self._unreadable) for each in submissions]
        actions = [
            decide(matched, rules, failed[1] if failed else None)
            for failed, matched in zip(failures, matches, strict=True)
        ]
        found = [place for place, action in enumerate(actions) if action.open_case]
        cases: dict[int, CaseId] = {}
        if found:
            openings = [
                _opening(submissions[place], matches[place], failures[place], self._due_at())
                for place in found
            ]
            sources = [
                source
                for place, opening in zip(found, openings, strict=True)
                for source in _sources(submissions[place], opening)
            ]
            opened = open_cases(self._vault, openings + sources, self._clock)
            cases = dict(zip(found, opened, strict=False))
        screened = []
        for place, (submission, action) in enumerate(zip(submissions, actions, strict=True)):
            self._counts.add(action.verdict, {match.hash_list for match in matches[place]})
            failure, answer = failures[place] or (None, None)
            if action.verdict is not Verdict.UNREADABLE:
                answer = None
            elif failure is not None and answer is not None:
                size = submission.known.fingerprints.size
                suffix = PurePath(submission.name).suffix
                self._counts.add_unreadable(failure, answer, suffix, size)
            screened.append(
                Screened(
                    action.verdict,
                    cases.get(place),
                    matches[place],
                    failure,
                    answer,
                    _cut_short(submission.known),
                )
            )
        return screened

    def verdict_of(self, matches: Iterable[Match], rules: Mapping[int, Rules]) -> Verdict:
        """What a caller is told of a file that matches this. The arguments are those of ``act``."""
        return decide(matches, rules).verdict

    def matches_of(self, files: Sequence[Known], findings: Findings) -> list[tuple[Match, ...]]:
        """Which entries files of which the findings are known do match, as ``best_of`` has it.

        Raises:
            StorageError: The database fails.
        """
        if findings.nothing:
            return [()] * len(files)
        hits = iter(findings.hits)
        with self._database.reading() as connection:
            return [
                _matches_of_file(connection, file, list(islice(hits, _asked_for(file))), findings)
                for file in files
            ]

    @property
    def live_lists(self) -> int:
        """How many lists files are judged by."""
        return len(self._lists.rules)

    def refresh(self) -> None:
        """Take up what has changed in the lists. Takes one select if nothing has.

        Raises:
            StorageError: The database does not answer, or the index cannot be brought forward;
                what was known stays so.
        """
        with self._database.reading() as connection:
            newest = newest_change(connection)
        if self._is_current(newest):
            return
        with self._refreshing:
            # Another thread may have taken it up while this one waited.
            if not self._is_current(newest):
                catch_up(self._database, self._index)
                self._take_up(newest)

    def begin(self) -> None:
        """Take up the lists as ``refresh`` does, but without waiting for a damaged index.

        What of it is sound answers, until ``refresh`` has built it anew.

        Raises:
            StorageError: As ``refresh``.
        """
        if self._index.is_whole:
            self.refresh()
        else:
            self._take_up(None)

    def _is_current(self, newest: Mark) -> bool:
        return (
            newest == self._lists.seen
            and self._index.is_whole
            and self._index.revision >= newest[0]
        )

    def _take_up(self, seen: Mark | None) -> None:
        with self._database.reading() as connection:
            rules: dict[int, Rules] = {
                number: rules_for(self._policy, hash_list.name)
                for number, hash_list in live_lists(connection).items()
            }
        radius = max((rule.max_distance for rule in rules.values()), default=0)
        self._lists = _Lists(
            seen=seen,
            rules=rules,
            radius=radius,
            gate=min((rule.min_quality for rule in rules.values()), default=0),
            look_up_seconds=_look_up_seconds(self._index, radius),
        )

    def _due_at(self) -> datetime | None:
        hours = self._due_hours
        return None if hours is None else self._clock() + timedelta(hours=hours)


def _opening(
    submission: Submission,
    matches: Sequence[Match],
    failed: tuple[Failure, OnUnreadable] | None,
    due_at: datetime | None,
) -> Opening:
    fingerprints = submission.known.fingerprints
    return Opening(
        Item(
            submission.name,
            submission.origin,
            fingerprints,
            _kind_of(submission.known),
            submission.reference,
            failed[0].cause if failed else None,
            failed[0].place if failed else "",
        ),
        matches,
        submission.request,
        submission.content,
        submission.actor,
        submission.subject,
        joins=submission.joins,
        beside=submission.beside,
        facts=submission.facts,
        due_at=due_at,
    )


def _sources(submission: Submission, opening: Opening) -> Iterator[Opening]:
    """The addresses that led to what a case is opened for, to be in the same case."""
    for number, source in enumerate(submission.sources):
        request = submission.request
        yield replace(
            opening,
            item=Item(
                "",
                submission.origin,
                fingerprints_of(source),
                ItemKind.URL,
                submission.reference,
            ),
            matches=(),
            # Behind the item's own, by which they are added in turn.
            request=request and f"{request[:_OF_REQUEST]}~{number}",
            content=content_of(source),
            # Those of one subject are together anyway.
            into=opening.case if opening.subject is None else None,
            joins=None,
            beside=None,
            is_source=True,
            case=new_case_id(),
            evidence=new_item_id(),
        )


def _cut_short(known: Known) -> str:
    return next((each.place for each in known.failures if each.cause is Unreadable.CUT_SHORT), "")


def _kind_of(known: Known) -> ItemKind:
    if known.words is not None:
        return known.words
    return ItemKind.VIDEO if known.is_video else kind_of(known.fingerprints)


@dataclass(frozen=True, slots=True)
class _Lists:
    """The lists as they were taken up, whole: replaced in one step and never changed.

    Attributes:
        seen: The change up to which they were taken up.
        rules: The rules of every live list, by the list's number.
        radius: The greatest distance that is a match with any of them.
        gate: The PDQ quality below which no list compares a picture.
        look_up_seconds: What one look-up took, in seconds of a processor.
    """

    seen: Mark | None = None
    rules: Mapping[int, Rules] = field(default_factory=dict)
    radius: int = 0
    gate: int = 0
    look_up_seconds: float = 0.0


def _look_up_seconds(index: Index, radius: int) -> float:
    query = Query(pdq=os.urandom(Kind.PDQ.width))
    best = math.inf
    for _ in range(_LOOK_UPS_TRIED):
        # The thread's own time: others may be at work.
        begin = time.thread_time()
        index.look_up(query, radius)
        best = min(best, time.thread_time() - begin)
        if best > _QUICK_SECONDS:
            break
    return best


def _query(fingerprints: FingerprintSet, gate: int) -> Query:
    quality = fingerprints.pdq_quality
    return Query(
        md5=fingerprints.md5,
        sha1=fingerprints.sha1,
        sha256=fingerprints.sha256,
        pdq=fingerprints.pdq if quality is None or quality >= gate else None,
    )


def _query_of_part(part: Part, gate: int) -> Query:
    digests, pdq = part.digests, part.pdq
    return Query(
        md5=digests.md5 if digests else None,
        sha1=digests.sha1 if digests else None,
        sha256=digests.sha256 if digests else None,
        pdq=pdq.value if pdq and pdq.quality >= gate else None,
    )


def _query_of_words(listed: Fingerprint) -> Query:
    return Query(**{listed.kind.value: listed.value})


def _asked_for(file: Known) -> int:
    return 1 + len(file.parts) + len(file.listed_as)


def _matches_of_file(
    connection: Connection, file: Known, hits: Sequence[Hits], findings: Findings
) -> tuple[Match, ...]:
    within, listed = hits[1 : 1 + len(file.parts)], hits[1 + len(file.parts) :]
    own = [
        match
        for each in (hits[0], *listed)
        for match in _matches(connection, file.fingerprints.pdq_quality, each, findings.rules)
    ]
    parts = [
        (
            part,
            _matches(connection, part.pdq.quality if part.pdq else None, found, findings.rules),
        )
        # Those that nothing is found of, which are most, say where the files within begin.
        for part, found in zip(file.parts, within, strict=True)
    ]
    for video in videos_among(file.parts):
        found = [within[number] for number in video.numbers]
        matches = matches_of_video(connection, video, found, findings.rules)
        first = video.numbers[0]
        parts[first] = (parts[first][0], (*parts[first][1], *matches))
    return tuple(best_of(own, parts))


def _matches(
    connection: Connection, quality: int | None, hits: Hits, rules: Mapping[int, Rules]
) -> tuple[Match, ...]:
    # A flat picture may hit a hundred thousand entries, of which a few are enough: the nearest
    # of each list and kind. So the entries are read in portions, until each has its nearest.
    if not hits:
        return ()
    wanted = {
        (hash_list, kind)
        for hash_list, kind in hits.pairs()
        if hash_list in rules and kind is not Kind.VPDQ
    }
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
