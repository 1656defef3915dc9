"""Many who ask have one check done."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.waiting import comes_true
from tutela.api.shared_check import SharedCheck
from tutela.errors import StorageError


def is_well(check: SharedCheck) -> bool:
    try:
        return check.ask() == "well"
    except StorageError:
        return False


def test_what_works_is_looked_at_once_for_all() -> None:
    done = []
    check = SharedCheck(lambda: done.append(1) or "well")
    with ThreadPoolExecutor(20) as threads:
        assert set(threads.map(lambda _: check.ask(), range(200))) == {"well"}
    assert len(done) == 1


def test_one_that_hangs_is_begun_once_and_told_of_when_it_ends() -> None:
    end, begun = threading.Event(), []

    def hang() -> str:
        begun.append(1)
        end.wait(30)
        return "well"

    check = SharedCheck(hang)
    for _ in range(5):
        with pytest.raises(StorageError, match="still being asked"):
            check.ask()
    end.set()
    assert comes_true(lambda: is_well(check))
    assert len(begun) == 1


def test_what_fails_is_looked_at_again_soon() -> None:
    failures = iter([StorageError("gone")])

    def fail_once() -> str:
        for failure in failures:
            raise failure
        return "well"

    check = SharedCheck(fail_once)
    with pytest.raises(StorageError, match="gone"):
        check.ask()
    assert comes_true(lambda: is_well(check))
