"""The schema and the model say the same, and the order is the schema's."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree
from pydantic import StringConstraints

import tutela
from tests.reporting.cybertipline.every_field import EVERY_CLASS, EVERY_NAME, EVERY_WAY, ROOTS, Way
from tutela.errors import SettingsError
from tutela.reporting.cybertipline import vocabulary
from tutela.reporting.cybertipline.model import Content, FileDescription, FileDetails, Report
from tutela.reporting.cybertipline.parsing import parse
from tutela.reporting.cybertipline.schema import ElementPath, Schema, official_schema, own_schema
from tutela.reporting.cybertipline.shape import Kind, elements, parts
from tutela.reporting.cybertipline.vocabulary import IncidentType, meaning, spellings

_XS = "{http://www.w3.org/2001/XMLSchema}"
_TEXT = (files("tutela.reporting.cybertipline") / "schema.xsd").read_bytes()


def _places(path: ElementPath, model: type[Content]) -> Iterator[tuple[ElementPath, type[Content]]]:
    yield path, model
    for part in parts(model):
        if part.content is not None:
            yield from _places((*path, part.name), part.content)


PLACES = [each for root, model in ROOTS.items() for each in _places((root,), model)]


@pytest.mark.parametrize(("path", "model"), PLACES, ids=["/".join(path) for path, _ in PLACES])
def test_the_model_has_what_the_schema_has(path: ElementPath, model: type[Content]) -> None:
    schema = own_schema()
    assert sorted(schema.children(path)) == sorted(elements(model))
    declared = schema._at(path)
    attributes = [
        each.get("name")
        for kind in schema._types(declared)
        for each in kind.iter(f"{_XS}attribute")
    ]
    of_model = [part.name for part in parts(model) if part.kind is Kind.ATTRIBUTE]
    assert sorted(set(attributes)) == sorted(of_model)
    for name, node in schema._elements_in(declared):
        part = elements(model)[name]
        assert part.many == (node.get("maxOccurs") == "unbounded"), name


# Said or unsaid, they have to be thought of; and whoever reports has an address.
_REQUIRED_BY_THE_MODEL_ALONE = {"file_viewed_by_esp", "exif_viewed_by_esp", "emails"}


@pytest.mark.parametrize(("path", "model"), PLACES, ids=["/".join(path) for path, _ in PLACES])
def test_what_the_schema_needs_the_model_needs(path: ElementPath, model: type[Content]) -> None:
    schema = own_schema()
    for name, node in schema._elements_in(schema._at(path)):
        part = elements(model)[name]
        is_choice = node.getparent().tag == f"{_XS}choice"
        needed = node.get("minOccurs", "1") != "0" and not is_choice
        if part.field not in _REQUIRED_BY_THE_MODEL_ALONE:
            assert part.required == needed, name


@pytest.mark.parametrize(("root", "way"), EVERY_WAY, ids=EVERY_NAME)
def test_the_limits_of_the_model_are_those_of_the_schema(root: str, way: Way) -> None:
    model = way[-2].content if len(way) > 1 else ROOTS[root]
    assert model is not None
    limit = _longest(model, way[-1].field)
    path = (root, *(part.name for part in way if part.kind in {Kind.ELEMENT, Kind.MARKS}))
    schema = own_schema()
    declared = schema._at(path)
    if way[-1].kind is Kind.ATTRIBUTE:
        declared = schema._attribute(declared, way[-1].name)
    assert declared is not None
    facets = [int(each.get("value")) for each in schema._facets(declared, "maxLength")]
    assert facets == ([limit] if limit else [])


def _longest(model: type[Content], field: str) -> int | None:
    from typing import get_args, get_origin, get_type_hints

    def constraints(hint: object) -> Iterator[StringConstraints]:
        for each in getattr(hint, "__metadata__", ()):
            if isinstance(each, StringConstraints):
                yield each
        for inner in get_args(hint) if get_origin(hint) or hasattr(hint, "__metadata__") else ():
            yield from constraints(inner)

    hint = get_type_hints(model, include_extras=True)[field]
    return next((each.max_length for each in constraints(hint)), None)


def test_every_fixed_string_of_the_schema_has_a_name_and_every_name_a_string() -> None:
    named = {
        each
        for each in vars(vocabulary).values()
        if isinstance(each, type) and issubclass(each, StrEnum) and each is not StrEnum
    }
    assert named == set(vocabulary._TYPES)
    tree = etree.fromstring(_TEXT)
    keys = tree.xpath("//@t:key", namespaces={"t": "urn:tutela:cybertipline"})
    assert len(keys) == sum(len(kind) for kind in named)
    assert len(tree.findall(f".//{_XS}enumeration")) == len(
        tree.xpath(
            "//xs:enumeration[@t:key]", namespaces={"t": "urn:tutela:cybertipline", "xs": _XS[1:-1]}
        )
    )


def test_what_decides_has_a_meaning_in_words() -> None:
    for kind in (IncidentType, vocabulary.ReportAnnotation, vocabulary.FileAnnotation):
        assert all(meaning(word).endswith(".") for word in kind)


def test_the_legal_terms_stand_in_the_schema_and_nowhere_else_in_the_package() -> None:
    strings = [
        text for kind in (IncidentType,) for word in kind for text in spellings(word) if " " in text
    ]
    assert len(strings) == 9
    package = Path(tutela.__file__).parent
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not any(string in text for string in strings), path


def test_each_doubtful_point_is_marked_with_its_reason() -> None:
    doubts = dict(own_schema().doubts())
    for place in (
        "incidentSummary/reportAnnotations",
        "personOrUserReported/groupIdentifier",
        "personOrUserReported/accountTemporarilyDisabled",
        "intendedRecipient/accountPermanentlyDisabled",
        "reportDoneResponse",
    ):
        assert place in doubts
    assert any("Acts" in place and "disagree" in why for place, why in doubts.items())


def test_every_class_and_field_is_described() -> None:
    for model in EVERY_CLASS:
        assert model.__doc__
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


@pytest.mark.parametrize("model", [Report, FileDescription, FileDetails])
def test_forms_and_the_api_s_documentation_can_be_made_of_the_model(model: type[Content]) -> None:
    schema = model.model_json_schema()
    for each in [schema, *schema["$defs"].values()]:
        for name, told in each.get("properties", {}).items():
            # What the class says already is not said twice.
            there = schema["$defs"].get(told.get("$ref", "").rpartition("/")[2], {})
            assert told.get("description") or there["description"], name
    summary = schema["$defs"].get("IncidentSummary")
    if summary:
        assert summary["properties"]["escalate_to_high_priority"]["anyOf"][0]["maxLength"] == 3000


def test_threads_may_share_a_schema() -> None:
    right = parse(b"<reportResponse><responseCode>0</responseCode></reportResponse>")
    wrong = parse(b"<reportResponse><responseCode>x</responseCode></reportResponse>")

    def found(number: int) -> int:
        return len(own_schema().complaints(wrong if number % 2 else right))

    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(found, range(2_000)))
    assert set(counts[::2]) == {0}
    assert len(set(counts[1::2])) == 1
    assert counts[1] > 0


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<report/>",
        b"<!DOCTYPE x><report/>",
        b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        b'<xs:include schemaLocation="http://192.0.2.1/other.xsd"/></xs:schema>',
    ],
)
def test_what_is_no_schema_in_one_file_is_no_official_copy(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "official.xsd"
    path.write_bytes(text)
    with pytest.raises(SettingsError, match=r"reporting\.cybertipline_schema.*GET /xsd"):
        official_schema(path)


def test_a_copy_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match=r"reporting\.cybertipline_schema: .*cannot be read"):
        official_schema(Path("/nowhere/official.xsd"))


def test_schemas_are_read_however_they_are_written() -> None:
    """Types inside of elements, references, groups and derived types."""
    text = rb"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
      <xs:element name="report"><xs:complexType><xs:sequence>
        <xs:group ref="both"/><xs:element ref="last"/>
      </xs:sequence></xs:complexType></xs:element>
      <xs:group name="both"><xs:sequence>
        <xs:element name="first" type="more"/><xs:choice><xs:element name="second"/></xs:choice>
      </xs:sequence></xs:group>
      <xs:element name="last"><xs:simpleType><xs:restriction base="xs:string">
        <xs:enumeration value="yes"/><xs:enumeration value="no"/>
      </xs:restriction></xs:simpleType></xs:element>
      <xs:complexType name="less"><xs:all><xs:element name="inner" type="xs:string"/></xs:all>
      </xs:complexType>
      <xs:complexType name="more"><xs:complexContent><xs:extension base="less">
        <xs:sequence/><xs:attribute name="kind"><xs:simpleType><xs:restriction base="xs:string">
          <xs:enumeration value="one"/></xs:restriction></xs:simpleType></xs:attribute>
      </xs:extension></xs:complexContent></xs:complexType>
    </xs:schema>""".replace(b"<xs:all>", b"<xs:sequence>").replace(b"</xs:all>", b"</xs:sequence>")
    schema = Schema(text, "a schema", is_official=True)
    assert schema.children(("report",)) == ("first", "second", "last")
    assert schema.children(("report", "first")) == ("inner",)
    assert schema.values(("report", "last")) == {"yes", "no"}
    assert schema.values(("report", "first"), "kind") == {"one"}
    assert schema.children(("report", "second", "nothing")) == ()
    assert schema.values(("report", "first", "inner")) == set()


def test_the_file_says_that_it_is_not_the_official_one() -> None:
    assert re.search(rb"It is not NCMEC's", _TEXT)
