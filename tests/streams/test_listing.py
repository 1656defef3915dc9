"""Who may not see lists is not told that one which lets files pass has matched."""

from dataclasses import replace

from sqlalchemy import insert, update

from tests.actors import actor_called
from tests.hashlists.filling import new_list
from tutela.storage.database import Database
from tutela.storage.settings import OnMatch, Policy, Settings, Streams
from tutela.streams.beginning import begin_stream, stop_stream
from tutela.streams.listing import find_stream, without_passed
from tutela.streams.tables import stream_matches, streams

ACTOR = actor_called("key:platform")


def test_a_stream_that_only_a_passing_list_matches_is_told_of_as_one_that_matched_nothing(
    settings: Settings, database: Database, clock
) -> None:
    settings = settings.model_copy(update={"streams": Streams(sources=("127.0.0.1",))})
    known = new_list(database, clock)
    with database.writing() as connection:
        begun = begin_stream(
            connection, settings, ACTOR, clock, source="rtmp://127.0.0.1/live", reference="7"
        )
        connection.execute(
            insert(stream_matches).values(
                stream_id=begun.id, list_id=known.id, entry_id=1, told_at=clock()
            )
        )
        connection.execute(update(streams).values(case_id="7K3M-9QPD-2X4H", matches=1))
        found = find_stream(connection, begun.id)
        passing, blocking = (Policy(on_match=each) for each in (OnMatch.PASS, OnMatch.BLOCK))
        assert without_passed(connection, [found], blocking) == [found]
        assert without_passed(connection, [found], passing) == [begun]
        over = stop_stream(connection, begun.id, ACTOR, clock)
        assert (over.reference, over.case) == ("7", "7K3M-9QPD-2X4H")
        nothing = replace(over.standing, matches=0)
        assert without_passed(connection, [over], passing) == [
            replace(over, case=None, shown=None, subject=None, reference=None, standing=nothing)
        ]
