"""Places are told in the reader's language, and names of files as they are."""

import pytest

from tests.pictures import drawn, encoded
from tests.sandbox.looking import looked, places
from tutela.console.language import languages
from tutela.console.places import place_words

ENGLISH = languages()["en"].texts


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("", ""),
        ("as shown", "as it is shown"),
        ("frame 12 over white", "frame 12, over white"),
        ("photos/b.gif page 3", "<bdi>photos/b.gif</bdi>, page 3"),
        ("a <b>.zip/frame 3.jpg", "<bdi>a &lt;b&gt;.zip/frame 3.jpg</bdi>"),
        ("size 32 x 32 over black", "size 32 x 32, over black"),
        ("a.mp3 cover 2 over white", "<bdi>a.mp3</bdi>, its cover 2, over white"),
        ("track 2 00:00:01 to 00:00:03", "track 2, 00:00:01 to 00:00:03"),
        ("unpacked", "unpacked"),
        (
            "a.jpg motion video 2 from 00:10:00 on",
            "<bdi>a.jpg</bdi>, its motion video 2, from 00:10:00 on",
        ),
        ("clip.mp4 00:01:12 to 00:01:31", "<bdi>clip.mp4</bdi>, 00:01:12 to 00:01:31"),
        (
            "00:00:01 to 00:00:03, 00:01:00 to 00:01:02, and 3 more",
            "00:00:01 to 00:00:03, 00:01:00 to 00:01:02, and 3 more",
        ),
        ("clip.mp4 00:01:12.48 as shown", "<bdi>clip.mp4</bdi>, 00:01:12.48, as it is shown"),
        ("something new 00:01", "<bdi>something new 00:01</bdi>"),
    ],
)
def test_a_place_is_told_in_words(place: str, words: str) -> None:
    assert place_words(place, ENGLISH) == words


def test_every_place_that_the_sandbox_names_has_words_in_every_language() -> None:
    moving = encoded(drawn(1), "GIF", save_all=True, append_images=[drawn(2)], transparency=0)
    named = places(looked(moving + encoded(drawn(3), "JPEG"))[1])
    assert {"frame 2", "picture 2"} <= {*named}
    for language in languages().values():
        further = (
            "as shown",
            "thumbnail",
            "motion video",
            "cover",
            "track 2",
            "uncut",
            "with its colour profile",
            "unpacked",
        )
        for place in (*named, *further, "00:00:01 to 00:00:03, and 3 more"):
            assert "<bdi>" not in place_words(place, language.texts)
