"""The codes of the interface's answers: what each means, and what is to be done about it.

From public implementations that cite the official documentation. Which codes may be tried again is
second-hand too, and inferred where ``is_inferred`` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Remedy(StrEnum):
    """What is to be done about a code."""

    NONE = "none"
    """It is a success."""
    RETRY = "retry"
    """The same call, later."""
    STOP = "stop"
    """Nothing gets through until the operator has done something: stop, and alert them once."""
    MEND = "mend"
    """The report is wrong: a person mends it."""
    STEP = "step"
    """It depends on the step: after a retract, say, it tells whether the report was finished."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code.

    Attributes:
        number: As it stands in the answer.
        meaning: In plain words.
        remedy: What is to be done about it.
        is_inferred: Whether no source says what is to be done.
    """

    number: int
    meaning: str
    remedy: Remedy
    is_inferred: bool = True


SUCCESS = 0
NO_SUCH_REPORT = 5001
ALREADY_RETRACTED = 5101
ALREADY_FINISHED = 5102

_ALL = (
    Code(SUCCESS, "success", Remedy.NONE, is_inferred=False),
    Code(1000, "the authority's server failed", Remedy.RETRY, is_inferred=False),
    Code(1100, "the authority could not save it", Remedy.RETRY),
    Code(1110, "the authority could not take the upload", Remedy.RETRY),
    Code(1111, "the authority could not take the file", Remedy.RETRY),
    Code(1210, "the authority has no such call", Remedy.STOP),
    Code(1300, "the authority could not change it", Remedy.RETRY),
    Code(2000, "the authority wants credentials, or these are wrong", Remedy.STOP, False),
    Code(3000, "these credentials do not allow it", Remedy.STOP, is_inferred=False),
    Code(3100, "these credentials do not allow to open reports", Remedy.STOP),
    Code(3300, "these credentials do not allow to change reports", Remedy.STOP),
    Code(4000, "the authority does not understand the call", Remedy.MEND),
    Code(4100, "the authority refuses what the report says", Remedy.MEND, is_inferred=False),
    Code(4110, "the authority cannot read the XML", Remedy.MEND),
    Code(4200, "the authority cannot read the file", Remedy.MEND),
    Code(NO_SUCH_REPORT, "there is no such report", Remedy.STEP, is_inferred=False),
    Code(5002, "there is no such file", Remedy.STEP),
    Code(ALREADY_RETRACTED, "the report was withdrawn already", Remedy.STEP),
    Code(ALREADY_FINISHED, "the report was finished already", Remedy.STEP, is_inferred=False),
)

CODES: Mapping[int, Code] = {each.number: each for each in _ALL}
"""Every code that is known, by its number."""

# What an unknown one most likely asks for, by its thousand.
_FAMILIES: Mapping[int, Remedy] = {
    1: Remedy.RETRY,
    2: Remedy.STOP,
    3: Remedy.STOP,
    4: Remedy.MEND,
}


def code(number: int) -> Code:
    """The code of this number. One that is not known is taken for one of its family, or stops."""
    known = CODES.get(number)
    if known is not None:
        return known
    return Code(number, f"an unknown code, {number}", _FAMILIES.get(number // 1000, Remedy.STOP))
