"""Digests of words, which stay the same where the same words are written a little differently.

The form that words are brought into is in ``docs/links.md``. It is that of Unicode's own
``NFKC_Casefold`` (Unicode Standard Annex 44 and section 3.13 of the standard), with one space for
whatever space there is between words.
"""

import hashlib
import re
import unicodedata

from tutela.errors import InvalidInputError
from tutela.fingerprints.model import Fingerprint, Kind

LONGEST_TEXT = 100_000
"""Letters of a text that is looked up or listed."""

# Default_Ignorable_Code_Point of DerivedCoreProperties.txt beside the category Cf, which has the
# others: joiners, fillers and variation selectors, none of which is seen.
_NOT_SEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
# Each time it is the same or nearer to the form; no letter known needs more than two.
_MOST_TIMES = 8


def text_digest(text: str) -> Fingerprint:
    """What a list keeps of words, and what words are looked up by.

    Raises:
        InvalidInputError: There are no words, or too many.
    """
    if len(text) > LONGEST_TEXT:
        raise InvalidInputError(
            "the text is too long: at most {longest:,} characters", longest=LONGEST_TEXT
        )
    form = normal_text(text)
    if not form:
        raise InvalidInputError("there are no words in the text")
    return Fingerprint(Kind.TEXT, hashlib.sha256(form.encode("utf-8", "replace")).digest())


def normal_text(text: str) -> str:
    """Words in the form that they are compared in."""
    for _ in range(_MOST_TIMES):
        before, text = text, _nearer(text)
        if text == before:
            break
    return _SPACES.sub(" ", text).strip()


def _nearer(text: str) -> str:
    seen = _NOT_SEEN.sub("", unicodedata.normalize("NFKC", text))
    if not seen.isascii():
        seen = "".join(letter for letter in seen if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", seen.casefold())
