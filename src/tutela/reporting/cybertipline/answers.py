"""What the interface answers, read with care: it comes over a network, from whoever answered.

Elements that are not known are passed over, so that the authority may add some. What is known must
be what it should be, and be there once, or the answer is not believed at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tutela.errors import OutsideError
from tutela.reporting.cybertipline.codes import SUCCESS
from tutela.reporting.cybertipline.parsing import RefusedXmlError, parse

MOST_BYTES = 1024 * 1024
"""Largest answer that is read, in bytes: one to finish names every file."""
MOST_DESCRIPTION = 500
"""How much of a description is kept, in characters."""

_GREATEST_CODE = 2**31 - 1
_GREATEST_NUMBER = 2**63 - 1
_FILE = re.compile(r"[A-Za-z0-9_\-]{1,100}", re.ASCII)
_MD5 = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)
# As long as the greatest report number, and no sign, no fraction, no other script's digits.
_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)


class UnreadableAnswerError(OutsideError):
    """What came back is not an answer of the interface. Nothing is known of what the call did."""


class Call(StrEnum):
    """The calls of the interface that are answered by XML."""

    STATUS = "status"
    SUBMIT = "submit"
    UPLOAD = "upload"
    FILEINFO = "fileinfo"
    FINISH = "finish"
    RETRACT = "retract"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        code: The response code; see ``codes``.
        description: What the authority says of it, shortened and in one line; may be empty. Words
            of strangers.
        report_id: The number of the report, if it names one; always after a successful submit.
        file_id: The authority's name for the uploaded file; always after a successful upload.
        md5: The MD5 of what arrived, in lower case; always after a successful upload.
        files: The names of the files that a finished report has.
    """

    code: int
    description: str = ""
    report_id: int | None = None
    file_id: str | None = None
    md5: str | None = None
    files: tuple[str, ...] = ()

    @property
    def is_success(self) -> bool:
        """Whether the call did what it should. An HTTP status alone does not say that."""
        return self.code == SUCCESS


# What a success must name. The shape of finish's is inferred, so its code is enough.
_NEEDED: Mapping[Call, tuple[str, ...]] = {
    Call.SUBMIT: ("report_id",),
    Call.UPLOAD: ("file_id", "md5"),
}
_ORDINARY, _DONE = "reportResponse", "reportDoneResponse"


def read_answer(call: Call, body: bytes) -> Answer:
    """Read an answer.

    Args:
        call: What it answers.
        body: What came back.

    Raises:
        UnreadableAnswerError: It is too large or too deep, no XML, has a DOCTYPE, or lacks or
            misstates what it must have.
    """
    try:
        tree = parse(body, most_bytes=MOST_BYTES)
        roots = (_DONE, _ORDINARY) if call is Call.FINISH else (_ORDINARY,)
        if tree.tag not in roots:
            raise RefusedXmlError("does not begin as an answer does")
        answer = Answer(
            code=_number(_needed(tree, "responseCode"), _GREATEST_CODE),
            description=_one_line(_text(tree, "responseDescription") or ""),
            report_id=_report(_text(tree, "reportId")),
            file_id=_matching(_FILE, _text(tree, "fileId"), "fileId"),
            md5=(_matching(_MD5, _text(tree, "hash"), "hash") or "").lower() or None,
            files=tuple(_file(each) for each in tree.iterfind("files//fileId")),
        )
        if answer.is_success:
            for name in _NEEDED.get(call, ()):
                if getattr(answer, name) is None:
                    raise RefusedXmlError(f"says that it succeeded, and lacks {name}")
    except RefusedXmlError as error:
        raise UnreadableAnswerError(
            f"the authority's answer to {call} cannot be used: it {error}"
        ) from None
    return answer


def _text(tree: Any, name: str) -> str | None:
    """What an element says; ``None`` where it is missing or says nothing."""
    found = tree.findall(name)
    if len(found) > 1:
        raise RefusedXmlError(f"has more than one {name}")
    if found and len(found[0]):
        raise RefusedXmlError(f"has elements in its {name}")
    text = (found[0].text or "").strip() if found else ""
    return text or None


def _needed(tree: Any, name: str) -> str:
    text = _text(tree, name)
    if text is None:
        raise RefusedXmlError(f"lacks its {name}")
    return text


def _number(text: str, greatest: int) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > greatest:
        raise RefusedXmlError("has something else where a number should be")
    return int(text)


def _report(text: str | None) -> int | None:
    if text is None:
        return None
    # Some answers to a call that named no report may say 0.
    return _number(text, _GREATEST_NUMBER) or None


def _file(element: Any) -> str:
    found = None if len(element) else _matching(_FILE, (element.text or "").strip(), "fileId")
    if found is None:
        raise RefusedXmlError("has a fileId that is none")
    return found


def _matching(pattern: re.Pattern[str], text: str | None, name: str) -> str | None:
    if text is not None and not pattern.fullmatch(text):
        raise RefusedXmlError(f"has a {name} that is none")
    return text


def _one_line(text: str) -> str:
    kept = "".join(each if each.isprintable() else " " for each in text[: 4 * MOST_DESCRIPTION])
    return " ".join(kept.split())[:MOST_DESCRIPTION]
