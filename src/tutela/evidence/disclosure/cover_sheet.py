"""The cover sheet: what is handed over, to whom, why, by whom, and how to open and check it.

It shows no picture and nothing of any medium's content.
"""

from collections.abc import Iterator
from datetime import datetime

from reportlab.lib.units import mm
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    HRFlowable,
    KeepTogether,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from tutela.accounts.keys import named
from tutela.evidence.disclosure.archive import SUMS
from tutela.evidence.disclosure.model import Exhibit, Parcel, Standing
from tutela.evidence.disclosure.typesetting import (
    LINE,
    QUIET,
    WIDTH,
    bound,
    breakable,
    marked,
    pairs,
    rows,
    said,
)

_LONGEST_NAME = 320


def cover_sheet(parcel: Parcel) -> bytes:
    """The cover sheet as a PDF."""
    disclosure = parcel.disclosure
    title = f"Disclosure {disclosure.id} of case {disclosure.case}"
    return bound(
        _sheet(parcel),
        title=title,
        author=parcel.organisation or "Tutela",
        subject="Evidence handed to an authority",
        top="Confidential evidence",
        foot=title,
    )


def _sheet(parcel: Parcel) -> Iterator[Flowable]:
    yield from _what_and_why(parcel)
    yield from _items(parcel)
    yield from _custody(parcel)
    yield from _opening(parcel)
    yield _handing_over(parcel)


def _what_and_why(parcel: Parcel) -> Iterator[Flowable]:
    disclosure = parcel.disclosure
    asked_by = named(disclosure.asked_by, parcel.names)
    agreed_by = named(disclosure.decided_by or "-", parcel.names)
    yield said("Disclosure of evidence", "title")
    yield said(f"Case {disclosure.case}, disclosure {disclosure.id}", "under-title")
    yield pairs(
        [
            ("To", said(disclosure.authority, "name")),
            ("Their reference", disclosure.reference),
            ("Legal basis", disclosure.legal_basis),
            ("From", parcel.organisation or "the operator of this Tutela"),
        ]
    )
    yield _rule()
    yield pairs(
        [
            ("Case opened", _moment(parcel.case_opened_at)),
            ("Case stands", parcel.case_state),
            ("Asked for", f"{_moment(disclosure.asked_at)}, by {asked_by}"),
            ("Agreed to", f"{_moment(disclosure.decided_at)}, by {agreed_by}"),
            ("Package made", _moment(parcel.made_at)),
            ("Encrypted to", _keys(disclosure.recipients)),
            ("SHA-256 of the keys", said(breakable(disclosure.recipients_sha256, 8), "hash")),
        ]
    )
    yield Spacer(0, 2 * mm)
    yield said(
        "Who asked and who agreed are named, and beside it their API keys, as in the ledger. "
        "Everything on this sheet is also in the package, for machines, in case.json and "
        "case-uco.jsonld.",
        "note",
    )


def _keys(recipients: str) -> Paragraph:
    return marked("<br/>".join(recipients.split("\n")[:-1]), "hash")


def _items(parcel: Parcel) -> Iterator[Flowable]:
    inside = sum(1 for each in parcel.exhibits if each.file)
    yield CondPageBreak(50 * mm)
    yield said("Items", "heading")
    yield said(
        f"{_counted(len(parcel.exhibits), 'item')} in this case, "
        f"{_counted(inside, 'file')} in this package."
    )
    yield Spacer(0, 2 * mm)
    for exhibit in parcel.exhibits:
        yield KeepTogether([_rule(), *_item(exhibit)])
    yield _rule()


def _item(exhibit: Exhibit) -> Iterator[Flowable]:
    known = exhibit.known
    head = Table(
        [
            [
                said(str(exhibit.number), "number"),
                said(_short(known.name) or "(no name was given)", "name"),
                said(_STANDINGS[exhibit.standing], "standing"),
            ]
        ],
        colWidths=[9 * mm, None, 38 * mm],
    )
    head.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 0),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    yield head
    size = exhibit.size if exhibit.size is not None else known.size
    digests = dict(known.digests) | ({"sha256": exhibit.sha256} if exhibit.sha256 else {})
    facts: list[tuple[str, Flowable | str | None]] = [
        ("File in the package", said(exhibit.file, "hash") if exhibit.file else None),
        ("Id", said(known.evidence, "hash") if known.evidence and not exhibit.file else None),
        ("Kind of file", exhibit.media_type),
        ("Size", f"{size:,} bytes" if size is not None else None),
        ("Received", f"{_moment(known.received_at)}, from {known.origin}"),
        ("Sealed", _moment(exhibit.sealed_at) if exhibit.sealed_at else None),
        ("Destroyed", _moment(exhibit.destroyed_at) if exhibit.destroyed_at else None),
        ("Legal hold", "yes: it may not be destroyed" if exhibit.held else None),
        *(
            (name, said(digests[kind], "hash") if digests.get(kind) else None)
            for kind, name in (("sha256", "SHA-256"), ("sha1", "SHA-1"), ("md5", "MD5"))
        ),
        (f"PDQ, quality {known.pdq_quality}", said(known.pdq, "hash") if known.pdq else None),
        ("Matched", "; ".join(each.words for each in known.matches)),
    ]
    table = pairs([(name, value) for name, value in facts if value], left=32 * mm)
    table.hAlign = "LEFT"
    yield _indented(table)
    yield Spacer(0, 2 * mm)


_STANDINGS = {
    Standing.KEPT: "in this package",
    Standing.LEFT_OUT: "left out of this package",
    Standing.DESTROYED: "destroyed; described only",
    Standing.MISSED: "gone before it was sealed",
    Standing.NO_FILE: "no file was received",
}


def _indented(table: Table) -> Table:
    outer = Table([["", table]], colWidths=[9 * mm, WIDTH - 9 * mm])
    outer.setStyle(
        TableStyle(
            [
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 0),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
            ]
        )
    )
    return outer


def _custody(parcel: Parcel) -> Iterator[Flowable]:
    numbers = {each.known.evidence: each.number for each in parcel.exhibits if each.known.evidence}
    yield CondPageBreak(50 * mm)
    yield said("Chain of custody", "heading")
    yield said(
        "Every entry of the ledger that names this case, in order, up to the moment before this "
        "package was made. That the ledger is whole and unaltered can be checked: see below."
    )
    yield Spacer(0, 2 * mm)
    yield rows(
        ("Entry", "When (UTC)", "What was done", "By", "As, from", "About"),
        [
            (
                str(entry.number),
                f"{entry.at:%Y-%m-%d %H:%M:%S}",
                entry.act,
                entry.actor,
                f"{entry.role}, {entry.face}",
                f"item {numbers[entry.item]}"
                if entry.item in numbers
                else entry.item or entry.thing or "the case",
            )
            for entry in parcel.extract.entries
        ],
        [17 * mm, 33 * mm, 39 * mm, 22 * mm, 28 * mm, WIDTH - 139 * mm],
    )


def _opening(parcel: Parcel) -> Iterator[Flowable]:
    folder = parcel.disclosure.folder
    steps = (
        (
            "Open it with age (age-encryption.org), any version 1, and your private key:",
            f"age -d -i PRIVATE-KEY-FILE {folder}.tar.age | tar -x",
        ),
        (
            "Check that every file is as it was packed:",
            f"cd {folder} && sha256sum -c {SUMS}",
        ),
        (
            "Check the ledger's entries, with Python 3 and its package cryptography:",
            f"cd ledger && {parcel.extract.how_to_check}",
        ),
    )
    blocks: list[Flowable] = [said("How to open and check the package", "heading")]
    for number, (what, command) in enumerate(steps, start=1):
        blocks += [said(f"{number}. {what}"), said(command, "command"), Spacer(0, 1.5 * mm)]
    blocks.append(
        said(
            "The files in the folder media can harm whoever sees them, and having them may be an "
            "offence for anybody but you. Open them only where that is your duty, and look no "
            "longer than you must. They are kept under neutral names; README.txt says more.",
            "note",
        )
    )
    yield KeepTogether(blocks)


def _handing_over(parcel: Parcel) -> Flowable:
    lines = Table(
        [
            [said("Handed over by", "label"), "", said("Received by", "label")],
            [said("Name, date, signature", "note"), "", said("Name, date, signature", "note")],
        ],
        colWidths=[(WIDTH - 10 * mm) / 2, 10 * mm, (WIDTH - 10 * mm) / 2],
        rowHeights=[17 * mm, None],
    )
    lines.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, 0), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("LINEBELOW", (0, 0), (0, 0), 0.6, QUIET),
                ("LINEBELOW", (2, 0), (2, 0), 0.6, QUIET),
            ]
        )
    )
    on = f"For disclosure {parcel.disclosure.id} of case {parcel.disclosure.case}."
    return KeepTogether([said("Receipt", "heading"), said(on), Spacer(0, 4 * mm), lines])


def _short(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        return name
    return (
        f"{name[:200]} ... {name[-100:]} (shortened: it has {len(name):,} letters, see case.json)"
    )


def _rule() -> Flowable:
    return HRFlowable("100%", 0.4, color=LINE, spaceBefore=2 * mm, spaceAfter=2 * mm)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "-"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
