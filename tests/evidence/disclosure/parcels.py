"""Parcels from plain values, for what needs no database."""

from datetime import UTC, datetime, timedelta

from tutela.evidence.disclosure.model import (
    Disclosure,
    DisclosureId,
    DossierItem,
    Exhibit,
    Extract,
    Matched,
    Parcel,
    Standing,
    State,
)
from tutela.ledger.model import Entry, EntryNumber

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
IDS = ["a" * 26, "b" * 26, "c" * 26, "d" * 26, "e" * 26]


def item(evidence: str | None, name: str = "holiday.jpg") -> DossierItem:
    """What a case knows of an item."""
    return DossierItem(
        evidence=evidence,
        name=name,
        origin="key:forum",
        received_at=NOON,
        size=123_456,
        digests={"md5": "ab" * 16, "sha1": "cd" * 20, "sha256": "ef" * 32},
        pdq="f0" * 32,
        pdq_quality=99,
        matches=(Matched("partner", "md5"), Matched("hotline", "pdq")),
    )


def exhibits(name: str = "holiday.jpg") -> tuple[Exhibit, ...]:
    """One item of each standing."""
    gone = NOON + timedelta(days=3)
    return (
        Exhibit(
            1,
            item(IDS[0], name),
            Standing.KEPT,
            5,
            "01" * 32,
            NOON,
            held=True,
            media_type="image/png",
        ),
        Exhibit(2, item(IDS[1]), Standing.LEFT_OUT, 9, "02" * 32, NOON),
        Exhibit(3, item(IDS[2]), Standing.DESTROYED, 7, "03" * 32, NOON, gone),
        Exhibit(4, item(IDS[3]), Standing.MISSED),
        Exhibit(5, item(None, ""), Standing.NO_FILE),
    )


def entries(count: int) -> tuple[Entry, ...]:
    """Entries of a ledger about the case."""
    acts = ("case.opened", "evidence.sealed", "disclosure.requested")
    return tuple(
        Entry(
            number=EntryNumber(1000 + 7 * number),
            at=NOON + timedelta(minutes=number),
            actor=("tutela", "key:5", "os:1000")[number % 3],
            role="operator",
            face="cli",
            act=acts[number % 3],
            case="7K3M-9QPD-2X4H",
            item=IDS[0] if number % 3 == 1 else None,
            thing="disclosure:3" if number % 3 == 2 else None,
            reason=bytes(32) if number % 2 else None,
        )
        for number in range(count)
    )


def parcel(
    name: str = "holiday.jpg",
    authority: str = "State Police of Example",
    legal_basis: str = "Order of the District Court of Example of 12 January 2026",
    count: int = 6,
) -> Parcel:
    """A parcel with an item of each standing."""
    return Parcel(
        disclosure=Disclosure(
            id=DisclosureId(3),
            case="7K3M-9QPD-2X4H",
            state=State.AGREED,
            authority=authority,
            legal_basis=legal_basis,
            reference="12 Js 345/26",
            recipients="age1jw48gptpw649dx3gul60qupapw0d4x38jydrkqqv2xhq0m62p35qrt8tg9\n",
            recipients_sha256="9f" * 32,
            contents="",
            asked_at=NOON,
            asked_by="key:5",
            decided_at=NOON + timedelta(days=1),
            decided_by="key:8",
        ),
        case_state="open",
        case_opened_at=NOON,
        exhibits=exhibits(name),
        extract=Extract(entries(count), {"checkpoint.txt": b"x"}, "python3 verify_proof.py"),
        organisation="Example Forum Ltd",
        made_at=NOON + timedelta(days=2),
        names={"key:5": "ada", "key:8": "ben"},
    )
