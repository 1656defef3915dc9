"""What a package holds besides the media: texts for people, and the same for machines."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

import tutela
from tutela.evidence.disclosure.archive import SUMS, Member
from tutela.evidence.disclosure.case_uco import as_case_uco
from tutela.evidence.disclosure.model import Exhibit, OpenMedium, Parcel, Standing

COVER = "cover-sheet.pdf"


def members(parcel: Parcel, open_medium: OpenMedium) -> Iterator[Member]:
    """Every file of the package but its sums, those for people first and the media last."""
    # Not above: it takes a tenth of a second, which every command would wait for.
    from tutela.evidence.disclosure.cover_sheet import cover_sheet  # noqa: PLC0415

    yield Member.of("README.txt", read_me(parcel).encode())
    yield Member.of(COVER, cover_sheet(parcel))
    yield Member.of("case.json", as_json(parcel))
    yield Member.of("case-uco.jsonld", as_case_uco(parcel))
    for name, content in parcel.extract.files.items():
        yield Member.of(f"ledger/{name}", content)
    for exhibit in parcel.exhibits:
        if exhibit.file and exhibit.size is not None:
            yield Member(
                exhibit.file,
                exhibit.size,
                # Each opens its own.
                lambda item=exhibit.id: open_medium(item),  # type: ignore[misc]
                exhibit.sha256,
            )


def as_json(parcel: Parcel) -> bytes:
    """Everything that the package says, for programs; ``null`` where something is not known."""
    disclosure = parcel.disclosure
    document = {
        "format": 1,
        "tutela": tutela.__version__,
        "case": {
            "id": disclosure.case,
            "state": parcel.case_state,
            "opened_at": _moment(parcel.case_opened_at),
        },
        "disclosure": {
            "id": disclosure.id,
            "from": parcel.organisation,
            "to": disclosure.authority,
            "reference": disclosure.reference,
            "legal_basis": disclosure.legal_basis,
            "recipients": disclosure.recipients.splitlines(),
            "recipients_sha256": disclosure.recipients_sha256,
            "asked_at": _moment(disclosure.asked_at),
            "asked_by": disclosure.asked_by,
            "asked_by_name": parcel.names.get(disclosure.asked_by),
            "agreed_at": _moment(disclosure.decided_at),
            "agreed_by": disclosure.decided_by,
            "agreed_by_name": parcel.names.get(disclosure.decided_by or ""),
            "made_at": _moment(parcel.made_at),
        },
        "items": [_item(each) for each in parcel.exhibits],
        "ledger": [
            {
                name: _moment(value)
                if isinstance(value, datetime)
                else value.hex()
                if isinstance(value, bytes)
                else value
                for name, value in asdict(entry).items()
            }
            for entry in parcel.extract.entries
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _item(exhibit: Exhibit) -> dict[str, object]:
    known = exhibit.known
    return {
        "number": exhibit.number,
        "id": known.evidence,
        "file": exhibit.file,
        "standing": exhibit.standing,
        "original_name": known.name,
        "media_type": exhibit.media_type,
        "origin": known.origin,
        "received_at": _moment(known.received_at),
        "sealed_at": _moment(exhibit.sealed_at),
        "destroyed_at": _moment(exhibit.destroyed_at),
        "legal_hold": exhibit.held,
        "size": exhibit.size if exhibit.size is not None else known.size,
        "md5": known.digests.get("md5"),
        "sha1": known.digests.get("sha1"),
        "sha256": exhibit.sha256 or known.digests.get("sha256"),
        "pdq": known.pdq,
        "pdq_quality": known.pdq_quality,
        "matches": [asdict(each) for each in known.matches],
    }


def read_me(parcel: Parcel) -> str:
    """How to open and check everything, in plain text."""
    media = sum(1 for each in parcel.exhibits if each.standing is Standing.KEPT)
    return _READ_ME.format(
        disclosure=parcel.disclosure,
        made_at=_moment(parcel.made_at),
        items=len(parcel.exhibits),
        media=media,
        sums=SUMS,
        cover=COVER,
        how_to_check=parcel.extract.how_to_check,
    )


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


_READ_ME = """\
Disclosure {disclosure.id} of case {disclosure.case}
For: {disclosure.authority}
Reference: {disclosure.reference}
Made: {made_at}

BEFORE YOU OPEN ANYTHING
The files in the folder "media" matched lists of known child sexual abuse
material. They can harm whoever sees them, and having them may be an offence
for anybody but you. Open them only where that is your duty. They have neutral
names that end in .bin, so that no program shows them by itself.

WHAT IS HERE
{cover}    what this is, for people: print it, sign the receipt
case.json          the same for programs: every item with its original name
case-uco.jsonld    the same in CASE/UCO, for the tools of digital forensics
media/             {media} of the case's {items} items, each named by its id
ledger/            proof that the record of the custody is whole
{sums}         the checksum of every file here

HOW YOU OPENED IT
With age (https://age-encryption.org) and your private key:

    age -d -i PRIVATE-KEY-FILE {disclosure.folder}.tar.age | tar -x

Whoever altered one bit of the package would have made this fail. If it ended
with an error, do not use what came out: ask for the package again.

HOW TO CHECK IT
1. Every file is as it was packed:

    sha256sum -c {sums}

2. Every entry of the ledger about this case is in a ledger whose state was
   signed by its key. This needs Python 3 with its package "cryptography". The
   script is short: read it first.

    cd ledger
    {how_to_check}

   Compare the key with one that you were given on another way than with this
   package: by telephone, or on paper.

WHO MAY HAVE READ IT
The package was encrypted to these keys and to nobody else:

{disclosure.recipients}
SHA-256 of them: {disclosure.recipients_sha256}
"""
