"""The nouns of fingerprints."""

import pytest

from tutela.fingerprints.model import file_of


@pytest.mark.parametrize(
    ("place", "file"),
    [
        ("", ""),
        ("frame 3 over white", ""),
        ("a/b.gif", "a/b.gif"),
        ("a/b c.gif frame 12 as shown", "a/b c.gif"),
        ("a.mp4 00:01:12.48", "a.mp4"),
        ("a.zip/page 3.tiff page 3", "a.zip/page 3.tiff"),
    ],
)
def test_a_part_is_in_a_file(place: str, file: str) -> None:
    assert file_of(place) == file
