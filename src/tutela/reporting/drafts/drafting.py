"""A draft that fills itself: from what is known of a case to what a report says. Pure.

Nothing is guessed. What is not known stays empty, and ``missing.py`` says what it would add. Nobody
gets in but whom the case is about and whom the platform named for this very case; nothing of any
upload but the case's own items.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tutela.cases.facts import Fact
from tutela.cases.grounds import WORDS
from tutela.cases.model import CaseId, ItemKind
from tutela.evidence.model import ItemId
from tutela.fingerprints.model import FingerprintSet, Kind
from tutela.reporting.cybertipline.model import (
    ChatImIncident,
    Content,
    FileDescription,
    IncidentSummary,
    InternetDetails,
    OriginalFileHash,
    PersonOrUserReported,
    WebPageIncident,
)
from tutela.reporting.cybertipline.vocabulary import FileRelevance
from tutela.reporting.drafts.incidents import (
    Said,
    classification,
    escalation,
    file_annotations,
    incident_type,
    report_annotations,
)
from tutela.reporting.drafts.supplied import Supplied, Upload
from tutela.reporting.model import CaseItemNumber
from tutela.storage.settings import Company

LONGEST_TEXT = 3_000
# Of an archive with many known files a few are named; the others are in the case.
_MOST_WITHIN = 20
LONGEST_WORDS = 100_000
LONGEST_ADDRESS = 2_083
MOST_ADDRESSES = 1_000

UPLOADED = "When the first of it was uploaded, as the platform says."
RECEIVED = "When the first of it was received to be screened."

HASH_TYPES: Mapping[Kind, str] = {
    Kind.MD5: "MD5",
    Kind.SHA1: "SHA1",
    Kind.SHA256: "SHA256",
    Kind.PDQ: "PDQ",
}
"""What a report calls each kind of hash."""

_LIKE = {Kind.PDQ: "a similar picture", Kind.VPDQ: "a similar video"}
_OTHERWISE = {
    Kind.PDQ: f"has a similar picture ({HASH_TYPES[Kind.PDQ]})",
    Kind.VPDQ: "has a similar video (vPDQ)",
    Kind.URL: "has this address",
    Kind.URL_PREFIX: "has an address that this one lies below",
    Kind.DOMAIN: "has the host of this address",
    Kind.TEXT: "has the same words",
}

# What XML 1.0 cannot hold (section 2.2).
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


BY_RECORD = frozenset({"file_viewed_by_esp", "exif_viewed_by_esp"})
"""What is said of a file by the record alone."""


@dataclass(frozen=True, slots=True)
class GatheredItem:
    """An item of the case, as far as a report tells of it.

    Attributes:
        item: Its number.
        kind: What it is.
        origin: Where it came from, such as ``scan``.
        name: The file's name; may be empty.
        reference: What the platform calls the upload.
        received_at: When it came.
        fingerprints: What is known of the file itself.
        labels: Its own labels, each as ``scheme/label``.
        matches: The lists that have it, each with the kind of fingerprint.
        within: The lists that have something in it, each with the kind and the place.
        evidence: What was sealed of it and is still there.
        viewed: Whether a person saw the entire content, by the record of viewings.
        words: What a text or an address says.
    """

    item: CaseItemNumber
    kind: ItemKind
    origin: str
    name: str
    reference: str | None
    received_at: datetime
    fingerprints: FingerprintSet
    labels: frozenset[str] = frozenset()
    matches: tuple[tuple[str, Kind], ...] = ()
    within: tuple[tuple[str, Kind, str], ...] = ()
    evidence: ItemId | None = None
    viewed: bool = False
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that a draft is filled from.

    Attributes:
        case: The case.
        subject: Whom it is about, as the platform calls them.
        facts: What is known of it.
        labels: The labels of the case as a whole, each as ``scheme/label``.
        items: What it is about.
        company: Who reports, as the settings have it.
        supplied: What the platform supplied for this case.
        prior: The authority's numbers of earlier reports about the same subject.
        prior_names: The same where the authority's names are no numbers.
    """

    case: CaseId
    subject: str | None
    facts: frozenset[Fact]
    labels: frozenset[str]
    items: tuple[GatheredItem, ...]
    company: Company
    supplied: Supplied = field(default_factory=Supplied)
    prior: tuple[int, ...] = ()
    prior_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file that goes with a draft.

    Attributes:
        item: The item of the case.
        evidence: Its bytes in the vault.
        values: JSON of the content model's ``FileDescription``.
    """

    item: CaseItemNumber
    evidence: ItemId
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a draft says.

    Attributes:
        values: JSON of the content model's ``Report``. Where something that it has to say is not
            known, it is left out.
        files: The files that go with it.
    """

    values: Mapping[str, Any]
    files: tuple[DraftFile, ...]


def draft(gathered: Gathered) -> Draft:
    """Fill a draft from what is known."""
    files = [each for each in gathered.items if _is_file(each)]
    uploads = {each.reference: each for each in gathered.supplied.uploads}
    values: dict[str, Any] = {
        "incident_summary": _summary(gathered, uploads),
        "internet_details": [plain(each) for each in _places(gathered)],
        "reporter": _reporter(gathered.company),
        "person_or_user_reported": _reported(gathered),
        "intended_recipients": [plain(each) for each in gathered.supplied.intended_recipients],
        "victims": [plain(each) for each in gathered.supplied.victims],
        "additional_info": _more(gathered),
    }
    return Draft(
        values={name: value for name, value in values.items() if value not in (None, [])},
        files=tuple(
            DraftFile(
                each.item,
                each.evidence,
                _file(gathered, each, uploads.get(each.reference or ""), alone=len(files) == 1),
            )
            for each in files
            if each.evidence is not None
        ),
    )


def said_of(gathered: Gathered) -> Said:
    """What is said of the case as a whole and of all its items."""
    labels = gathered.labels.union(*(each.labels for each in gathered.items))
    kinds = frozenset(each.kind for each in gathered.items)
    return Said(labels, gathered.facts, kinds)


def _is_file(item: GatheredItem) -> bool:
    """Whether it is a file that can be sent, and seen to arrive as it is."""
    known = item.fingerprints
    whole = known.size is not None and known.md5 is not None and known.sha256 is not None
    return item.kind not in WORDS and item.evidence is not None and whole


def _summary(gathered: Gathered, uploads: Mapping[str, Upload]) -> Mapping[str, Any]:
    said = said_of(gathered)
    known = [
        uploaded
        for each in gathered.items
        if each.reference is not None
        and (upload := uploads.get(each.reference)) is not None
        and (uploaded := upload.uploaded_at) is not None
    ]
    when = min(known) if known else min(each.received_at for each in gathered.items)
    kind = incident_type(said)
    values: dict[str, Any] = {
        "escalate_to_high_priority": escalation(gathered.facts),
        "report_annotations": report_annotations(said),
        "incident_date_time": when,
        "incident_date_time_description": UPLOADED if known else RECEIVED,
    }
    if kind is not None:
        return plain(IncidentSummary.model_validate({"incident_type": kind, **values}))
    # Valid but for what is missing: any kind will do to write the rest as JSON has it.
    stand_in = {"incident_type": "csam", **values}
    rest = dict(plain(IncidentSummary.model_validate(stand_in)))
    del rest["incident_type"]
    return rest


def _places(gathered: Gathered) -> Iterator[InternetDetails]:
    """Where it happened: what the platform said, with the words and addresses of the case."""
    words = [
        text for each in gathered.items if each.kind is ItemKind.TEXT and (text := _words(each))
    ]
    for place in gathered.supplied.internet_details:
        held = _with_words(place, words)
        if held is not None:
            del words[0]
        yield held or place
    client = _short(gathered.company.service, 255)
    for text in words:
        yield InternetDetails(chat_im_incident=ChatImIncident(chat_client=client, content=text))
    addresses = [
        text
        for each in gathered.items
        if each.kind is ItemKind.URL and (text := _clean(each.words or "", LONGEST_ADDRESS))
    ]
    if addresses:
        once = tuple(dict.fromkeys(addresses))[:MOST_ADDRESSES]
        yield InternetDetails(web_page_incident=WebPageIncident(urls=once))


def _with_words(place: InternetDetails, words: Sequence[str]) -> InternetDetails | None:
    """The same place with the next words, if it is one for words and has none."""
    if not words:
        return None
    for name in type(place).model_fields:
        part = getattr(place, name)
        if part is not None and "content" in type(part).model_fields and part.content is None:
            return place.model_copy(update={name: part.model_copy(update={"content": words[0]})})
    return None


def _reporter(company: Company) -> Mapping[str, Any]:
    person = _person(company.first_name, company.last_name, company.phone, company.email)
    contact = _person(
        company.contact_first_name,
        company.contact_last_name,
        company.contact_phone,
        company.contact_email,
    )
    values = {
        "reporting_person": person,
        "contact_person": contact,
        "company_template": company.template,
        "terms_of_service": company.terms_of_service,
        "legal_url": company.legal_url,
    }
    given = {name: value for name, value in values.items() if value not in (None, {})}
    return {"reporting_person": {}, **given}


def _person(
    first: str | None, last: str | None, phone: str | None, email: str | None
) -> Mapping[str, Any]:
    values: dict[str, Any] = {"first_name": first, "last_name": last}
    if phone:
        values["phones"] = [{"number": phone}]
    if email:
        values["emails"] = [{"address": email}]
    return {name: value for name, value in values.items() if value}


def _reported(gathered: Gathered) -> Mapping[str, Any] | None:
    reported = gathered.supplied.reported or PersonOrUserReported()
    prior = tuple(dict.fromkeys((*reported.prior_ct_reports, *gathered.prior)))
    known: dict[str, Any] = {"prior_ct_reports": prior}
    if gathered.subject is not None:
        known["esp_identifier"] = reported.esp_identifier or _short(gathered.subject, 255)
        service = _short(gathered.company.service, 100)
        known["esp_service"] = reported.esp_service or service
    said = plain(reported.model_copy(update=known))
    return said or None


def _more(gathered: Gathered) -> str | None:
    lines = []
    absent = [each for each in gathered.items if each.kind not in WORDS and not _is_file(each)]
    if absent:
        files = "One file is" if len(absent) == 1 else f"{len(absent)} files are"
        lines.append(f"{files} known by hashes alone, or not to the bit, and cannot be sent:")
        lines += [
            ", ".join(f"{hash_.hash_type} {hash_.value}" for hash_ in _hashes(each)) or "no hashes"
            for each in absent
        ]
    if gathered.prior_names:
        lines.append(
            f"Earlier reports to you about the same account: {', '.join(gathered.prior_names)}."
        )
    return _clean("\n".join(lines), LONGEST_TEXT)


def _file(
    gathered: Gathered, item: GatheredItem, upload: Upload | None, *, alone: bool
) -> Mapping[str, Any]:
    # What is said of a case with one file is said of that file.
    said = Said(item.labels | (gathered.labels if alone else frozenset()))
    is_reported = _is_reported(gathered, item)
    values: dict[str, Any] = {
        "original_file_name": _clean(_name(item, upload), LONGEST_TEXT),
        "file_viewed_by_esp": item.viewed,
        # Nobody is shown a file's EXIF data here.
        "exif_viewed_by_esp": False,
        "file_relevance": FileRelevance.REPORTED if is_reported else FileRelevance.SUPPLEMENTAL,
        "file_annotations": file_annotations(said),
        "industry_classification": classification(said) if is_reported else None,
        "original_file_hashes": tuple(_hashes(item)),
        "additional_infos": tuple(_found_by(item)),
    }
    if upload is not None:
        values |= {
            "location_of_file": upload.location_of_file,
            "publicly_available": upload.publicly_available,
            "ip_capture_events": upload.ip_capture_events,
            "device_ids": upload.device_ids,
        }
    return plain(FileDescription(**values))


def _is_reported(gathered: Gathered, item: GatheredItem) -> bool:
    """Whether a file is what is reported, or only helps to understand what is.

    Where a list has some of the files, or people classified some, the others are there beside them.
    """
    marked = [each.item for each in gathered.items if _is_file(each) and _is_marked(each)]
    return not marked or item.item in marked


def _is_marked(item: GatheredItem) -> bool:
    return bool(item.matches or item.within) or classification(Said(item.labels)) is not None


def _name(item: GatheredItem, upload: Upload | None) -> str:
    if upload is not None and upload.original_file_name:
        return upload.original_file_name
    # What a scan calls a file is its path on the machine of the house.
    return item.name.rsplit("/", 1)[-1] if item.origin == "scan" else item.name


def _hashes(item: GatheredItem) -> Iterator[OriginalFileHash]:
    texts = item.fingerprints.as_texts()
    for kind, name in HASH_TYPES.items():
        if texts.get(kind):
            yield OriginalFileHash(value=str(texts[kind]), hash_type=name)


def _found_by(item: GatheredItem) -> Iterator[str]:
    exact = {name: kind for name, kind in item.matches if kind.is_digest}
    for name, kind in exact.items():
        yield _sure(f'The list "{name}" has the very same file ({HASH_TYPES[kind]}).')
    for name, kind in dict(item.matches).items():
        if name not in exact:
            yield _sure(f'The list "{name}" {_OTHERWISE[kind]}.')
    for name, found, place in item.within[:_MOST_WITHIN]:
        like, made_by = _LIKE.get(found, "the very same file"), HASH_TYPES.get(found, "vPDQ")
        yield _sure(f'The list "{name}" has {like} ({made_by}) as is in it: {place}')


def _words(item: GatheredItem) -> str | None:
    return _clean(item.words or "", LONGEST_WORDS)


def _sure(text: str) -> str:
    return _clean(text, LONGEST_TEXT) or "-"


def _clean(text: str, longest: int) -> str | None:
    """Text as a report can hold it; ``None`` if nothing is left."""
    return _NOT_IN_XML.sub("\ufffd", text).strip()[:longest].strip() or None


def _short(text: str | None, longest: int) -> str | None:
    return None if text is None else _clean(text, longest)


def plain(content: Content) -> dict[str, Any]:
    """A part of a report as JSON has it, without what is not said."""
    return content.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
