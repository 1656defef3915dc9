"""The authority fails just when and how it was told to, and otherwise never."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.conftest import TurnedClock
from tutela.testing.authority.faults import next_fault
from tutela.testing.authority.model import Call, Code, Fault, Spoiling
from tutela.testing.authority.registry import Registry


@pytest.fixture
def registry(tmp_path: Path, clock: TurnedClock):
    with Registry(tmp_path, clock) as opened:
        yield opened


def failing(registry: Registry, calls: int, call: Call = Call.SUBMIT) -> list[int]:
    """Which of so many calls fail, counted from 1."""
    return [number for number in range(1, calls + 1) if next_fault(registry, call)]


def test_nothing_fails_unasked(registry) -> None:
    assert failing(registry, 10) == []


def test_the_next_call_fails_once(registry) -> None:
    registry.order_fault(Fault(spoiling=Spoiling.DROP))
    assert failing(registry, 5) == [1]


def test_the_nth_call_fails_and_as_many_after_it_as_told(registry) -> None:
    registry.order_fault(Fault(spoiling=Spoiling.DROP, nth=3, times=2))
    assert failing(registry, 9) == [3, 4]


def test_every_call_fails_until_it_is_lifted(registry) -> None:
    registry.order_fault(Fault(spoiling=Spoiling.DROP, times=None))
    assert failing(registry, 3) == [1, 2, 3]
    registry.lift_faults()
    assert failing(registry, 3) == []


def test_only_calls_of_its_kind_count_and_fail(registry) -> None:
    registry.order_fault(Fault(spoiling=Spoiling.DROP, call=Call.FINISH, nth=2))
    assert failing(registry, 5, Call.UPLOAD) == []
    assert failing(registry, 5, Call.FINISH) == [2]


def test_chance_fails_about_so_many_and_the_same_each_time(tmp_path: Path, clock) -> None:
    fault = Fault(spoiling=Spoiling.DROP, times=None, chance=0.2, seed=7)
    found = []
    for name in "ab":
        with Registry(tmp_path / name, clock) as registry:
            registry.order_fault(fault)
            found.append(failing(registry, 300))
    assert found[0] == found[1]
    assert 30 < len(found[0]) < 90


def test_the_one_ordered_first_has_the_first_say(registry) -> None:
    registry.order_fault(Fault(spoiling=Spoiling.DROP, nth=2))
    registry.order_fault(Fault(spoiling=Spoiling.CODE, code=Code.SAVE_FAILED, times=2))
    found = [
        fault.spoiling if (fault := next_fault(registry, Call.SUBMIT)) else None for _ in "1234"
    ]
    assert found == [Spoiling.CODE, Spoiling.DROP, Spoiling.CODE, None]
    assert [(seen, done) for _, _, seen, done in registry.faults()] == [(4, 1), (4, 2)]


def test_a_fault_goes_on_after_a_restart(tmp_path: Path, clock) -> None:
    with Registry(tmp_path, clock) as registry:
        registry.order_fault(Fault(spoiling=Spoiling.DROP, nth=3))
        assert failing(registry, 2) == []
    with Registry(tmp_path, clock) as registry:
        assert failing(registry, 2) == [1]


def test_an_order_that_makes_no_sense_is_refused() -> None:
    for given in ({"nth": 0}, {"times": 0}, {"chance": 2}, {"seconds": -1}, {"code": 77}, {"x": 1}):
        with pytest.raises(ValidationError):
            Fault.model_validate({"spoiling": "drop"} | given)
