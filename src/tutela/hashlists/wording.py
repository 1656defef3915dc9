"""What people may write beside lists and entries: one line, of bounded length."""

from tutela.errors import InvalidInputError

LONGEST = {"description": 1000, "source": 1000, "reason": 1000, "label": 200}


def checked_text(what: str, text: str, *, required: bool = False) -> str:
    """The text without spaces at its ends.

    Args:
        what: ``description``, ``source``, ``reason`` or ``label``.
        text: What was written.
        required: Whether it may be empty.

    Raises:
        InvalidInputError: It is empty, too long, or holds line breaks or control characters.
    """
    stripped = text.strip()
    if required and not stripped:
        raise InvalidInputError("a {what} is needed: say it in a few words", what=what)
    if len(stripped) > LONGEST[what]:
        raise InvalidInputError(
            "the {what} is too long: at most {longest} characters", what=what, longest=LONGEST[what]
        )
    if not stripped.isprintable():
        raise InvalidInputError(
            "the {what} holds line breaks or characters that cannot be printed: write one line",
            what=what,
        )
    return stripped
