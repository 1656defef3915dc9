"""A schema, read: in which order it wants the elements, what it lets them hold, what it refuses.

``schema.xsd`` beside this file is Tutela's own. It is the only place where the order and the fixed
strings stand, so the operator's official copy can take its place in both.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from lxml import etree

from tutela.errors import SettingsError
from tutela.reporting.cybertipline.parsing import RefusedXmlError, parse

ElementPath = tuple[str, ...]
"""Names of elements from the root on, such as ``("report", "reporter", "legalURL")``."""

_XS = "{http://www.w3.org/2001/XMLSchema}"
_OURS = "{urn:tutela:cybertipline}"
_GROUPS = tuple(f"{_XS}{name}" for name in ("sequence", "choice", "all"))
_DERIVED = tuple(f"{_XS}{name}" for name in ("extension", "restriction"))
_ELSEWHERE = tuple(f"{_XS}{name}" for name in ("include", "import", "redefine", "override"))


@dataclass(frozen=True, slots=True)
class FixedString:
    """One of the values or empty elements that the schema names.

    Attributes:
        spelling: As the schema has it.
        others: Other spellings that sources have.
        meaning: What it says, in plain words; may be empty.
    """

    spelling: str
    others: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the validator has against a document, in its own terms.

    Attributes:
        kind: The validator's name for it.
        path: Where, such as ``/report/victim[2]/victimPerson``.
        message: Its own words, which may repeat what stands in the document: never shown.
    """

    kind: str
    path: str
    message: str


class Schema:
    """A schema that documents are built by and held against. Threads may share it.

    Attributes:
        name: What people call it.
        is_official: Whether the operator gave it, so that it has the last word.
    """

    def __init__(self, text: bytes, name: str, *, is_official: bool) -> None:
        """Read a schema.

        Raises:
            SettingsError: It is no XML Schema in one file.
        """
        self.name = name
        self.is_official = is_official
        try:
            self._root = parse(text)
            elsewhere = next(self._root.iter(*_ELSEWHERE), None)
            if elsewhere is not None:
                raise RefusedXmlError("names another file: Tutela reads a schema that is in one")
            self._validator = etree.XMLSchema(etree.ElementTree(self._root))
        except (RefusedXmlError, etree.XMLSchemaParseError) as error:
            reason = error if isinstance(error, RefusedXmlError) else "is no XML Schema"
            raise SettingsError(
                f"{name} {reason}: save again what GET /xsd of the interface answers"
            ) from None
        self._named = {
            (each.tag, each.get("name")): each for each in self._root if each.get("name")
        }
        self._children: dict[ElementPath, tuple[str, ...]] = {}
        self._values: dict[tuple[ElementPath, str], frozenset[str]] = {}
        # The validator keeps what it found in itself until it is asked.
        self._turn = threading.Lock()

    def complaints(self, tree: Any) -> list[Complaint]:
        """Everything that this schema refuses in a document; nothing if it is valid."""
        with self._turn:
            if self._validator.validate(tree):
                return []
            found = list(self._validator.error_log)
        return [Complaint(each.type_name, each.path or "", each.message) for each in found]

    def children(self, path: ElementPath) -> tuple[str, ...]:
        """The names of the elements that may stand in this one, in the schema's order."""
        if path not in self._children:
            self._children[path] = tuple(name for name, _ in self._elements_in(self._at(path)))
        return self._children[path]

    def values(self, path: ElementPath, attribute: str = "") -> frozenset[str]:
        """The fixed strings that this element, or an attribute of it, may hold; none if any."""
        key = (path, attribute)
        if key not in self._values:
            declared = self._at(path)
            if attribute:
                declared = self._attribute(declared, attribute)
            found = (each.get("value") for each in self._facets(declared, "enumeration"))
            self._values[key] = frozenset(found)
        return self._values[key]

    def wording(self, path: ElementPath, attribute: str = "") -> str:
        """What this element or attribute should hold, in plain words; empty if none are given."""
        declared = self._at(path)
        if attribute:
            declared = self._attribute(declared, attribute)
        for each in self._types(declared):
            words = each.get(f"{_OURS}words")
            if words:
                return str(words)
        return ""

    def fixed_strings(self, type_name: str) -> Mapping[str, FixedString]:
        """The fixed strings of a type of Tutela's own schema, by what Tutela calls them."""
        simple = self._named.get((f"{_XS}simpleType", type_name))
        holder = self._named[f"{_XS}complexType", type_name] if simple is None else simple
        return {
            each.get(f"{_OURS}key"): FixedString(
                spelling=each.get("value") or each.get("name"),
                others=tuple(filter(None, [each.get(f"{_OURS}or")])),
                meaning=each.findtext(f"{_XS}annotation/{_XS}documentation", ""),
            )
            for each in holder.iter(f"{_XS}enumeration", f"{_XS}element")
        }

    def doubts(self) -> Iterator[tuple[str, str]]:
        """Every point of Tutela's own schema that is inferred: where it stands, and why."""
        for each in self._root.iter(f"{_XS}*"):
            why = each.get(f"{_OURS}inferred")
            if why:
                holder = each
                names = []
                while holder is not None:
                    names.append(holder.get("name") or holder.get("value") or "")
                    holder = holder.getparent()
                yield "/".join(reversed([name for name in names if name])), why

    def _at(self, path: ElementPath) -> Any:
        """The declaration of the element at a path, or ``None``."""
        found = self._named.get((f"{_XS}element", path[0]))
        for name in path[1:]:
            found = next((each for at, each in self._elements_in(found) if at == name), None)
        return found

    def _elements_in(self, declared: Any) -> Iterator[tuple[str, Any]]:
        for each in self._types(declared, furthest_first=True):
            yield from self._particles(each)

    def _particles(self, holder: Any) -> Iterator[tuple[str, Any]]:
        for each in holder:
            if each.tag == f"{_XS}element":
                named = self._referred(each, f"{_XS}element")
                yield named.get("name"), named
            elif each.tag == f"{_XS}group":
                yield from self._particles(self._referred(each, f"{_XS}group"))
            elif each.tag in _GROUPS:
                yield from self._particles(each)

    def _types(self, declared: Any, *, furthest_first: bool = False) -> list[Any]:
        """The types of a declaration: its own and those that it is derived from.

        Each as the node whose children are particles, attributes or facets.
        """
        found: list[Any] = []
        kind = self._type_of(declared)
        while kind is not None and kind not in found:
            found.append(kind)
            derived = next(kind.iterchildren(*_DERIVED), None)
            if derived is None:
                content = next(
                    kind.iterchildren(f"{_XS}complexContent", f"{_XS}simpleContent"), None
                )
                derived = None if content is None else next(content.iterchildren(*_DERIVED), None)
            if derived is None:
                break
            found.append(derived)
            kind = self._type_called(derived.get("base"))
        return list(reversed(found)) if furthest_first else found

    def _type_of(self, declared: Any) -> Any:
        if declared is None:
            return None
        inline = next(declared.iterchildren(f"{_XS}complexType", f"{_XS}simpleType"), None)
        return self._type_called(declared.get("type")) if inline is None else inline

    def _type_called(self, name: str | None) -> Any:
        prefix, _, local = (name or "").rpartition(":")
        if self._root.nsmap.get(prefix or None) == _XS[1:-1]:
            return None
        found = self._named.get((f"{_XS}complexType", local))
        return self._named.get((f"{_XS}simpleType", local)) if found is None else found

    def _referred(self, node: Any, tag: str) -> Any:
        name = node.get("ref")
        return node if name is None else self._named.get((tag, name.rpartition(":")[2]), node)

    def _attribute(self, declared: Any, name: str) -> Any:
        for each in self._types(declared):
            for attribute in each.iterchildren(f"{_XS}attribute"):
                if attribute.get("name") == name:
                    return attribute
        return None

    def _facets(self, declared: Any, name: str) -> list[Any]:
        found: list[Any] = []
        for each in self._types(declared):
            found += list(each.iterchildren(f"{_XS}{name}"))
        return found


@lru_cache(maxsize=1)
def own_schema() -> Schema:
    """Tutela's own schema."""
    text = (files("tutela.reporting.cybertipline") / "schema.xsd").read_bytes()
    return Schema(text, "Tutela's own schema", is_official=False)


def official_schema(path: Path) -> Schema:
    """The operator's copy of the official schema.

    Raises:
        SettingsError: It cannot be read, or is no schema.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"reporting.cybertipline_schema: {path} cannot be read: {error.strerror}"
        ) from None
    return Schema(text, f"reporting.cybertipline_schema: {path}", is_official=True)
