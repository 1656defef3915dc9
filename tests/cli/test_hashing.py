"""What ``tutela hash`` prints, and how it ends."""

import hashlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.archived import zipped
from tests.drawing import landscape
from tests.moving import clip
from tutela.cli.main import run
from tutela.fingerprints.model import DIHEDRALS
from tutela.fingerprints.pdq import dihedrals_of, pdq_of
from tutela.fingerprints.vpdq import read_frames

Output = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def _two_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTELA_CELLS", "2")


@pytest.fixture
def hills(tmp_path: Path) -> Path:
    path = tmp_path / "hills.png"
    landscape().save(path)
    return path


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text("just words")
    return path


def lines(captured: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.readouterr().out.splitlines()]


def test_a_picture_is_one_line_of_json(hills: Path, capsysbinary: Output) -> None:
    assert run(["hash", "--json", str(hills)]) == 0
    content = hills.read_bytes()
    pdq = pdq_of(np.asarray(landscape()))
    assert lines(capsysbinary) == [
        {
            "path": str(hills),
            "md5": hashlib.md5(content).hexdigest(),
            "sha1": hashlib.sha1(content).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
            "pdq": pdq.text,
            "pdq_quality": pdq.quality,
        }
    ]


def test_where_there_is_no_picture_the_reason_is_given(notes: Path, capsysbinary: Output) -> None:
    assert run(["hash", "--json", str(notes)]) == 0
    (line,) = lines(capsysbinary)
    assert line["md5"] == hashlib.md5(b"just words").hexdigest()
    assert line["pdq"] is None
    assert line["pdq_quality"] is None
    assert line["reason"] == "not a picture"


def test_a_damaged_picture_has_digests_and_the_reason(hills: Path, capsysbinary: Output) -> None:
    hills.write_bytes(hills.read_bytes()[:5000])
    assert run(["hash", "--json", str(hills)]) == 0
    (line,) = lines(capsysbinary)
    assert line["sha1"] == hashlib.sha1(hills.read_bytes()).hexdigest()
    assert line["pdq"] is None
    assert line["reason"] == "damaged picture: the data ends early"


def test_what_else_is_in_a_file_is_told_with_its_place(
    tmp_path: Path, capsysbinary: Output
) -> None:
    path = tmp_path / "hills.gif"
    first, second, last = (landscape(seed=seed).quantize(64) for seed in (1, 2, 3))
    first.save(path, save_all=True, append_images=[second, last])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 4 // 5])
    assert run(["hash", "--json", str(path)]) == 0
    (line,) = lines(capsysbinary)
    assert line["pdq"] == pdq_of(np.asarray(first.convert("RGB"))).text
    whole, broken = line["parts"]
    assert set(whole) == {"place", "pdq", "pdq_quality"}
    assert whole["place"] == "frame 2"
    assert broken["place"] == "frame 3"
    assert broken["unreadable"] in ("ends_early", "damaged")
    assert run(["hash", str(path)]) == 0
    printed = capsysbinary.readouterr().out.decode()
    assert f"  frame 2\n    pdq     {whole['pdq']} (quality" in printed
    assert "  frame 3\n    unreadable: it" in printed


def test_the_dihedrals_come_only_if_asked_for(hills: Path, capsysbinary: Output) -> None:
    assert run(["hash", "--json", "--dihedrals", str(hills)]) == 0
    (line,) = lines(capsysbinary)
    expected = dihedrals_of(np.asarray(landscape()))
    assert line["dihedrals"] == [
        {"name": name, "pdq": pdq.text, "quality": pdq.quality}
        for name, pdq in zip(DIHEDRALS, expected, strict=True)
    ]


def test_people_are_shown_a_block_for_each_file(
    hills: Path, notes: Path, capsysbinary: Output
) -> None:
    assert run(["hash", "--dihedrals", str(hills), str(notes)]) == 0
    shown = capsysbinary.readouterr().out.decode()
    pdq = pdq_of(np.asarray(landscape()))
    assert f"pdq     {pdq.text} (quality {pdq.quality})" in shown
    assert hashlib.sha256(hills.read_bytes()).hexdigest() in shown
    assert "pdq     none: not a picture" in shown
    assert all(name in shown for name in DIHEDRALS[1:])


def test_what_is_too_flat_is_said_by_the_settings(
    hills: Path, capsysbinary: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    quality = pdq_of(np.asarray(landscape())).quality
    said = {}
    for gate in (quality, quality + 1):
        monkeypatch.setenv("TUTELA_POLICY__MIN_QUALITY", str(gate))
        assert run(["hash", str(hills)]) == 0
        said[gate] = b"too flat to compare" in capsysbinary.readouterr().out
    assert said == {quality: False, quality + 1: True}


def test_answers_come_in_the_order_of_the_files(tmp_path: Path, capsysbinary: Output) -> None:
    paths = []
    for number in range(12):
        path = tmp_path / f"{number}.png"
        # The first take longest.
        landscape(1200 // (number + 1), 900 // (number + 1)).save(path)
        paths.append(str(path))
    assert run(["hash", "--json", *paths]) == 0
    assert [line["path"] for line in lines(capsysbinary)] == paths


def test_a_file_that_cannot_be_opened_is_named_and_the_others_are_hashed(
    tmp_path: Path, notes: Path, capsysbinary: Output
) -> None:
    dead_link = tmp_path / "link"
    dead_link.symlink_to(tmp_path / "nowhere")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    missing = tmp_path / "missing.jpg"
    bad = [str(missing), str(tmp_path), str(dead_link), str(pipe)]
    assert run(["hash", "--json", *bad, str(notes)]) == 2
    captured = capsysbinary.readouterr()
    assert [json.loads(line)["path"] for line in captured.out.splitlines()] == [str(notes)]
    assert captured.err.decode().splitlines() == [
        f"error: {missing}: there is no such file; check the name",
        f"error: {tmp_path}: is a folder; name the files in it",
        f"error: {dead_link}: is a link to a file that does not exist; correct the link",
        f"error: {pipe}: cannot be read: it is not a regular file",
    ]


def test_a_file_that_may_not_be_read_is_named(
    notes: Path, capsysbinary: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes.chmod(0)
    monkeypatch.delenv("TUTELA_CONFIG")
    monkeypatch.chdir("/")
    user = os.geteuid()
    if user == 0:
        # The superuser may read everything.
        os.seteuid(65534)
    try:
        assert run(["hash", str(notes)]) == 2
    finally:
        os.seteuid(user)
    assert b"this user may not read it" in capsysbinary.readouterr().err


def test_standard_input_is_a_file_too(
    capsysbinary: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    landscape().save(content, "JPEG")
    content.seek(0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    assert run(["hash", "--json", "-"]) == 0
    (line,) = lines(capsysbinary)
    assert line["path"] == "-"
    assert line["pdq_quality"] >= 50


def test_a_name_that_is_no_text_is_printed_as_its_bytes(
    tmp_path: Path, capsysbinary: Output
) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")
    Path(name).write_bytes(b"just words")
    assert run(["hash", name]) == 0
    assert capsysbinary.readouterr().out.splitlines()[0] == os.fsencode(name)


def test_the_limits_are_those_of_the_settings(
    hills: Path, capsysbinary: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTELA_MAX_PIXELS", "1000")
    assert run(["hash", "--json", str(hills)]) == 0
    (line,) = lines(capsysbinary)
    assert line["reason"] == "the picture is 320 x 240 pixels; the limit is 1,000 in all"


def test_without_a_file_the_usage_is_shown(capsysbinary: Output) -> None:
    assert run(["hash"]) == 2
    assert b"FILE" in capsysbinary.readouterr().err


def test_a_video_has_the_published_fingerprint(tmp_path: Path, capsysbinary: Output) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip(2, turned=90))
    assert run(["hash", "--json", str(path)]) == 0
    (line,) = lines(capsysbinary)
    frames = read_frames(line["vpdq"])
    assert [frame.seconds for frame in frames] == [0.0, 1.0]
    assert [part["place"] for part in line["parts"]] == [
        "00:00:00 as shown",
        "00:00:01 as shown",
    ]
    assert line["pdq"] is None
    assert run(["hash", str(path)]) == 0
    assert f"vpdq    {frames[1].pdq.text}" in capsysbinary.readouterr().out.decode()


def test_a_video_behind_another_one_has_frames_of_its_own(
    tmp_path: Path, capsysbinary: Output
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip(2) + zipped({"b.mp4": clip(3, seed=2)}))
    assert run(["hash", "--json", str(path)]) == 0
    (line,) = lines(capsysbinary)
    assert len(read_frames(line["vpdq"])) == 2
    assert [part["place"] for part in line["parts"]] == [
        "b.mp4",
        *(f"b.mp4 00:00:0{second}" for second in range(3)),
    ]
