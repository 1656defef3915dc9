"""Keeping streams watched: each by one process at a time, and by another one when that is gone.

As with jobs, a process holds a stream for a while, and says again and again that it still does.
What it writes of a stream, also a match, is written only as long as it holds it. Of a process that
was killed on this machine its streams are taken at once.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, RowMapping, select, update

from tutela.cases.model import CaseId, Match
from tutela.errors import LeaseLostError, TutelaError
from tutela.sandbox.model import Sampling
from tutela.screening.model import Verdict
from tutela.screening.screening import Screener
from tutela.storage.clock import Clock
from tutela.storage.database import Database, changed_rows, insert_or_ignore
from tutela.storage.kept_secrets import KeptSecrets
from tutela.storage.repeating import Repeating
from tutela.storage.settings import Settings
from tutela.streams.ending import ended_values
from tutela.streams.judging import About, Judge, Told
from tutela.streams.listing import standing_of, thing_of
from tutela.streams.model import Standing, State, StreamId, source_of
from tutela.streams.opening import allowed_by, watching_pool
from tutela.streams.tables import stream_matches, streams
from tutela.streams.turns import Turns
from tutela.streams.watching import Plan, Watching
from tutela.webhooks.model import Event, EventKind
from tutela.webhooks.sending import announce

HELD_SECONDS = 15.0
"""After so long without a word of its holder, a stream is another process's to take."""

MOST_TOLD = 10
"""The platform is told so often at most of one stream, in ``streams.again_minutes``."""

_SAVED_SECONDS = 4.0
_TURNED_SECONDS = 1.0
_ENDING_SECONDS = 5.0


class Keeper:
    """Watches streams from the ``with`` statement's begin to its end, as many as there is room for.

    At the end it gives back what it holds, so that another process has it at once.

    Args:
        settings: The configuration.
        database: The database.
        screener: Judges frames.
        clock: The time, by which processes agree.
        tell: Is told how a stream stands when that changes.
        failed: Is told of what fails.
        hurry: Has what waits to be delivered delivered at once.
        seconds: How often it looks for what is to be done.

    Raises:
        SettingsError: ``streams.sources`` cannot be understood.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        screener: Screener,
        clock: Clock,
        *,
        tell: Callable[[StreamId, Standing], None],
        failed: Callable[[str, Exception], None],
        hurry: Callable[[], None] = lambda: None,
        seconds: float = 1.0,
    ) -> None:
        self._settings = settings
        self._database = database
        self._screener = screener
        self._clock = clock
        self._tell = tell
        self._hurry = hurry
        self._allowed = allowed_by(settings)
        self._secrets = KeptSecrets(settings.keys_folder)
        self._cells = watching_pool(settings)
        self._here = _here()
        self._held: dict[StreamId, _Held] = {}
        self._saved_at = -_SAVED_SECONDS
        self._turns = Turns()
        self._turned_at = -_TURNED_SECONDS
        self._keeping = Repeating("streams", self.keep, seconds, failed)

    @property
    def held(self) -> int:
        """How many streams are watched here."""
        return len(self._held)

    def keep(self) -> None:
        """Take up what waits, let go of what was taken away, and write down how the rest stands.

        Raises:
            StorageError: The database cannot be read or written.
        """
        waiting = self._look()
        self._save()
        if waiting and (room := self._settings.streams.at_once - len(self._held)) > 0:
            for row in self._claim(room):
                self._begin(row)
        self._turn()

    def __enter__(self) -> Self:
        self._keeping.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._keeping.__exit__(kind, error, trace)
        held = list(self._held.values())
        for each in held:
            each.watching.stop()
        deadline = time.monotonic() + _ENDING_SECONDS
        for each in held:
            each.thread.join(max(0.0, deadline - time.monotonic()))
        self._cells.close()
        # Else another process has them once their time is over.
        with suppress(TutelaError):
            self._save(released=True)

    def _look(self) -> bool:
        """Stop what is not ours any more; says whether anything waits to be taken up."""
        now = self._clock()
        with self._database.reading() as connection:
            rows = connection.execute(
                select(streams.c.id, streams.c.hold, streams.c.holder, streams.c.held_until).where(
                    streams.c.ended_at.is_(None)
                )
            ).all()
        ours = {row.id: row.hold for row in rows}
        for number, held in list(self._held.items()):
            if ours.get(number) != held.hold:
                held.watching.stop()
                del self._held[number]
        return any(
            row.held_until is None or row.held_until <= now or self._is_gone(row.holder)
            for row in rows
        )

    def _turn(self) -> None:
        """Have as many streams decoded whole as there is room for, in turns."""
        if time.monotonic() - self._turned_at < _TURNED_SECONDS:
            return
        self._turned_at = time.monotonic()
        overburdened = set()
        for number, held in self._held.items():
            dropped = held.watching.standing.dropped
            if dropped > held.dropped:
                overburdened.add(number)
            held.dropped = dropped
        wanting = {number for number, held in self._held.items() if held.watching.wants_turns}
        whole = self._turns.choose(wanting, overburdened & wanting)
        for number in wanting:
            self._held[number].watching.turn(whole=number in whole)

    def _is_gone(self, holder: str) -> bool:
        """Whether a process of this machine is not there any more, for all that can be seen."""
        here, _, process = holder.rpartition(":")
        return here == self._here and not Path(f"/proc/{process}").exists()

    def _claim(self, room: int) -> list[RowMapping]:
        now = self._clock()
        with self._database.writing() as connection:
            holders = connection.execute(
                select(streams.c.holder).distinct().where(streams.c.holder.is_not(None))
            ).scalars()
            free = (
                streams.c.held_until.is_(None)
                | (streams.c.held_until <= now)
                | streams.c.holder.in_([each for each in holders if self._is_gone(each)])
            )
            chosen = connection.execute(
                select(streams.c.id)
                .where(streams.c.ended_at.is_(None), free)
                .order_by(streams.c.id)
                .limit(room)
                .with_for_update(skip_locked=True)
            ).scalars()
            taken = connection.execute(
                update(streams)
                .where(streams.c.id.in_(list(chosen)))
                .values(
                    holder=f"{self._here}:{os.getpid()}",
                    held_until=now + timedelta(seconds=HELD_SECONDS),
                    hold=streams.c.hold + 1,
                )
                .returning(*streams.c)
            )
            return list(taken.mappings())

    def _begin(self, row: RowMapping) -> None:
        number, hold = StreamId(row["id"]), int(row["hold"])
        try:
            source = source_of(self._secrets.open(row["source"], thing_of(number)).decode())
        except TutelaError as error:
            ended = replace(standing_of(row), state=State.ENDED, reason=error.message[:300])
            self._write([(number, hold, ended)])
            self._tell(number, ended)
            return
        watching = Watching(
            source,
            self._allowed,
            self._cells,
            self._judge(row),
            Plan(
                Sampling(row["sampling"]),
                row["every_seconds"],
                60.0 * self._settings.streams.give_up_minutes,
            ),
            self._clock,
            tell=lambda _: self._hurry(),
            begin=standing_of(row),
        )
        watching.turn(whole=False)
        thread = threading.Thread(target=watching.run, name=f"stream {number}", daemon=True)
        # First: what is held here and watched by no thread would be nobody's.
        thread.start()
        self._held[number] = _Held(hold, watching, thread, watching.standing.dropped)

    def _judge(self, row: RowMapping) -> Judge:
        number, hold = StreamId(row["id"]), int(row["hold"])
        again = timedelta(minutes=self._settings.streams.again_minutes)
        with self._database.reading() as connection:
            entries = {
                (each.list_id, each.entry_id): each.told_at
                for each in connection.execute(
                    select(stream_matches).where(stream_matches.c.stream_id == number)
                )
            }

        def beside(
            connection: Connection,
            case: CaseId,
            at: datetime,
            matches: tuple[Match, ...],
            verdict: Verdict,
        ) -> None:
            mine = select(streams).where(streams.c.id == number, streams.c.hold == hold)
            now = connection.execute(mine.with_for_update()).mappings().one_or_none()
            if now is None:
                raise LeaseLostError("another process watches the stream")
            _note_match(connection, number, case, matches, self._clock())
            if verdict is Verdict.MATCH and _may_tell(connection, now, again, self._clock()):
                told = {
                    "stream": number,
                    "reference": row["reference"],
                    "subject": row["subject"],
                    "at": at.isoformat(),
                    "held_back": now["held_back"],
                }
                event = Event(EventKind.STREAM_MATCHED, case, told, thing_of(number))
                announce(connection, event, self._clock)

        return Judge(
            self._screener,
            About(
                f"stream {number}",
                thing_of(number),
                subject=row["subject"],
                reference=row["reference"],
            ),
            self._clock,
            again=again,
            told=Told(entries, None if row["case_id"] is None else CaseId(row["case_id"])),
            beside=beside,
        )

    def _save(self, *, released: bool = False) -> None:
        """Write down how streams stand: from time to time, and at once where it changed."""
        due = released or time.monotonic() - self._saved_at >= _SAVED_SECONDS
        # Read once: meanwhile they go on.
        now = {number: held.watching.standing for number, held in self._held.items()}
        changed = {
            number
            for number, standing in now.items()
            if _is_news(standing, self._held[number].written)
        }
        if not now or not (due or changed):
            return
        self._write(
            [(number, self._held[number].hold, standing) for number, standing in now.items()],
            released=released,
        )
        self._saved_at = time.monotonic()
        for number, standing in now.items():
            self._held[number].written = standing
            if number in changed:
                self._tell(number, standing)
            if standing.state.is_over:
                del self._held[number]

    def _write(
        self, found: Iterable[tuple[StreamId, int, Standing]], *, released: bool = False
    ) -> None:
        now = self._clock()
        with self._database.writing() as connection:
            for number, hold, standing in sorted(found, key=lambda each: each[0]):
                mine = update(streams).where(streams.c.id == number, streams.c.hold == hold)
                values: dict[str, Any] = {
                    "state": standing.state,
                    "reason": standing.reason and standing.reason[:300],
                    "frames": standing.frames,
                    "dropped": standing.dropped,
                    "skipped_seconds": standing.skipped,
                    "matches": standing.matches,
                    "lag_seconds": standing.lag,
                    "every_frame": standing.every_frame,
                    "key_frames_seconds": standing.by_key_frames,
                    "seen_at": standing.seen_at,
                    "held_until": now + timedelta(seconds=HELD_SECONDS),
                }
                if standing.state.is_over:
                    case = select(streams.c.case_id).where(streams.c.id == number)
                    has_case = connection.execute(case).scalar_one_or_none() is not None
                    values |= ended_values(standing.state, values["reason"], now, has_case=has_case)
                elif released:
                    values |= {"holder": None, "held_until": None}
                connection.execute(mine.values(values))


def _here() -> str:
    """Names this machine since it was started, and this one of its spaces of process numbers."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{socket.gethostname()[:100]}:{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"


@dataclass(slots=True)
class _Held:
    """A stream that is watched here."""

    hold: int
    watching: Watching
    thread: threading.Thread
    dropped: int = 0
    written: Standing | None = None


def _is_news(now: Standing, written: Standing | None) -> bool:
    return (
        written is None
        or now.state is not written.state
        or now.reason != written.reason
        or now.matches != written.matches
    )


def _may_tell(connection: Connection, stream: RowMapping, again: timedelta, now: datetime) -> bool:
    """Whether the platform is told of one more match of a stream; it is counted if not.

    A source that shows one listed picture after the other would flood its receivers, and all of
    them are in the case.
    """
    since, told = stream["told_since"], stream["told"]
    if since is None or not timedelta() <= now - since < again:
        since, told = now, 0
    may = bool(told < MOST_TOLD)
    values = {
        "told_since": since,
        "told": told + may,
        "held_back": 0 if may else stream["held_back"] + 1,
    }
    connection.execute(update(streams).where(streams.c.id == stream["id"]).values(values))
    return may


def _note_match(
    connection: Connection,
    number: StreamId,
    case: CaseId,
    matches: tuple[Match, ...],
    now: datetime,
) -> None:
    connection.execute(update(streams).where(streams.c.id == number).values(case_id=case))
    for list_id, entry_id in sorted({(each.hash_list, each.entry) for each in matches}):
        values = {"stream_id": number, "list_id": list_id, "entry_id": entry_id}
        again = (
            update(stream_matches)
            .where(*(stream_matches.c[name] == value for name, value in values.items()))
            .values(told_at=now)
        )
        if changed_rows(connection, again) == 0:
            connection.execute(
                insert_or_ignore(connection, stream_matches).values(values | {"told_at": now})
            )
