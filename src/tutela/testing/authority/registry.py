"""What the authority remembers: its SQLite file, and the rules of a report's life.

Everything runs in the server's one thread, and each act is one transaction: two calls never see
each other half done.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from tutela.testing.authority.forms import Arrived
from tutela.testing.authority.model import (
    Call,
    Code,
    Fault,
    File,
    Made,
    Refused,
    Report,
    Spoiling,
    State,
)
from tutela.testing.authority.tables import TABLES

FILE = "authority.db"

# An unfinished report is deleted 24 hours after it was opened or 1 hour after its last change,
# whichever is later. The wording is second-hand.
_LIFE = 24 * 3600.0
_SILENCE = 3600.0


class Registry:
    """All reports, files, calls and faults, in a file that survives the process.

    Args:
        folder: Where the file is; made if need be.
        clock: Gives the time, to which what the clock was turned forward is added.

    Raises:
        sqlite3.OperationalError: Another server has it open, or it cannot be written.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        # What a power cut takes of a sandbox is no loss; being killed takes nothing.
        self._database = sqlite3.connect(
            folder / FILE, timeout=1, isolation_level=None, check_same_thread=False
        )
        self._database.executescript(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
        )
        with self._one_act():
            for statement in TABLES.split(";"):
                self._database.execute(statement)
        self._forward: float = self._database.execute("SELECT forward FROM clock").fetchone()[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, so that another may open it."""
        self._database.close()

    # The real interface's acts

    def open_report(self, user: str, document: str) -> int:
        """Open a report; gives its number."""
        now = self._now()
        with self._one_act():
            added = self._database.execute(
                "INSERT INTO reports (state, user, document, opened_at, changed_at)"
                " VALUES (?, ?, ?, ?, ?) RETURNING number",
                (State.OPEN, user, document, now, now),
            ).fetchone()
        number: int = added[0]
        return number

    def add_file(self, report: int, arrived: Arrived) -> str:
        """Add a file to an open report; gives its id.

        Raises:
            Refused: The report is not open.
        """
        self._check_open(report)
        name = secrets.token_hex(16)
        with self._one_act():
            self._database.execute(
                "INSERT INTO files (id, report, name, size, md5, sha256, uploaded_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    report,
                    arrived.name,
                    arrived.size,
                    arrived.md5,
                    arrived.sha256,
                    self._now(),
                ),
            )
            self._touch(report)
        return name

    def describe_file(self, report: int, file: str, details: str) -> None:
        """Keep a file's details.

        Raises:
            Refused: The report is not open, or has no such file.
        """
        self._check_open(report)
        with self._one_act():
            changed = self._database.execute(
                "UPDATE files SET details = ?, times_detailed = times_detailed + 1"
                " WHERE id = ? AND report = ?",
                (details, file, report),
            )
            if changed.rowcount == 0:
                raise Refused(Code.NO_SUCH_FILE, f"Report {report} has no file {file}", report)
            self._touch(report)

    def finish(self, report: int) -> list[str]:
        """Finish a report; gives the ids of its files.

        Raises:
            Refused: It is not open.
        """
        self._end(report, State.FINISHED)
        found = self._database.execute(
            "SELECT id FROM files WHERE report = ? ORDER BY position", (report,)
        )
        return [row[0] for row in found]

    def retract(self, report: int) -> None:
        """Take a report back.

        Raises:
            Refused: It is not open.
        """
        self._end(report, State.RETRACTED)

    # What is remembered, for the control interface and the page

    def reports(self, newest: int | None = None) -> list[Report]:
        """All reports, or the newest so many, in the order in which they were opened."""
        self._expire()
        rows = self._database.execute(
            "SELECT * FROM (SELECT number, state, user, document, opened_at, changed_at, ended_at"
            " FROM reports ORDER BY number DESC LIMIT ?) ORDER BY number",
            (-1 if newest is None else newest,),
        ).fetchall()
        files = self._files(rows[0][0]) if rows else {}
        return [_report(row, files.get(row[0], ())) for row in rows]

    def report(self, number: int) -> Report | None:
        """One report; ``None`` if there is none."""
        self._expire()
        row = self._database.execute(
            "SELECT number, state, user, document, opened_at, changed_at, ended_at"
            " FROM reports WHERE number = ?",
            (number,),
        ).fetchone()
        return _report(row, self._files(number, number).get(number, ())) if row else None

    def counts(self) -> dict[str, int]:
        """How many reports there are in each state."""
        self._expire()
        found = self._database.execute("SELECT state, count(*) FROM reports GROUP BY state")
        return dict.fromkeys(map(str, State), 0) | dict(found.fetchall())

    def calls(self) -> list[Made]:
        """All calls, in their order."""
        found = self._database.execute(
            "SELECT at, call, user, report, code, spoiling, took_effect FROM calls"
            " ORDER BY position"
        )
        return [
            Made(
                at=_time(at),
                call=Call(call),
                user=user,
                report=report,
                code=code,
                spoiling=Spoiling(spoiling) if spoiling else None,
                took_effect=bool(took_effect),
            )
            for at, call, user, report, code, spoiling, took_effect in found
        ]

    def call_counts(self) -> dict[str, int]:
        """How many calls of each kind there were."""
        found = self._database.execute("SELECT call, count(*) FROM calls GROUP BY call")
        return dict.fromkeys(map(str, Call), 0) | dict(found.fetchall())

    def note_call(
        self,
        call: Call,
        user: str | None,
        report: int | None,
        code: Code | None,
        *,
        spoiling: Spoiling | None,
        took_effect: bool,
    ) -> None:
        """Remember a call."""
        self._database.execute(
            "INSERT INTO calls (at, call, user, report, code, spoiling, took_effect)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._now(), call, user, report, code, spoiling, took_effect),
        )

    def forget_all(self) -> None:
        """Forget reports, files, calls and faults. No number is given out again."""
        with self._one_act():
            for table in ("files", "reports", "calls", "faults"):
                self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - ours

    # Its clock

    def now(self) -> datetime:
        """What the authority takes for the time."""
        return _time(self._now())

    def turn_clock(self, seconds: float) -> None:
        """Let so much time go by."""
        self._forward += seconds
        self._database.execute("UPDATE clock SET forward = ?", (self._forward,))

    # Faults

    def order_fault(self, fault: Fault) -> None:
        """From now on, fail as told."""
        self._database.execute("INSERT INTO faults (fault) VALUES (?)", (fault.model_dump_json(),))

    def faults(self) -> list[tuple[int, Fault, int, int]]:
        """What was ordered: its number, the order, how many calls it has seen, how many failed."""
        found = self._database.execute(
            "SELECT position, fault, seen, done FROM faults ORDER BY position"
        )
        return [
            (position, Fault.model_validate_json(text), seen, done)
            for position, text, seen, done in found
        ]

    def count_fault(self, position: int, *, seen: int, done: int) -> None:
        """Keep how many calls a fault has seen, and how many of them failed."""
        self._database.execute(
            "UPDATE faults SET seen = ?, done = ? WHERE position = ?", (seen, done, position)
        )

    def lift_faults(self) -> None:
        """Fail no more."""
        self._database.execute("DELETE FROM faults")

    # Detail

    def _check_open(self, number: int) -> None:
        found = self._database.execute(
            "SELECT state, opened_at, changed_at FROM reports WHERE number = ?", (number,)
        ).fetchone()
        if found:
            state, opened_at, changed_at = found
            if state == State.FINISHED:
                raise Refused(Code.ALREADY_FINISHED, f"Report {number} is finished", number)
            if state == State.RETRACTED:
                raise Refused(Code.ALREADY_RETRACTED, f"Report {number} is retracted", number)
            if state == State.OPEN and self._now() < max(opened_at + _LIFE, changed_at + _SILENCE):
                return
        raise Refused(Code.NO_SUCH_REPORT, f"There is no report {number}")

    def _end(self, number: int, state: State) -> None:
        self._check_open(number)
        self._database.execute(
            "UPDATE reports SET state = ?, ended_at = ? WHERE number = ?",
            (state, self._now(), number),
        )

    def _touch(self, number: int) -> None:
        self._database.execute(
            "UPDATE reports SET changed_at = ? WHERE number = ?", (self._now(), number)
        )

    def _expire(self) -> None:
        self._database.execute(
            "UPDATE reports SET state = 'expired', ended_at = max(opened_at + ?, changed_at + ?)"
            " WHERE state = 'open' AND max(opened_at + ?, changed_at + ?) <= ?",
            (_LIFE, _SILENCE, _LIFE, _SILENCE, self._now()),
        )

    def _files(self, first: int, last: int = 2**62) -> dict[int, tuple[File, ...]]:
        found: dict[int, list[File]] = {}
        for report, *row in self._database.execute(
            "SELECT report, id, name, size, md5, sha256, uploaded_at, details, times_detailed"
            " FROM files WHERE report BETWEEN ? AND ? ORDER BY position",
            (first, last),
        ):
            found.setdefault(report, []).append(
                File(
                    id=row[0],
                    name=row[1],
                    size=row[2],
                    md5=row[3],
                    sha256=row[4],
                    uploaded_at=_time(row[5]),
                    details=row[6],
                    times_detailed=row[7],
                )
            )
        return {report: tuple(files) for report, files in found.items()}

    def _now(self) -> float:
        return self._clock().timestamp() + self._forward

    @contextmanager
    def _one_act(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def _report(
    row: tuple[int, str, str, str, float, float, float | None], files: tuple[File, ...]
) -> Report:
    number, state, user, document, opened_at, changed_at, ended_at = row
    return Report(
        number=number,
        state=State(state),
        user=user,
        document=document,
        opened_at=_time(opened_at),
        changed_at=_time(changed_at),
        ended_at=None if ended_at is None else _time(ended_at),
        files=files,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
