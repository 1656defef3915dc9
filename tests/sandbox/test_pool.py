"""A bad file costs itself alone."""

import base64
import errno
import io
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.drawing import landscape
from tests.sandbox.looking import heard
from tests.sandbox.taking_over import let_files_take_over, picture_that_does
from tests.waiting import comes_true
from tutela.errors import OverCapacityError, TutelaError
from tutela.fingerprints.digests import digests_of
from tutela.fingerprints.model import FileFingerprints, Part, Picture, PictureState, Unreadable
from tutela.fingerprints.pdq import dihedrals_of, pdq_of
from tutela.kernel.library import VARIABLE, Variant, variants
from tutela.sandbox.decoding import Room, prepare
from tutela.sandbox.formats import HEAD_BYTES, recognise
from tutela.sandbox.model import Keeping, Limits
from tutela.sandbox.pictures import look
from tutela.sandbox.pool import CellPool

MEBIBYTE = 1 << 20
# By its line to the house, for this file and for the next one.
_ANSWERING = """
import os, socket
for each in range(3, 32):
    try:
        line = socket.socket(fileno=os.dup(each))
    except OSError:
        continue
    line.send(b'{"state": "none", "reason": null, "unreadable": null, "hashes": []}')
    line.send(b'{"errno": 5}')
"""


@pytest.fixture(scope="module")
def cells() -> Iterator[CellPool]:
    with CellPool(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file that takes most of a second and 500 MiB to decode."""
    path = tmp_path_factory.mktemp("heavy") / "plain.png"
    Image.new("RGB", (9_900, 9_900), (20, 90, 160)).save(path)
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def drawn(path: Path, seed: int = 1) -> Path:
    landscape(seed=seed).save(path, "PNG")
    return path


def fingerprinted(
    cells: CellPool, path: Path, *, suffix: str | None = None, dihedrals: bool = False
) -> FileFingerprints:
    with path.open("rb") as file:
        return cells.fingerprint(
            file, suffix=path.suffix if suffix is None else suffix, dihedrals=dihedrals
        )


def resident_bytes(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_picture_has_the_fingerprints_of_its_bytes_and_pixels(
    cells: CellPool, tmp_path: Path
) -> None:
    path = drawn(tmp_path / "hills.png")
    found = fingerprinted(cells, path)
    assert found.digests == digests_of(path.read_bytes())
    assert found.picture == Picture(PictureState.DECODED, pdq_of(np.asarray(landscape())))


def test_the_dihedrals_come_if_asked_for(cells: CellPool, tmp_path: Path) -> None:
    found = fingerprinted(cells, drawn(tmp_path / "hills.png"), dihedrals=True)
    assert found.picture.dihedrals == dihedrals_of(np.asarray(landscape()))
    assert found.picture.pdq == found.picture.dihedrals[0]


def test_a_turned_photograph_has_a_part(cells: CellPool, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    path = tmp_path / "hills.png"
    landscape().save(path, exif=exif)
    found = fingerprinted(cells, path)
    assert found.format == "PNG"
    upside_down = pdq_of(np.asarray(landscape().rotate(180)))
    assert found.parts == (Part("as shown", pdq=upside_down),)


def test_what_moves_has_its_frames_as_parts_up_to_a_number(tmp_path: Path) -> None:
    path = tmp_path / "hills.png"
    scenes = [landscape(seed=seed) for seed in range(4)]
    scenes[0].save(path, save_all=True, append_images=scenes[1:])
    hashes = [pdq_of(np.asarray(scene)) for scene in scenes]
    with CellPool(1, Limits(parts=2)) as cells:
        found = fingerprinted(cells, path)
        assert found.picture == Picture(
            PictureState.UNREADABLE,
            hashes[0],
            "it has more than 2 parts",
            unreadable=Unreadable.TOO_MANY,
        )
        assert [part.pdq for part in found.parts] == hashes[1:3]
        assert fingerprinted(cells, drawn(tmp_path / "one.png")).picture.pdq == hashes[1]


def test_a_drawing_is_no_picture_and_has_those_that_are_written_out_in_it(
    cells: CellPool, tmp_path: Path
) -> None:
    picture = base64.b64encode(drawn(tmp_path / "hills.png").read_bytes()).decode()
    drawing = f"<svg><image href='data:image/png;base64,{picture}'/></svg>"
    found = fingerprinted(cells, written(tmp_path / "hills.svg", drawing.encode()))
    assert found.picture == Picture(PictureState.NONE, reason="not a picture")
    assert found.parts == (Part("picture 1", pdq=pdq_of(np.asarray(landscape()))),)


def test_a_file_that_is_no_picture_has_digests_all_the_same(
    cells: CellPool, tmp_path: Path
) -> None:
    found = fingerprinted(cells, written(tmp_path / "notes.txt", b"just words"))
    assert found.digests == digests_of(b"just words")
    assert found.picture == Picture(PictureState.NONE, reason="not a picture")


def test_an_empty_file_is_no_picture(cells: CellPool, tmp_path: Path) -> None:
    found = fingerprinted(cells, written(tmp_path / "empty", b""))
    assert found.digests == digests_of(b"")
    assert found.picture == Picture(PictureState.NONE, reason="the file is empty")


@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".png", ".heic"])
def test_an_empty_file_that_calls_itself_a_picture_is_unreadable(
    cells: CellPool, tmp_path: Path, suffix: str
) -> None:
    found = fingerprinted(cells, written(tmp_path / "empty", b""), suffix=suffix)
    assert found.picture.state is PictureState.UNREADABLE
    assert found.picture.reason == "its name says that it is a picture, but it is empty"


def test_a_zip_that_calls_itself_a_picture_is_unreadable(cells: CellPool, tmp_path: Path) -> None:
    path = tmp_path / "archive.jpg"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "just words")
    found = fingerprinted(cells, path)
    assert found.digests == digests_of(path.read_bytes())
    assert found.picture == Picture(
        PictureState.UNREADABLE,
        reason="its name says that it is a picture, but its content is not one",
        unreadable=Unreadable.WRONG_NAME,
    )


@pytest.mark.parametrize("suffix", [".jpg", ".txt", "", ".\udcff"])
def test_a_picture_is_decoded_whatever_its_name(
    cells: CellPool, tmp_path: Path, suffix: str
) -> None:
    found = fingerprinted(cells, drawn(tmp_path / "hills"), suffix=suffix)
    assert found.picture.pdq == pdq_of(np.asarray(landscape()))


def test_a_damaged_picture_has_digests_and_a_reason(cells: CellPool, tmp_path: Path) -> None:
    file = io.BytesIO()
    landscape().save(file, "JPEG")
    path = written(tmp_path / "cut.jpg", file.getvalue()[:3000])
    found = fingerprinted(cells, path)
    assert found.digests == digests_of(path.read_bytes())
    assert found.picture.state is PictureState.UNREADABLE
    assert found.picture.reason == "damaged picture: the data ends early"


def test_a_file_is_read_from_its_beginning_and_its_position_stays(
    cells: CellPool, tmp_path: Path
) -> None:
    with drawn(tmp_path / "hills.png").open("rb") as file:
        file.seek(17)
        found = cells.fingerprint(file.fileno())
        assert file.tell() == 17
        file.seek(0)
        assert found.digests == digests_of(file.read())


def test_a_folder_cannot_be_read(cells: CellPool, tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(IsADirectoryError):
            cells.fingerprint(descriptor)
    finally:
        os.close(descriptor)


def test_a_pipe_cannot_be_read_twice_so_it_is_refused(cells: CellPool) -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(OSError, match="seek") as refused:
            cells.fingerprint(reading)
        assert refused.value.errno == errno.ESPIPE
    finally:
        os.close(reading)
        os.close(writing)


def test_many_threads_share_few_cells(cells: CellPool, tmp_path: Path) -> None:
    paths = [drawn(tmp_path / f"{seed}.png", seed) for seed in range(24)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda path: fingerprinted(cells, path), paths * 2))
    expected = [pdq_of(np.asarray(landscape(seed=seed))) for seed in range(24)]
    assert [each.picture.pdq for each in found] == expected * 2
    assert len(cells.process_ids) == 2


def test_a_picture_that_takes_too_long_is_unreadable_and_the_next_is_not(
    heavy: Path, tmp_path: Path
) -> None:
    with CellPool(1, Limits(seconds=0.05)) as cells:
        found = fingerprinted(cells, heavy)
        assert found.digests == digests_of(heavy.read_bytes())
        assert found.picture == Picture(
            PictureState.UNREADABLE,
            reason="took more than 0.05 seconds to decode",
            unreadable=Unreadable.TOO_SLOW,
        )
        assert fingerprinted(cells, written(tmp_path / "a.txt", b"words")).digests.size == 5


def test_a_picture_that_takes_too_much_memory_is_unreadable_and_the_next_is_not(
    heavy: Path, tmp_path: Path
) -> None:
    with CellPool(1, Limits(memory_bytes=64 * MEBIBYTE)) as cells:
        found = fingerprinted(cells, heavy)
        assert found.digests == digests_of(heavy.read_bytes())
        assert found.picture == Picture(
            PictureState.UNREADABLE,
            reason="took more than 64 MiB to decode",
            unreadable=Unreadable.TOO_MUCH_MEMORY,
        )
        assert fingerprinted(cells, drawn(tmp_path / "hills.png")).picture.pdq is not None


@pytest.mark.parametrize(
    ("signal_number", "reason", "unreadable"),
    [
        (signal.SIGSEGV, "damaged picture: it crashed the decoder", Unreadable.CRASHED),
        (
            signal.SIGKILL,
            "decoding it was stopped by the system, likely for want of memory",
            Unreadable.TOO_MUCH_MEMORY,
        ),
    ],
)
def test_a_cell_that_crashes_over_a_picture_leaves_its_digests_and_is_replaced(
    heavy: Path,
    tmp_path: Path,
    signal_number: signal.Signals,
    reason: str,
    unreadable: Unreadable,
) -> None:
    with CellPool(1) as cells, ThreadPoolExecutor(1) as threads:
        fingerprinted(cells, drawn(tmp_path / "hills.png"))
        (process,) = cells.process_ids
        idle = resident_bytes(process)
        finding = threads.submit(fingerprinted, cells, heavy)
        assert comes_true(lambda: resident_bytes(process) > idle + 20 * MEBIBYTE)
        os.kill(process, signal_number)
        assert finding.result() == FileFingerprints(
            digests_of(heavy.read_bytes()),
            Picture(PictureState.UNREADABLE, reason=reason, unreadable=unreadable),
            format="PNG",
        )
        assert fingerprinted(cells, tmp_path / "hills.png").picture.pdq is not None
        assert cells.process_ids != (process,)


def test_a_cell_that_was_killed_while_idle_is_replaced_unseen(tmp_path: Path) -> None:
    path = drawn(tmp_path / "hills.png")
    with CellPool(1) as cells:
        first = fingerprinted(cells, path)
        (process,) = cells.process_ids
        os.kill(process, signal.SIGKILL)
        assert fingerprinted(cells, path) == first


def test_a_large_file_that_is_no_picture_is_digested_in_little_memory_without_haste(
    tmp_path: Path,
) -> None:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(200 * MEBIBYTE)
    with CellPool(1, Limits(memory_bytes=32 * MEBIBYTE, seconds=0.05)) as cells:
        found = fingerprinted(cells, path)
    assert found.picture.state is PictureState.NONE
    with path.open("rb") as file:
        assert found.digests == digests_of(file)


def test_closing_ends_the_cells_and_interrupts_what_they_do(heavy: Path) -> None:
    cells = CellPool(1)
    with ThreadPoolExecutor(2) as threads:
        working = threads.submit(fingerprinted, cells, heavy)
        assert comes_true(lambda: bool(cells.process_ids))
        waiting = threads.submit(fingerprinted, cells, heavy)
        (process,) = cells.process_ids
        cells.close()
        for each in (working, waiting):
            with pytest.raises(OverCapacityError, match="stopping"):
                each.result()
    assert not is_running(process)
    assert cells.process_ids == ()
    cells.close()


def test_cells_end_when_their_house_is_killed(heavy: Path) -> None:
    house = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, threading, time\n"
            "from tutela.sandbox.pool import CellPool\n"
            "cells = CellPool(1)\n"
            "file = open(sys.argv[1], 'rb')\n"
            "threading.Thread(target=cells.fingerprint, args=[file]).start()\n"
            "while not cells.process_ids: time.sleep(0.01)\n"
            "print(*cells.process_ids, flush=True)\n",
            str(heavy),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert house.stdout is not None
    process = int(house.stdout.readline())
    assert is_running(process)
    house.kill()
    house.wait()
    house.stdout.close()
    assert comes_true(lambda: not is_running(process))


def test_a_cell_is_confined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTELA_DATABASE_URL", "postgresql://user:secret@host/name")
    with CellPool(1) as cells:
        fingerprinted(cells, drawn(tmp_path / "hills.png"))
        (process,) = cells.process_ids
        home = Path(f"/proc/{process}")
        limits = {
            line[:26].strip(): line[26:].split()[0]
            for line in (home / "limits").read_text().splitlines()
        }
        assert limits["Max file size"] == "0"
        assert limits["Max core file size"] == "0"
        assert limits["Max open files"] == "32"
        assert 2048 * MEBIBYTE < int(limits["Max address space"]) < 4096 * MEBIBYTE
        assert "NoNewPrivs:\t1" in (home / "status").read_text()
        if os.geteuid() != 0:
            # Not even who started it may look.
            with pytest.raises(PermissionError):
                (home / "environ").read_bytes()
            return
        assert b"secret" not in (home / "environ").read_bytes()
        # It holds its end of the line and no file.
        targets = [str(entry.readlink()) for entry in (home / "fd").iterdir()]
        assert sum(target != "/dev/null" for target in targets) == 1
        # Ctrl-C in the terminal does not reach it.
        assert os.getsid(process) != os.getsid(0)


@pytest.mark.parametrize("variant", variants())
def test_a_cell_computes_with_the_variant_of_the_kernel_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: Variant
) -> None:
    monkeypatch.setenv(VARIABLE, variant)
    with CellPool(1) as cells:
        found = fingerprinted(cells, drawn(tmp_path / "hills.png"), dihedrals=True)
        (process,) = cells.process_ids
        if os.geteuid() == 0:
            told = Path(f"/proc/{process}/environ").read_bytes()
            assert f"{VARIABLE}={variant}".encode() in told
    assert found.picture.dihedrals == dihedrals_of(np.asarray(landscape()))


def test_a_cell_that_cannot_start_says_how_to_find_out_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with (
        CellPool(1) as cells,
        pytest.raises(TutelaError, match="to see why, run"),
    ):
        fingerprinted(cells, drawn(tmp_path / "hills.png"))


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    with CellPool(2) as cells:
        fingerprinted(cells, drawn(tmp_path / "hills.png"))
    assert threading.active_count() == before


def in_every_way(folder: Path) -> Iterator[Path]:
    """Pictures for each decoder, and one too large to be read whole."""
    first, second = (landscape(seed=seed).convert("RGB") for seed in (1, 2))
    for suffix in ("jpg", "png", "gif", "webp", "avif", "bmp", "tiff", "jp2", "ico", "ppm", "qoi"):
        path = folder / f"plain.{suffix}"
        first.save(path)
        yield path
    for suffix in ("gif", "webp", "png", "tiff"):
        path = folder / f"several.{suffix}"
        first.save(path, save_all=True, append_images=[second])
        yield path
    for packing in ("tiff_lzw", "tiff_deflate", "jpeg", "lzma", "zstd", "packbits"):
        path = folder / f"{packing}.tiff"
        first.save(path, compression=packing)
        yield path
    inks = folder / "inks.jpg"
    first.convert("CMYK").save(inks, progressive=True)
    yield inks
    large = folder / "large.tiff"
    Image.new("RGB", (8_000, 3_000), (20, 90, 160)).save(large)
    yield large
    yield Path(__file__).parents[1] / "media" / "landscape.heic"


def test_under_the_seal_every_decoder_finds_what_it_finds_without(
    cells: CellPool, tmp_path: Path
) -> None:
    prepare()
    for path in in_every_way(tmp_path):
        content = path.read_bytes()
        picture_format = recognise(content[:HEAD_BYTES])
        assert picture_format is not None
        *parts, last = look(io.BytesIO(content), picture_format, Limits(), Room(), dihedrals=False)
        found = fingerprinted(cells, path)
        assert found.picture == last, path.name
        assert found.picture.pdq is not None
        within = [heard(each) for each in parts if isinstance(each, Part) and each.place]
        assert list(found.parts) == within, path.name


def test_a_cell_is_replaced_after_so_many_files_and_nobody_waits_for_the_next(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "a.txt", b"words")
    with CellPool(1, keeping=Keeping(jobs=3)) as cells:
        served = []
        for _ in range(7):
            fingerprinted(cells, path)
            served.append(cells.process_ids[0])
            # The one that follows is there before it is needed.
            assert len(cells.process_ids) == 2
        assert [served.count(each) for each in dict.fromkeys(served)] == [3, 3, 1]
    assert cells.process_ids == ()


def test_a_file_that_takes_too_much_of_a_processor_is_unreadable(
    heavy: Path, tmp_path: Path
) -> None:
    let_files = picture_that_does("[None for _ in iter(int, 1)]")
    with pytest.MonkeyPatch.context() as patch:
        let_files_take_over(patch, tmp_path)
        with CellPool(1, Limits(cpu_seconds=0.1)) as cells:
            found = fingerprinted(cells, written(tmp_path / "busy.qoi", let_files))
            assert found.picture.unreadable is Unreadable.TOO_SLOW
            assert found.picture.reason == "took more than 0.1 seconds of a processor's time"


def test_what_a_cell_says_unasked_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    says = picture_that_does(_ANSWERING)
    with pytest.MonkeyPatch.context() as patch:
        let_files_take_over(patch, tmp_path)
        with CellPool(1) as cells:
            fingerprinted(cells, written(tmp_path / "says.qoi", says))
            found = fingerprinted(cells, drawn(tmp_path / "hills.png"))
            assert found.picture.pdq == pdq_of(np.asarray(landscape()))
