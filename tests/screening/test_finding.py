"""A scan finds every file once, in order, and runs in no circles."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tutela.errors import InvalidInputError, NotFoundError
from tutela.screening.finding import check_roots, find_files


def found(*roots: Path) -> list[str]:
    return [file.path for file in find_files([str(root) for root in roots])][::-1]


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b/2", "a", "b/1/x", "c"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    names = ["a", "b/1/x", "b/2", "c"]
    assert found(tmp_path) == [str(tmp_path / name) for name in names]
    assert found(tmp_path / "c", tmp_path / "a") == [str(tmp_path / n) for n in ("c", "a")]


def test_a_link_that_leads_back_is_no_circle(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text("x")
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    assert found(tmp_path) == [str(tmp_path / "a" / "file")]


def test_a_link_to_a_file_is_followed_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("12345")
    (tmp_path / "link").symlink_to("file")
    assert [(Path(f.path).name, f.size) for f in find_files([str(tmp_path)])] == [
        ("link", 5),
        ("file", 5),
    ]


def test_what_cannot_be_looked_at_is_found_too_so_that_it_is_reported(tmp_path: Path) -> None:
    (tmp_path / "dead").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert found(tmp_path) == [str(tmp_path / "dead"), str(tmp_path / "pipe")]


def test_a_very_deep_folder_is_no_trouble(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    try:
        assert found(tmp_path) == []
    finally:
        # Deeper than pytest's own clearing away can go.
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


IN_ITS_OWN_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount"]


@pytest.mark.skipif(
    subprocess.run([*IN_ITS_OWN_MOUNTS, "true"], check=False, capture_output=True).returncode != 0,
    reason="nothing can be mounted here",
)
def test_what_the_kernel_makes_up_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "file").write_text("x")
    program = (
        "from tutela.screening.finding import find_files\n"
        f"print([file.path for file in find_files([{str(tmp_path)!r}])])"
    )
    mount = 'mount --rbind /proc "$1/proc" && test -e "$1/proc/self" && exec "$2" -c "$3"'
    done = subprocess.run(
        [*IN_ITS_OWN_MOUNTS, "sh", "-c", mount, "sh", tmp_path, sys.executable, program],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str([str(tmp_path / "file")])


def test_what_the_kernel_makes_up_is_found_if_asked_for() -> None:
    assert "/proc/self/net/dev" in found(Path("/proc/self/net"))


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="absent does not exist"):
        check_roots([str(tmp_path / "absent")])
    (tmp_path / "dead").symlink_to("nowhere")
    with pytest.raises(NotFoundError, match="is a link to a file that is not there"):
        check_roots([str(tmp_path / "dead")])
    with pytest.raises(InvalidInputError, match="say what to scan"):
        check_roots([])
