"""``tutela watch``: watch one stream, or a file as if it were one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import typer

from tutela.accounts.permissions import Permission
from tutela.cases.joining import check_key
from tutela.cli.acting import needs
from tutela.cli.opening import (
    DataFolder,
    JsonLines,
    local_actor,
    open_house,
    prepare_vault,
    see_seal,
    warn_of_absent_lists,
)
from tutela.cli.output import print_json, print_line, to_people
from tutela.cli.stopping import asked_to_stop
from tutela.sandbox.model import Sampling
from tutela.screening.opening import open_screening
from tutela.storage.clock import system_clock
from tutela.storage.repeating import Repeating
from tutela.streams.judging import About, Judge, Judged
from tutela.streams.model import Source, Standing, State, source_of
from tutela.streams.opening import allowed_by, watching_pool
from tutela.streams.watching import Plan, Watching

_CLEAR, _MATCH, _ERROR = 0, 1, 2
_FOLLOW_SECONDS = 1.0
_SHOWN_SECONDS = 1.0


@needs(Permission.SCREEN)
def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="rtmp://, rtmps://, http:// or https:// (HLS, or a video as it is made), "
            "srt:// or tcp:// (MPEG-TS), or a file.",
        ),
    ],
    every: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            metavar="SECONDS",
            help="Of so many seconds one key frame is looked at, and one between key frames. "
            "Default: streams.every_seconds.",
            show_default=False,
        ),
    ] = None,
    sampling: Annotated[
        Sampling,
        typer.Option(
            help="seconds decodes every frame; key_frames is many times quicker, and whoever "
            "encodes the stream chooses those."
        ),
    ] = Sampling.SECONDS,
    subject: Annotated[
        str | None,
        typer.Option(help="Whom it is about, as the platform calls them.", show_default=False),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="What the platform calls the stream.", show_default=False)
    ] = None,
    give_up: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", help="For how long a source that is lost is tried again."
        ),
    ] = 30.0,
    seconds: Annotated[
        float | None,
        typer.Option("--for", min=0, metavar="SECONDS", help="Stop after so long."),
    ] = None,
    json: JsonLines = False,
    data: DataFolder = None,
) -> int:
    """Watch one stream until it is over, or Ctrl-C. No picture is ever shown.

    Each match is printed at once, and opens a case. What does not match leaves nothing behind.
    Exit codes are clamscan's: 0 nothing found, 1 something found, 2 it could not be watched.
    """
    found = source_of(source, files=True)
    with open_house(data) as (settings, database):
        see_seal(settings)
        prepare_vault(settings, database)
        # Whoever names a source here may have it watched; what it leads to has to be allowed.
        allowed = allowed_by(settings)
        is_file = found.scheme == "file"
        if not is_file:
            allowed = allowed.and_host_of(found)
        with (
            open_screening(settings, database, system_clock) as room,
            watching_pool(settings) as cells,
        ):
            room.screener.refresh()
            warn_of_absent_lists(settings, database)
            about = About(
                found.shown,
                "watch",
                local_actor(),
                None if subject is None else check_key(subject),
                None if reference is None else check_key(reference),
                is_live=not is_file,
            )
            again = timedelta(minutes=settings.streams.again_minutes)
            watching = Watching(
                found,
                allowed,
                cells,
                Judge(room.screener, about, system_clock, again=again),
                Plan(
                    sampling, every or settings.streams.every_seconds, 0.0 if is_file else give_up
                ),
                system_clock,
                tell=lambda judged: _tell(judged, json=json),
            )
            with (
                Repeating("lists", room.screener.refresh, _FOLLOW_SECONDS, lambda *_: None),
                asked_to_stop(watching.stop),
                _stopped_after(seconds, watching),
                _shown(watching),
            ):
                standing = watching.run()
    _sum_up(found, standing, json=json)
    if standing.matches:
        return _MATCH
    return _CLEAR if standing.frames and standing.reason is None else _ERROR


@contextmanager
def _stopped_after(seconds: float | None, watching: Watching) -> Iterator[None]:
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, watching.stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _shown(watching: Watching) -> Iterator[None]:
    """On a terminal, say all the time how the stream stands; else say when that changes."""
    if to_people.is_terminal:
        with (
            to_people.status("starting") as status,
            Repeating(
                "showing",
                lambda: status.update(_words(watching.standing)),
                _SHOWN_SECONDS,
                lambda *_: None,
            ),
        ):
            yield
        return
    said: list[tuple[State, str | None]] = []

    def say() -> None:
        now = (watching.standing.state, watching.standing.reason)
        if said[-1:] != [now] and now[0] in (State.LAGGING, State.LOST):
            to_people.print(_words(watching.standing), markup=False, soft_wrap=True)
        said[:] = [now]

    with Repeating("showing", say, _SHOWN_SECONDS, lambda *_: None):
        yield


def _words(standing: Standing) -> str:
    words = f"{standing.state}: {standing.frames:,} frames"
    if standing.dropped:
        words += f", {standing.dropped:,} dropped"
    if standing.skipped:
        words += f", {standing.skipped:,.0f} s left out"
    if standing.by_key_frames >= 1:
        words += f", key frames alone for {standing.by_key_frames:,.0f} s"
    if standing.every_frame:
        words += ", every frame is decoded, since it has no key frames"
    if standing.lag >= _SHOWN_SECONDS:
        words += f", {standing.lag:.0f} s late"
    reason = standing.reason and ": ".join(filter(None, (standing.reason, standing.detail)))
    return f"{words} ({reason})" if reason else words


def _tell(judged: Judged, *, json: bool) -> None:
    if json:
        print_json(
            {
                "at": judged.at.isoformat(),
                "place": judged.place,
                "verdict": judged.verdict,
                "case": judged.case,
                "matches": [each.as_fields() for each in judged.matches],
                "seconds": round(judged.waited, 3),
            }
        )
        return
    lists = ", ".join(
        f"{each.list_name} by {each.kind} at distance {each.distance}" for each in judged.matches
    )
    print_line(f"{judged.place}: {judged.verdict} ({lists}) case {judged.case}")


def _sum_up(source: Source, standing: Standing, *, json: bool) -> None:
    if json:
        print_json(
            {
                "source": source.shown,
                "state": State.STOPPED if not standing.state.is_over else standing.state,
                "reason": standing.reason,
                "detail": standing.detail or None,
                "frames": standing.frames,
                "dropped": standing.dropped,
                "skipped_seconds": round(standing.skipped, 3),
                "matches": standing.matches,
                "every_frame": standing.every_frame,
            }
        )
        return
    to_people.print(_words(standing), markup=False, soft_wrap=True)
    if standing.matches:
        to_people.print("See what was found: tutela case ls")
