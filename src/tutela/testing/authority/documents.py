"""Whether a document that was sent can be taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

from tutela.testing.authority.model import Code, Refused


@dataclass(frozen=True, slots=True)
class Document:
    """A document that can be taken.

    Attributes:
        text: It, as it was sent.
        children: What its outermost element's children say, by their names.
    """

    text: str
    children: Mapping[str, str]


def read_document(body: bytes, root: str) -> Document:
    """Read a document.

    Args:
        body: It, in UTF-8.
        root: The name of its outermost element.

    Raises:
        Refused: It is not XML, or not what it has to be.
    """
    reading = _Reading()
    try:
        text = body.decode("utf-8")
        reading.parser.Parse(text, True)
    except UnicodeDecodeError:
        raise Refused(Code.MALFORMED_XML, "The document is not in UTF-8") from None
    except expat.ExpatError as error:
        raise Refused(Code.MALFORMED_XML, f"The document is not XML: {error}") from None
    if reading.root != root:
        words = f"The document has to be a <{root}>, and is a <{reading.root}>"
        raise Refused(Code.NOT_VALID, words)
    return Document(text, reading.children)


class _Reading:
    """Takes up a document element by element."""

    def __init__(self) -> None:
        self.root = ""
        self.children: dict[str, str] = {}
        self._open: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._words
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _start(self, name: str, _attributes: object) -> None:
        self.root = self.root or name
        self._open.append(name)
        if len(self._open) == 2:
            self.children[name] = ""

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _words(self, words: str) -> None:
        if len(self._open) == 2:
            self.children[self._open[-1]] += words

    @staticmethod
    def _refuse(*_: object) -> None:
        raise Refused(Code.MALFORMED_XML, "The document must not have a document type")
