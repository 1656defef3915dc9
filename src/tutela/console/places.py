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
    (re.compile(r"frame (?P<number>\d+)"), "place_frame"),
    (re.compile(r"page (?P<number>\d+)"), "place_page"),
    (re.compile(r"picture (?P<number>\d+)"), "place_picture"),
    (re.compile(r"size (?P<size>\d+ x \d+)"), "place_size"),
    (re.compile(r"unpacked"), "place_unpacked"),
    (re.compile(r"(?P<since>[\d:]+) to (?P<until>[\d:]+)"), "place_span"),
    (re.compile(r"and (?P<number>\d+) more"), "place_more"),
)


def place_words(place: str, say: Mapping[str, str]) -> Markup:
    """A place as a part has it, such as ``photos/b.gif frame 3``, for a page.

    Args:
        place: The place.
        say: The texts of the reader's language.
    """
    words: list[Markup] = []
    while place:
        for called, text in _CALLED:
            if found := re.search(rf"(?:^|,? ){called.pattern}$", place):
                words.insert(0, Markup.escape(say[text].format(**found.groupdict())))
                place = place[: found.start()]
                break
        else:
            words.insert(0, Markup("<bdi>{}</bdi>").format(place))
            break
    return Markup(", ").join(words)
