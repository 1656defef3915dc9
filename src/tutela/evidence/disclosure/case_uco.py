"""The case as CASE/UCO JSON-LD, which the tools of digital forensics read.

Written for CASE 1.5 and its UCO (https://ontology.caseontology.org); the tests check it with the
project's own ``case_validate``. Identifiers are UUIDs made from the case's and items' own (RFC
9562, version 5), so two packages of one case name the same things alike.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime

import tutela
from tutela.evidence.disclosure.model import Exhibit, Parcel, Standing
from tutela.ledger.model import Entry

Node = dict[str, object]

_CONTEXT = {
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "uco-vocabulary": "https://ontology.unifiedcyberontology.org/uco/vocabulary/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

# The vocabulary's own spellings (uco-vocabulary:HashNameVocab). PDQ is not in it.
_HASH_METHODS = {"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256"}

# RFC 9562, section 6.6: any fixed UUID will do, so long as it stays the same.
_NAMESPACE = uuid.UUID("0f2b7a52-6d0c-4b8e-9a51-3f6f0a7c41de")


def as_case_uco(parcel: Parcel) -> bytes:
    """The package's case as a JSON-LD document, in UTF-8.

    It holds what the cover sheet says and no content of any medium.
    """
    graph = list(_graph(parcel))
    document = {"@context": _CONTEXT, "@graph": graph}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _graph(parcel: Parcel) -> Iterator[Node]:
    disclosure = parcel.disclosure
    name = _Names(disclosure.case)
    exhibits = {each.known.evidence: each for each in parcel.exhibits if each.known.evidence}
    yield {
        "@id": name("investigation"),
        "@type": "case-investigation:Investigation",
        "uco-core:name": f"Case {disclosure.case}",
        "uco-core:startTime": _moment(parcel.case_opened_at),
        "case-investigation:investigationStatus": parcel.case_state,
        "case-investigation:relevantAuthorization": _ref(name("authorization")),
        "uco-core:object": [
            *(_ref(name("exhibit", each.id)) for each in parcel.exhibits),
            *(_ref(name("provenance", each.id)) for each in parcel.exhibits),
            *(_ref(name("entry", str(each.number))) for each in parcel.extract.entries),
        ],
    }
    yield {
        "@id": name("authorization"),
        "@type": "case-investigation:Authorization",
        "uco-core:name": f"Disclosure {disclosure.id} of case {disclosure.case}",
        "uco-core:description": disclosure.legal_basis,
        "case-investigation:authorizationType": "legal basis of a disclosure",
        "case-investigation:authorizationIdentifier": disclosure.reference,
        "uco-core:startTime": _moment(disclosure.decided_at or disclosure.asked_at),
    }
    yield _organisation(name("authority"), disclosure.authority, "Receives the disclosure.")
    yield _organisation(
        name("organisation"),
        parcel.organisation or "The operator of this Tutela",
        "Keeps the evidence and discloses it.",
    )
    yield {
        "@id": name("tool"),
        "@type": "uco-tool:Tool",
        "uco-core:name": "Tutela",
        "uco-tool:version": tutela.__version__,
        "uco-tool:toolType": "custody of evidence",
    }
    for each in sorted({entry.actor for entry in parcel.extract.entries}):
        yield {
            "@id": name("actor", each),
            "@type": "uco-identity:Identity",
            "uco-core:name": each,
            "uco-core:description": "The ledger's name of who acted; it is no personal datum.",
        }
    for exhibit in parcel.exhibits:
        yield from _exhibit(name, exhibit)
    for entry in parcel.extract.entries:
        about = exhibits.get(entry.item or "")
        yield _action(name, entry, about.id if about else None)


def _exhibit(name: "_Names", exhibit: Exhibit) -> Iterator[Node]:
    known = exhibit.known
    hashes = {
        method: known.digests[kind]
        for kind, method in _HASH_METHODS.items()
        if known.digests.get(kind)
    }
    if exhibit.sha256:
        hashes["SHA256"] = exhibit.sha256
    size = exhibit.size if exhibit.size is not None else known.size
    named: Node = {"uco-observable:fileName": known.name} if known.name else {}
    measured: Node = {"uco-observable:sizeInBytes": _integer(size)} if size is not None else {}
    kind: Node = {"uco-observable:mimeType": exhibit.media_type} if exhibit.media_type else {}
    facets: list[Node] = [
        {
            "@id": name("file-facet", exhibit.id),
            "@type": "uco-observable:FileFacet",
            **named,
            **measured,
        },
        {
            "@id": name("content-facet", exhibit.id),
            "@type": "uco-observable:ContentDataFacet",
            **measured,
            **kind,
            "uco-observable:hash": [
                {
                    "@id": name(f"hash-{method}", exhibit.id),
                    "@type": "uco-types:Hash",
                    "uco-types:hashMethod": method,
                    "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": value},
                }
                for method, value in hashes.items()
            ],
        },
    ]
    pdq = [f"PDQ {known.pdq}, quality {known.pdq_quality}"] if known.pdq else []
    matched = [f"Matched the list {each.words}." for each in known.matches]
    yield {
        "@id": name("exhibit", exhibit.id),
        "@type": "uco-observable:File",
        "uco-core:name": f"Item {exhibit.number}",
        "uco-core:description": [f"Received from {known.origin}.", *pdq, *matched],
        "uco-core:objectCreatedTime": _moment(known.received_at),
        "uco-core:hasFacet": facets,
    }
    yield {
        "@id": name("provenance", exhibit.id),
        "@type": "case-investigation:ProvenanceRecord",
        "uco-core:description": _STANDINGS[exhibit.standing].format(
            file=exhibit.file, at=exhibit.destroyed_at
        ),
        "case-investigation:exhibitNumber": exhibit.id,
        "uco-core:objectCreatedTime": _moment(exhibit.sealed_at or known.received_at),
        "uco-core:object": [_ref(name("exhibit", exhibit.id))],
    }


_STANDINGS: Mapping[Standing, str] = {
    Standing.KEPT: "Kept sealed since it was received; its content is {file} in this package.",
    Standing.LEFT_OUT: "Kept sealed; left out of this package by those who asked for it.",
    Standing.DESTROYED: "Destroyed at {at}; only its description is left.",
    Standing.MISSED: "Its file had changed or gone before it could be sealed.",
    Standing.NO_FILE: "Its file was never received, only its fingerprints.",
}


def _action(name: "_Names", entry: Entry, exhibit: str | None) -> Node:
    about = [name("exhibit", exhibit), name("provenance", exhibit)] if exhibit else []
    return {
        "@id": name("entry", str(entry.number)),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": entry.act,
        "uco-core:description": f"Entry {entry.number} of the ledger; "
        f"as {entry.role}, by {entry.face}.",
        "uco-action:startTime": _moment(entry.at),
        "uco-action:endTime": _moment(entry.at),
        "uco-action:performer": _ref(name("actor", entry.actor)),
        "uco-action:instrument": _ref(name("tool")),
        "uco-action:object": [_ref(each) for each in about or [name("investigation")]],
    }


def _organisation(id_: str, name: str, description: str) -> Node:
    return {
        "@id": id_,
        "@type": "uco-identity:Organization",
        "uco-core:name": name,
        "uco-core:description": description,
    }


class _Names:
    """Gives each thing of a case its identifier."""

    def __init__(self, case: str) -> None:
        self._case = uuid.uuid5(_NAMESPACE, case)

    def __call__(self, kind: str, which: str = "") -> str:
        return uuid.uuid5(self._case, f"{kind} {which}").urn


def _ref(name: str) -> Node:
    return {"@id": name}


def _moment(at: datetime) -> Node:
    return {"@type": "xsd:dateTime", "@value": at.isoformat()}


def _integer(value: int) -> Node:
    return {"@type": "xsd:integer", "@value": str(value)}
