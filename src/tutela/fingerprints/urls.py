"""Addresses of the web: taken apart as browsers do it, and written in one form.

The rules and their reasons are in ``docs/links.md``. Sources: the WHATWG URL standard
(https://url.spec.whatwg.org/) for how an address is taken apart, Google Safe Browsing ("URLs and
hashing", https://developers.google.com/safe-browsing/v4/urls-hashing) for the one form, RFC 5891
and UTS 46 for names that are not ASCII.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import urljoin

import idna

from tutela.errors import InvalidInputError

LONGEST_URL = 8_192
"""Letters of an address. Browsers and servers take no longer ones either, most of them fewer."""

PORTS = {"http": 80, "https": 443}
"""The ports that the schemes of the web mean."""


class NoAddressError(InvalidInputError):
    """Something is no address of the web."""


@dataclass(frozen=True, slots=True)
class Url:
    """An address, taken apart.

    Attributes:
        scheme: ``http`` or another word, in lower case. ``http`` where none was written.
        has_user: Whether a user or a password stands in it.
        host: The name in lower case and in its ASCII form, or an address: an IPv4 one as four
            numbers, an IPv6 one in brackets, each in its usual form.
        port: As it was written, or ``None``.
        path: In the one form; it begins with ``/``.
        query: In the one form, or ``""``.
        target: The path and the query as they are asked for, without what comes behind ``#``.
    """

    scheme: str
    has_user: bool
    host: str
    port: int | None
    path: str
    query: str
    target: str

    @property
    def normal_form(self) -> str:
        """The one form: host, path and query. Addresses that have it in common lead to one place.

        The scheme, the port, user and password, and what comes behind ``#`` are left out of it.
        """
        return f"{self.host}{self.path}{self.query and '?' + self.query}"

    @property
    def authority(self) -> str:
        """The host, with the port if one was written."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def whole(self) -> str:
        """The address as it is asked for, without user and password."""
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The address that the host is, or ``None`` if it is a name."""
        return _literal(self.host)

    def joined(self, reference: str) -> "Url":
        """The address that a reference means which stands at this one, as in a redirect.

        Raises:
            NoAddressError: It is none.
        """
        before, mark, after = stripped(reference).partition("?")
        return read_url(
            urljoin(
                self.whole,
                before.replace("\\", "/") + mark + after,
            )
        )


def read_url(text: str) -> Url:
    r"""Take an address apart.

    What browsers pass over is passed over: spaces around it, tabs and line breaks in it, ``\`` for
    ``/``, too many or too few slashes behind ``http:``. The scheme may be missing. Ways in which
    people break addresses, so that nobody follows them by accident, are mended: ``hxxp``, ``[.]``.

    Raises:
        NoAddressError: It is none, or too long.
    """
    text = _mended(stripped(text))
    if len(text) > LONGEST_URL:
        raise NoAddressError(
            "the address is too long: at most {longest:,} characters", longest=LONGEST_URL
        )
    scheme, rest = _scheme(text)
    rest = rest.partition("#")[0]
    before, mark, query = rest.partition("?")
    authority, slash, path = before.replace("\\", "/").partition("/")
    user, at, host_and_port = authority.rpartition("@")
    host, port = _host_and_port(host_and_port)
    raw_path = slash + path or "/"
    return Url(
        scheme=scheme,
        has_user=bool(at and user.strip(":")),
        host=host,
        port=port,
        path=_normal_path(raw_path),
        query=_escaped(_unescaped(query), _KEPT_IN_QUERY),
        target=_asked(_without_dots(raw_path), _ASKED_IN_PATH)
        + mark
        + _asked(query, _ASKED_IN_QUERY),
    )


def broken_apart(text: str) -> str:
    """An address as people are shown it: nobody follows it by accident, and ``read_url`` mends it.

    Of what is no address the dots before the first slash are set apart.
    """
    web = re.match(r"h(tt)(ps?:[/\\]*)", text, re.IGNORECASE)
    scheme = f"hxx{web[2]}" if web else ""
    rest = text[web.end() :] if web else text
    end = _end_of_host(rest)
    return scheme + rest[:end].replace(".", "[.]") + rest[end:]


_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_WEB = re.compile(r"h(?:tt|xx)p(s?):[/\\]*", re.IGNORECASE)
_PORT_FOLLOWS = re.compile(r"[0-9]+(?:[/?#\\]|$)")
_BROKEN_DOTS = re.compile(r"\[\.\]|\(\.\)|\[dot\]|\(dot\)", re.IGNORECASE)
_BROKEN_COLONS = re.compile(r"\[:(?://)?\]")
_BROKEN = re.compile(r"[\[(](?:\.|dot|:)", re.IGNORECASE)


# What browsers take off both ends, and what they pass over anywhere.
_AROUND = "".join(map(chr, range(0x21)))
_WITHIN = {ord(letter): None for letter in "\t\n\r"}


def stripped(text: str) -> str:
    """An address without what browsers pass over: around it, and tabs and line breaks in it."""
    return text.strip(_AROUND).translate(_WITHIN)


def _end_of_host(text: str, start: int = 0) -> int:
    return next((at for at in range(start, len(text)) if text[at] in "/\\?#"), len(text))


def _mended(text: str) -> str:
    if not _BROKEN.search(text):
        return text
    text = _BROKEN_COLONS.sub(lambda found: found[0][1:-1], text, count=1)
    web = _WEB.match(text)
    start = web.end() if web else 0
    end = _end_of_host(text, start)
    # In the host alone: behind it they may stand for themselves.
    return text[:start] + _BROKEN_DOTS.sub(".", text[start:end]) + text[end:]


def _scheme(text: str) -> tuple[str, str]:
    web = _WEB.match(text)
    if web:
        return f"http{web[1].lower()}", text[web.end() :]
    other = _SCHEME.match(text)
    if other and text.startswith("//", other.end()):
        return other[1].lower(), text[other.end() + 2 :]
    if other and not _PORT_FOLLOWS.match(text, other.end()):
        raise _no_address()
    return "http", text.lstrip("/\\") if text[:2] in ("//", "\\\\", "/\\", "\\/") else text


def _no_address() -> NoAddressError:
    return NoAddressError("is no address of the web: one looks like https://host.example/path")


def _host_and_port(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        inside, bracket, behind = text[1:].partition("]")
        if not bracket or (behind and not behind.startswith(":")):
            raise NoAddressError("the host of the address is not well formed")
        return _ipv6(inside), _port(behind[1:])
    name, _, port = text.partition(":")
    return _host(name), _port(port)


def _port(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 8 and int(text) <= 0xFFFF):
        raise NoAddressError("the port of the address is not a number from 0 to 65535")
    return int(text)


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise NoAddressError("the host of the address is not well formed") from None
    if address.scope_id is not None:
        raise NoAddressError("the host of the address is not well formed")
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"[{address.compressed}]"


_FORBIDDEN = re.compile(r"[\x00-\x20#%/:<>?@\[\\\]^|\x7f]")
_DOTS = re.compile(r"\.{2,}")
# RFC 1035 section 2.3.4.
_LONGEST_LABEL = 63
_LONGEST_HOST = 253


def _host(text: str) -> str:
    name = _unescaped(text).decode("utf-8", "replace")
    if not name.isascii():
        name = _ascii(name)
    name = _DOTS.sub(".", name.lower()).strip(".")
    if not name:
        raise _no_address()
    if _FORBIDDEN.search(name) or not name.isascii() or len(name) > _LONGEST_HOST:
        raise NoAddressError("the host of the address is not well formed")
    labels = name.split(".")
    if any(len(label) > _LONGEST_LABEL for label in labels):
        raise NoAddressError("the host of the address is not well formed")
    if _is_number(labels[-1]):
        return str(_ipv4(labels))
    return name


def _ascii(name: str) -> str:
    try:
        # Not as strict as registries are: what browsers ask for is asked for.
        mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
    except (idna.IDNAError, IndexError):
        raise NoAddressError("the host of the address is not well formed") from None
    return ".".join(map(_ascii_label, mapped.split(".")))


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    if len(label) > _LONGEST_LABEL:
        # It would be longer still, and writing it takes the square of its length.
        raise NoAddressError("the host of the address is not well formed")
    try:
        return idna.alabel(label).decode("ascii")
    except idna.IDNAError:
        # Such as one with a picture letter, which no registry should give out, and some do.
        return "xn--" + label.encode("punycode").decode("ascii")


def _is_number(label: str) -> bool:
    return label.isdecimal() or bool(re.fullmatch(r"0x[0-9a-f]*", label))


def _ipv4(labels: list[str]) -> IPv4Address:
    """The address that up to four numbers mean, decimal, octal or hexadecimal."""
    try:
        *first, last = map(_number, labels)
        if len(first) > 3 or any(each > 0xFF for each in first) or last >= 256 ** (4 - len(first)):
            raise ValueError
    except ValueError:
        raise NoAddressError("the host of the address is not well formed") from None
    return IPv4Address(sum(each << 8 * (3 - at) for at, each in enumerate(first)) + last)


def _number(text: str) -> int:
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    if len(text) > 1 and text.startswith("0"):
        return int(text, 8)
    return int(text)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    if host.startswith("["):
        return IPv6Address(host[1:-1])
    return IPv4Address(host) if _is_number(host.rpartition(".")[2]) else None


_HEX = frozenset(b"0123456789abcdefABCDEF")
_PERCENT = ord("%")
_SLASHES = re.compile(rb"/{2,}")


def _unescaped(text: str) -> bytes:
    """The bytes that a text stands for, however often it was percent-encoded."""
    raw = text.encode("utf-8", "replace")
    if b"%" not in raw:
        return raw
    found = bytearray()
    for byte in raw:
        found.append(byte)
        # What was decoded may be the end of another one.
        while len(found) >= 3 and found[-3] == _PERCENT and found[-2] in _HEX and found[-1] in _HEX:
            found[-3:] = bytes.fromhex(found[-2:].decode("ascii"))
    return bytes(found)


def _kept(but: bytes) -> tuple[str, ...]:
    return tuple(
        chr(byte) if 0x20 < byte < 0x7F and byte not in but else f"%{byte:02X}"
        for byte in range(256)
    )


_KEPT_IN_QUERY = _kept(b"#%")
# So that neither is taken for the end of the path when it is read once more.
_KEPT_IN_PATH = _kept(b"#%?\\")


def _escaped(raw: bytes, kept: tuple[str, ...]) -> str:
    return "".join([kept[byte] for byte in raw])


def _normal_path(path: str) -> str:
    # Byte for byte: what is unescaped is not always text.
    raw = _SLASHES.sub(b"/", _unescaped(path)).decode("latin-1")
    return _escaped(_without_dots(raw).encode("latin-1"), _KEPT_IN_PATH)


_ONE_DOT = re.compile(r"\.|%2e", re.IGNORECASE)
_TWO_DOTS = re.compile(r"(?:\.|%2e){2}", re.IGNORECASE)


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for at, segment in enumerate(segments):
        above = _TWO_DOTS.fullmatch(segment)
        if above:
            del kept[-1:]
        if above or _ONE_DOT.fullmatch(segment):
            if at == len(segments) - 1:
                kept.append("")
        else:
            kept.append(segment)
    return "/" + "/".join(kept)


# The path and the special-query percent-encode sets of the WHATWG URL standard.
_ASKED_IN_PATH = _kept(b'"<>^`{}')
_ASKED_IN_QUERY = _kept(b"\"<>'")


def _asked(text: str, kept: tuple[str, ...]) -> str:
    """As browsers ask for it: with no letters but those that a request may hold."""
    return _escaped(text.encode("utf-8", "replace"), kept)
