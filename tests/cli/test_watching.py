"""``tutela watch`` prints what matches, opens cases, and ends with clamscan's codes."""

from pathlib import Path

import pytest

from tests.cli.command import json_lines, tutela
from tests.house import House
from tests.streams.serving import moving, still, web_server
from tutela.storage.settings import Settings

# Which database it is makes no difference to a stream.
pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)

# Of them it is known how many there are.
KEYS = ("--sampling", "key_frames")


@pytest.fixture
def clip(settings: Settings, tmp_path: Path) -> Path:
    """A clip of which a list knows one frame."""
    known = tmp_path / "known.csv"
    known.write_text(f"pdq\n{House.fingerprints(still())['pdq']}\n")
    assert tutela(settings, "list", "create", "hotline").returncode == 0
    assert tutela(settings, "list", "import", "hotline", known).returncode == 0
    clip = tmp_path / "clip.ts"
    clip.write_bytes(moving())
    return clip


def test_a_match_is_printed_with_its_case_and_its_instant(settings: Settings, clip: Path) -> None:
    with web_server() as web:
        web.files["/live/one.ts"] = clip.read_bytes()
        url = web.url("/live/one.ts")
        done = tutela(settings, "watch", url, "--subject", "account-1", *KEYS, "--json")
    found, summed = json_lines(done)
    assert (done.returncode, found["verdict"], found["place"]) == (1, "match", "00:00:02")
    assert (found["matches"][0]["list"], summed["state"]) == ("hotline", "ended")
    assert (summed["frames"], summed["dropped"], summed["matches"]) == (8, 0, 1)
    assert "one.ts" not in done.stdout + done.stderr
    case = json_lines(tutela(settings, "case", "show", found["case"], "--json"))[0]
    assert (case["subject"], "live_stream" in case["facts"]) == ("account-1", True)


def test_what_is_clear_is_told_from_what_could_not_be_watched(
    settings: Settings, clip: Path
) -> None:
    clear = tutela(settings, "watch", clip, "--every", "100", *KEYS)
    assert (clear.returncode, clear.stdout) == (0, "")
    assert "ended: 1 frames" in clear.stderr
    for source, said in (
        (clip.with_name("known.csv"), "it is no video"),
        ("srt://192.0.2.1:9000?mode=listener", "it may say streamid, latency"),
    ):
        done = tutela(settings, "watch", source)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
