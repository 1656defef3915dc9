"""A house goes live once somebody has typed that it is meant, and not with rehearsals unasked."""

import pytest

from tests.cases.world import OPERATOR
from tests.reporting.delivery.test_queueing import live
from tests.reporting.posting import Post
from tests.reporting.world import NCMEC, World
from tutela.errors import InvalidInputError, NotPermittedError
from tutela.ledger.searching import entries_counted
from tutela.reporting.delivery.going_live import PHRASE, go_live
from tutela.storage.settings import Settings
from tutela.testing.authority.serving import Authority


def went_live(world: World, settings: Settings, typed: str = PHRASE, **options: bool) -> str | None:
    with world.database.writing() as connection:
        state = go_live(connection, settings, NCMEC, OPERATOR, world.clock, typed=typed, **options)
    return state.live_by


def test_the_phrase_has_to_be_typed_and_the_settings_have_to_say_so(world: World) -> None:
    with pytest.raises(InvalidInputError, match="first set"):
        went_live(world, world.settings)
    with pytest.raises(InvalidInputError, match="nothing was changed"):
        went_live(world, live(world.settings), "yes")
    assert went_live(world, live(world.settings), "These reports are real ") == OPERATOR.actor.id
    with world.database.reading() as connection:
        assert entries_counted(connection) == 1


def test_what_was_only_rehearsed_is_not_taken_for_reported_unasked(
    world: World, authority: Authority
) -> None:
    post = Post.between(world, authority)
    post.report()
    post.work()
    with pytest.raises(NotPermittedError, match="1 reports of this house went to a sandbox"):
        went_live(world, live(world.settings))
    assert went_live(world, live(world.settings), although_rehearsed=True)
