"""What is done again and again goes on after failures, tells of them once, and can be hurried."""

import threading
import time
from collections.abc import Callable

import pytest

from tests.waiting import comes_true
from tutela.errors import StorageError
from tutela.storage.repeating import Repeating

_NEVER = 3600.0


class Told:
    """What was told of failures."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, Exception]] = []

    def __call__(self, what: str, failure: Exception) -> None:
        self.failures.append((what, failure))


@pytest.fixture
def told() -> Told:
    return Told()


class Task:
    """Counts how often it was done, and fails when told to."""

    def __init__(self) -> None:
        self.times = 0
        self.failure: Exception | None = None

    def __call__(self) -> None:
        self.times += 1
        if self.failure is not None:
            raise self.failure


def repeated(task: Callable[[], None], told: Told, seconds: float = 0.001) -> Repeating:
    return Repeating("testing", task, seconds, told)


def test_it_is_done_again_and_again_until_it_is_stopped(told: Told) -> None:
    task = Task()
    with repeated(task, told):
        assert comes_true(lambda: task.times > 10)
    times = task.times
    time.sleep(0.05)
    assert task.times == times
    assert told.failures == []


def test_a_failure_is_told_once_and_it_is_tried_again_until_it_works(told: Told) -> None:
    task = Task()
    task.failure = StorageError("the disk is full")
    with repeated(task, told) as repeating:
        assert comes_true(lambda: task.times > 10)
        assert told.failures == [("testing", task.failure)]
        assert repeating.failure is task.failure
        task.failure = None
        assert comes_true(lambda: repeating.failure is None)
        task.failure = ZeroDivisionError()
        assert comes_true(lambda: len(told.failures) == 2)


def test_hurried_it_is_done_now_and_whole_before_the_caller_goes_on(told: Told) -> None:
    task = Task()
    with repeated(task, told, _NEVER) as repeating:
        for times in range(1, 4):
            assert repeating.hurry(30)
            assert task.times == times


def test_what_was_begun_before_it_was_hurried_does_not_count(told: Told) -> None:
    began, go_on = threading.Event(), threading.Event()
    times = []

    def task() -> None:
        times.append(1)
        began.set()
        go_on.wait(30)

    with repeated(task, told, _NEVER) as repeating:
        first = threading.Thread(target=repeating.hurry, args=(30,))
        first.start()
        assert began.wait(30)
        assert not repeating.hurry(0.01)
        go_on.set()
        assert repeating.hurry(30)
        assert len(times) >= 2
        first.join()


def test_whoever_hurries_it_is_told_that_it_failed(told: Told) -> None:
    task = Task()
    task.failure = StorageError("the disk is full")
    with repeated(task, told, _NEVER) as repeating:
        assert not repeating.hurry(30)


def test_whoever_waits_for_it_is_let_go_when_it_is_stopped(told: Told) -> None:
    go_on = threading.Event()
    answers: list[bool] = []
    repeating = repeated(lambda: bool(go_on.wait(30)) and None, told, _NEVER)
    waiting = threading.Thread(target=lambda: answers.append(repeating.hurry(60)))
    with repeating:
        waiting.start()
        time.sleep(0.05)
        threading.Timer(0.05, go_on.set).start()
    waiting.join(30)
    assert not waiting.is_alive()


def test_a_failure_that_cannot_be_told_does_not_end_it() -> None:
    task = Task()
    task.failure = StorageError("the disk is full")

    def mute(what: str, failure: Exception) -> None:
        raise BrokenPipeError

    with Repeating("testing", task, 0.001, mute) as repeating:
        assert comes_true(lambda: task.times > 10)
        assert repeating.failure is task.failure
