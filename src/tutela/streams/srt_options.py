"""What the address of an SRT source may say."""

from urllib.parse import unquote

from tutela.errors import InvalidInputError

_ALLOWED = ("streamid", "latency", "passphrase", "pbkeylen")
_MOST_LATENCY = 8000
_LONGEST_STREAM_ID = 512
_PASSPHRASE = range(10, 80)
_KEY_BYTES = ("16", "24", "32")


def srt_options(address: str) -> dict[str, str]:
    """What is said after the ``?`` of an address, by name; any of it may let somebody in.

    A stream's name may stand there as it is, also with a ``#``, or with percent signs.

    Raises:
        InvalidInputError: It says what it may not, or something that makes no sense.
    """
    place, _, query = address.partition("?")
    said: dict[str, str] = {}
    for each in filter(None, query.split("&")):
        name, equals, value = each.partition("=")
        if name not in _ALLOWED or not equals or name in said:
            raise _not_allowed()
        said[name] = unquote(value)
    if "#" in place or place.partition("://")[2].partition("/")[2]:
        raise _not_allowed()
    if not all(map(_makes_sense, said, said.values())):
        raise InvalidInputError(
            "of an SRT source, latency is in milliseconds, {most} at most, pbkeylen is 16, 24 or "
            "32, passphrase has 10 to 79 characters and streamid up to 512; no character in them "
            "is a space, & or %, or not of ASCII",
            most=_MOST_LATENCY,
        )
    return said


def _not_allowed() -> InvalidInputError:
    return InvalidInputError(
        "an SRT source looks like srt://media.example.org:9000?streamid=live/7&latency=200; it "
        "may say {allowed}, each once, and nothing else",
        allowed=", ".join(_ALLOWED),
    )


def _makes_sense(name: str, value: str) -> bool:
    # Some versions of what receives SRT take percent signs as they stand, and others do not.
    if not value.isascii() or not value.isprintable() or set(value) & set(" &%"):
        return False
    match name:
        case "latency":
            return value.isdigit() and len(value) < 6 and int(value) <= _MOST_LATENCY
        case "pbkeylen":
            return value in _KEY_BYTES
        case "passphrase":
            return len(value) in _PASSPHRASE
        case _:
            return 0 < len(value) <= _LONGEST_STREAM_ID
