"""The tools of digital forensics can read the case."""

import json
import subprocess
import sys
from pathlib import Path

import rdflib

from tests.evidence.disclosure.parcels import parcel
from tutela.evidence.disclosure.case_uco import as_case_uco

VALIDATE = Path(sys.executable).with_name("case_validate")


def _validated(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([VALIDATE, file], capture_output=True, text=True, check=False)


def test_it_is_valid_by_the_ontologys_own_shapes_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "case-uco.jsonld"
    file.write_bytes(as_case_uco(parcel('Фото "из" отпуска')))
    checked = _validated(file)
    assert checked.stdout.strip().endswith("Conforms: True"), checked.stdout + checked.stderr
    assert "warning" not in checked.stderr.lower()
    # The validation can fail: a hash has one value and is of a known kind.
    file.write_text(file.read_text().replace("uco-types:hashValue", "uco-types:hashWorth"))
    assert _validated(file).returncode != 0


def test_it_holds_every_item_hash_and_entry() -> None:
    packed = parcel()
    graph = rdflib.Graph().parse(data=as_case_uco(packed), format="json-ld")
    uco = "https://ontology.unifiedcyberontology.org/uco/"
    case = rdflib.Namespace("https://ontology.caseontology.org/case/investigation/")

    def count(kind: rdflib.URIRef) -> int:
        return len(set(graph.subjects(rdflib.RDF.type, kind)))

    assert count(rdflib.URIRef(f"{uco}observable/File")) == len(packed.exhibits)
    assert count(case.ProvenanceRecord) == len(packed.exhibits)
    assert count(case.InvestigativeAction) == len(packed.extract.entries)
    assert count(case.Investigation) == 1
    values = {
        str(value).lower() for value in graph.objects(None, rdflib.URIRef(f"{uco}types/hashValue"))
    }
    assert {"ab" * 16, "cd" * 20, "01" * 32, "ef" * 32} <= values
    names = {str(name) for name in graph.objects(None, rdflib.URIRef(f"{uco}core/name"))}
    assert {"State Police of Example", "Example Forum Ltd", "Tutela", "key:5"} <= names


def test_two_packages_of_a_case_name_its_things_alike() -> None:
    def names(content: bytes) -> set[str]:
        return {node["@id"] for node in json.loads(content)["@graph"]}

    assert names(as_case_uco(parcel(count=3))) < names(as_case_uco(parcel(count=9)))
