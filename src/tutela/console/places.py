"""Where in a file something was found, in the reader's language."""

import re
from collections.abc import Mapping

from markupsafe import Markup

# How the sandbox calls each look and each place, and the text that says the same. What comes before
# is the name of a file within the file, and stays as it is.
_CALLED = (
    (re.compile(r"as shown"), "place_as_shown"),
    (re.compile(r"over white"), "place_over_white"),
    (re.compile(r"over black"), "place_over_black"),
    (re.compile(r"with its colour profile"), "place_in_its_colours"),
    (re.compile(r"as far as it can be decoded"), "place_as_far"),
    (re.compile(r"thumbnail"), "place_thumbnail"),
    (re.compile(r"cover"), "place_cover"),
    (re.compile(r"cover (?P<number>\d+)"), "place_cover_number"),
    (re.compile(r"track (?P<number>\d+)"), "place_track"),
    (re.compile(r"uncut"), "place_uncut"),
    (re.compile(r"motion video"), "place_motion"),
    (re.compile(r"motion video (?P<number>\d+)"), "place_motion_number"),
    (re.compile(r"frame (?P<number>\d+)"), "place_frame"),
    (re.compile(r"page (?P<number>\d+)"), "place_page"),
    (re.compile(r"picture (?P<number>\d+)"), "place_picture"),
    (re.compile(r"size (?P<size>\d+ x \d+)"), "place_size"),
    (re.compile(r"unpacked"), "place_unpacked"),
    (re.compile(r"(?P<since>[\d:]+) to (?P<until>[\d:]+)"), "place_span"),
    (re.compile(r"from (?P<since>[\d:]+) on"), "place_since"),
    (re.compile(r"and (?P<number>\d+) more"), "place_more"),
    # As it is everywhere.
    (re.compile(r"\d+:\d\d:\d\d(\.\d+)?"), ""),
)


_ISOLATED = "\u2068{}\u2069"
_LONGEST = 160


def place_words(place: str, say: Mapping[str, str]) -> Markup:
    """A place as a part has it, such as ``photos/b.gif frame 3``, for a page.

    Args:
        place: The place.
        say: The texts of the reader's language.
    """
    name, words = _told(place, say)
    named = [Markup("<bdi>{}</bdi>").format(name)] if name else []
    return Markup(", ").join([*named, *map(Markup.escape, words)])


def place_text(place: str, say: Mapping[str, str]) -> str:
    """The same as a text, where there can be no more than that; cut if it is long.

    Where there is nothing but the file itself, it is its first picture.
    """
    if not place:
        return say["place_first"]
    name, words = _told(place, say)
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST // 2]}…{name[-_LONGEST // 2 :]}"
    return ", ".join([*([_ISOLATED.format(name)] if name else []), *words])


def _told(place: str, say: Mapping[str, str]) -> tuple[str, list[str]]:
    """The name of a file within, if there is one, and what follows it in words."""
    words: list[str] = []
    while place:
        for called, text in _CALLED:
            if found := re.search(rf"(?:^|,? ){called.pattern}$", place):
                here = say[text].format(**found.groupdict()) if text else found[0].strip(", ")
                words.insert(0, here)
                place = place[: found.start()]
                break
        else:
            break
    return place, words
