"""As many streams are decoded whole as there is room for, in turns, and never none of them."""

import pytest

from tutela.streams.model import StreamId
from tutela.streams.turns import TURN_SECONDS, Processors, Turns

STREAMS = [StreamId(number) for number in range(1, 101)]


class Machine:
    """A machine that goes on second by second."""

    def __init__(self, idle: float | None) -> None:
        self.idle = idle
        self.seconds = 0.0
        self.turns = Turns(lambda: self.idle, lambda: self.seconds)

    def go_on(self, seconds: int, wanting=STREAMS, overburdened=()) -> list[frozenset[StreamId]]:
        chosen = []
        for _ in range(seconds):
            chosen.append(frozenset(self.turns.choose(wanting, overburdened)))
            self.seconds += 1
        return chosen


def test_where_there_is_room_all_streams_are_decoded_whole() -> None:
    assert Machine(idle=0.9).go_on(60)[-1] == set(STREAMS)


def test_however_busy_the_machine_is_each_stream_has_its_turn() -> None:
    chosen = Machine(idle=0.0).go_on(int(50 * TURN_SECONDS) + 60)
    assert {len(each) for each in chosen[60:]} == {2}
    assert frozenset().union(*chosen[40:]) == set(STREAMS)


def test_a_machine_that_gets_busy_is_given_less_and_what_has_room_is_left_as_it_is() -> None:
    machine = Machine(idle=0.9)
    most = len(machine.go_on(10)[-1])
    machine.idle = 0.2
    assert {len(each) for each in machine.go_on(5)} == {most}
    machine.idle = 0.05
    assert len(machine.go_on(3)[-1]) < most


def test_a_stream_of_which_frames_are_dropped_rests_and_there_is_room_for_fewer() -> None:
    machine = Machine(idle=None)
    before = machine.go_on(10)[-1]
    dropping = min(before)
    after = machine.go_on(1, overburdened=[dropping])[-1]
    assert dropping not in after
    assert len(after) < len(before)
    alone = [dropping]
    assert machine.go_on(int(TURN_SECONDS) - 1, alone)[-1] == frozenset()
    assert machine.go_on(2, alone)[-1] == {dropping}


def test_a_stream_keeps_its_turn_for_its_length() -> None:
    chosen = Machine(idle=0.0).go_on(100)
    turns = [sum(stream in each for each in chosen[30:70]) for stream in STREAMS]
    assert max(turns) == TURN_SECONDS


@pytest.mark.parametrize("stat", ["", "cpu one two\n", "cpu  1 2\n"])
def test_what_linux_does_not_say_is_not_known(tmp_path, stat: str) -> None:
    (tmp_path / "stat").write_text(stat)
    processors = Processors(tmp_path / "stat")
    assert (processors.idle(), processors.idle()) == (None, None)


def test_idle_is_the_part_of_the_time_since_it_was_asked_last(tmp_path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 0 800 100 0 0 0 0 0\n")
    processors = Processors(stat)
    assert processors.idle() is None
    stat.write_text("cpu  130 0 0 860 110 0 0 0 0 0\n")
    assert processors.idle() == 0.7
