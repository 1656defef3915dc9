"""XML of strangers, read with care: no entities, no DTD, no network, no more than is foreseen.

What is refused is refused while it is read, not after: a document type ends the reading before a
single entity of it is declared.
"""

from typing import Any

from lxml import etree

MOST_BYTES = 16 * 1024 * 1024
"""Largest document that is read, in bytes. A report holds words, never files."""
MOST_DEPTH = 16
"""How many elements may stand in one another; a report needs six."""
MOST_ELEMENTS = 200_000
"""How many elements a document may have."""

_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
# Where a document says its schema is. It is not asked, and must not make the validator look there.
_HINTS = (f"{_INSTANCE}noNamespaceSchemaLocation", f"{_INSTANCE}schemaLocation")


class RefusedXmlError(ValueError):
    """This is not well-formed XML in UTF-8, or holds what is never read; the message says what."""


def parse(document: bytes, *, most_bytes: int = MOST_BYTES) -> Any:
    """Read a document into an lxml element. Comments and processing instructions are left out.

    Raises:
        RefusedXmlError: It is too large or too deep, no UTF-8, not well-formed, or has a document
            type.
    """
    if len(document) > most_bytes:
        raise RefusedXmlError(f"is larger than {most_bytes} bytes")
    try:
        document.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedXmlError("is not UTF-8") from None
    building = _Building()
    parser = etree.XMLParser(
        target=building,
        encoding="utf-8",
        # Only the five of XML itself can be there, since a DOCTYPE ends the reading; unresolved,
        # an ampersand in an attribute would come as "&#38;".
        resolve_entities="internal",
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
    )
    try:
        return etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        # The parser's own words repeat what stands in the document.
        reason = building.refusal or f"is not well-formed XML (line {error.lineno or 1})"
        raise RefusedXmlError(reason) from None


class _Building:
    """What the parser tells of the document, as it comes."""

    def __init__(self) -> None:
        self.refusal = ""
        self._tree = etree.TreeBuilder()
        self._depth = 0
        self._elements = 0

    def start(self, tag: str, attributes: dict[str, str], prefixes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MOST_DEPTH:
            self._refuse(f"is deeper than {MOST_DEPTH} elements")
        if self._elements > MOST_ELEMENTS:
            self._refuse(f"has more than {MOST_ELEMENTS} elements")
        kept = {name: value for name, value in attributes.items() if name not in _HINTS}
        if any(name.startswith(_INSTANCE) for name in kept):
            self._refuse("speaks of its schema in an attribute that is not read")
        self._tree.start(tag, kept, prefixes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._tree.end(tag)

    def data(self, text: str) -> None:
        self._tree.data(text)

    def doctype(self, name: str, public: str | None, system: str | None) -> None:  # noqa: ARG002
        self._refuse("has a document type (DOCTYPE), which is never read")

    def close(self) -> Any:
        return self._tree.close()

    def _refuse(self, words: str) -> None:
        # The parser may raise its own error in the place of this one.
        self.refusal = words
        raise RefusedXmlError(words)
