"""An authority's words go with the evidence of the case that they are of, and not before."""

from sqlalchemy import update

from tests.reporting.following.answered import came, case_of, sent
from tests.reporting.world import World
from tutela.evidence.tables import evidence_items
from tutela.reporting.following.finding import find_all_feedback
from tutela.reporting.following.forgetting import forgetting
from tutela.reporting.following.model import FeedbackKind
from tutela.storage.jobs.model import Job


def have_words(world: World) -> list[bool]:
    with world.database.reading() as connection:
        return [each.has_words for each in find_all_feedback(connection)]


def forget(world: World) -> None:
    job: Job = None  # type: ignore[assignment]
    forgetting(world.database).run(job)


def test_words_go_with_the_last_piece_of_evidence(world: World) -> None:
    report = sent(world)
    sent(world, "99", content=b"a lake")
    came(world, FeedbackKind.OTHER)
    came(world, FeedbackKind.OTHER, "msg_2", named="99")
    forget(world)
    assert have_words(world) == [True, True]
    with world.database.writing() as connection:
        mine = evidence_items.c.case_id == case_of(world, report)
        connection.execute(update(evidence_items).where(mine).values(state="destroyed"))
    forget(world)
    assert have_words(world) == [True, False]
