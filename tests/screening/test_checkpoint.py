"""A checkpoint holds the paths still to do, in order, and never more."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutela.errors import NotFoundError
from tutela.screening.checkpoint import Checkpoint, Found, abandon, resume
from tutela.screening.model import Verdict

CLEAR = [Verdict.CLEAR]
FILES = [Found(f"/pictures/{number:05}.jpg", number) for number in range(3000)]


def begin(folder: Path, roots: tuple[str, ...] = ("/pictures",)) -> Checkpoint:
    return Checkpoint.begin(folder, roots, reversed(FILES))


def test_an_interrupted_scan_goes_on_where_it_stopped(tmp_path: Path) -> None:
    checkpoint = begin(tmp_path)
    remaining = checkpoint.remaining()
    checkpoint.done([next(remaining) for _ in range(1234)], CLEAR * 1234)
    checkpoint.close()

    resumed = resume(tmp_path, [])
    assert list(resumed.remaining()) == FILES[1234:]
    assert (resumed.scan.files, resumed.scan.size) == (3000, sum(range(3000)))


def test_what_is_done_is_no_longer_written_down(tmp_path: Path) -> None:
    checkpoint = begin(tmp_path)
    checkpoint.done(FILES[:2999], CLEAR * 2999)
    (file,) = tmp_path.iterdir()
    assert b"/pictures/02998.jpg" not in file.read_bytes()
    assert b"/pictures/02999.jpg" in file.read_bytes()


def test_of_what_is_done_the_counts_are_kept(tmp_path: Path) -> None:
    checkpoint = begin(tmp_path)
    checkpoint.done(FILES[:3], [Verdict.CLEAR, Verdict.MATCH, Verdict.CLEAR])
    checkpoint.done(FILES[3:5], [Verdict.UNREADABLE, Verdict.MATCH])
    checkpoint.close()

    resumed = resume(tmp_path, [])
    assert resumed.scan == checkpoint.scan
    assert resumed.scan.verdicts == {
        Verdict.CLEAR: 2,
        Verdict.MATCH: 2,
        Verdict.UNREADABLE: 1,
    }
    assert resumed.scan.size_done == sum(range(5))


def test_killed_between_counting_and_cutting_no_file_is_counted_twice(tmp_path: Path) -> None:
    checkpoint = begin(tmp_path)
    (file,) = tmp_path.iterdir()
    before = file.read_bytes()
    checkpoint.done(FILES[:16], CLEAR * 16)
    checkpoint.close()
    counted = file.read_bytes()
    file.write_bytes(counted + before[len(counted) :])

    resumed = resume(tmp_path, [])
    assert list(resumed.remaining()) == FILES[16:]
    assert resumed.scan.verdicts[Verdict.CLEAR] == 16


def test_a_scan_that_ended_leaves_nothing(tmp_path: Path) -> None:
    begin(tmp_path).erase()
    assert list(tmp_path.iterdir()) == []


def test_a_running_scan_cannot_be_taken_or_abandoned(tmp_path: Path) -> None:
    running = begin(tmp_path)
    with pytest.raises(NotFoundError):
        resume(tmp_path, [])
    assert abandon(tmp_path, []) == 0
    running.close()
    assert abandon(tmp_path, []) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_scan_is_resumed_by_its_paths(tmp_path: Path) -> None:
    begin(tmp_path, ("/a",)).close()
    begin(tmp_path, ("/b",)).close()
    with pytest.raises(NotFoundError, match="no interrupted scan of these paths"):
        resume(tmp_path, ["/c"])
    assert resume(tmp_path, ["/a"]).scan.roots == ("/a",)


def test_the_paths_found_by_a_scan_that_was_killed_early_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "0123.finding").write_text('["/pictures/1.jpg", 3]\n')
    begin(tmp_path).erase()
    assert list(tmp_path.iterdir()) == []


def _come_and_go(folder: Path, times: int) -> int:
    """Begin, erase, leave, resume and abandon scans; gives how many were left and abandoned."""
    balance = 0
    for turn in range(times):
        checkpoint = Checkpoint.begin(folder, ["/pictures"], FILES[:3])
        assert list(checkpoint.remaining()) == FILES[:3][::-1]
        if turn % 3 == 0:
            checkpoint.close()
            balance += 1
            balance -= abandon(folder, [])
        elif turn % 3 == 1:
            checkpoint.close()
            balance += 1
            try:
                taken = resume(folder, [])
            except NotFoundError:
                continue
            assert list(taken.remaining()) == FILES[:3][::-1]
            taken.erase()
            balance -= 1
        else:
            checkpoint.erase()
    return balance


def test_scans_that_begin_and_end_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=processes) as pool:
        balances = list(pool.map(_come_and_go, [tmp_path] * 4, [150] * 4))
    # Each that was left was taken once.
    assert abandon(tmp_path, []) == sum(balances)
    assert list(tmp_path.iterdir()) == []


names = st.text(st.characters(codec="utf-8"), min_size=1).map(lambda name: "/" + name)
odd_names = st.binary(min_size=1).map(lambda name: name.decode("utf-8", "surrogateescape"))


@given(
    st.lists(st.builds(Found, names | odd_names, st.integers(0, 2**40)), max_size=50),
    st.data(),
)
def test_any_path_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, files: list[Found], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("scans")
    checkpoint = Checkpoint.begin(folder, ["/"], reversed(files))
    cut = data.draw(st.integers(0, len(files)))
    checkpoint.done(files[:cut], CLEAR * cut)
    checkpoint.close()
    assert list(resume(folder, []).remaining()) == files[cut:]
