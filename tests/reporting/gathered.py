"""What is known of cases, for the tests of drafts: made up, and of nobody."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from tests.reporting.cybertipline.strategies import contents
from tutela.cases.facts import Fact
from tutela.cases.model import CaseId, ItemKind
from tutela.evidence.model import ItemId
from tutela.fingerprints.model import FingerprintSet, Kind
from tutela.reporting.cybertipline.model import (
    IntendedRecipient,
    InternetDetails,
    PersonOrUserReported,
    Victim,
)
from tutela.reporting.drafts.drafting import Gathered, GatheredItem
from tutela.reporting.drafts.supplied import Supplied, Upload
from tutela.reporting.model import CaseItemNumber
from tutela.storage.settings import Company

CASE = CaseId("7K3M-9QPD-2X4H")
WHEN = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
COMPANY = Company(
    service="Example Forum",
    email="safety@forum.example",
    first_name="Ada",
    last_name="Example",
    legal_url="https://forum.example/legal",
)


def known(content: bytes = b"a landscape") -> FingerprintSet:
    """The fingerprints of a file."""
    return FingerprintSet(
        size=len(content),
        md5=hashlib.md5(content).digest(),
        sha1=hashlib.sha1(content).digest(),
        sha256=hashlib.sha256(content).digest(),
        pdq=bytes(32),
        pdq_quality=100,
    )


def item(number: int = 1, kind: ItemKind = ItemKind.PICTURE, **values: Any) -> GatheredItem:
    """An item of a case, sealed, and matched by nothing."""
    words = "words of the chat" if kind is ItemKind.TEXT else None
    return GatheredItem(
        **{
            "item": CaseItemNumber(number),
            "kind": kind,
            "origin": "key:forum",
            "name": "a-landscape.png",
            "reference": f"upload-{number}",
            "received_at": WHEN,
            "fingerprints": known(),
            "evidence": ItemId(f"{number:026}"),
            "words": words,
            **values,
        }
    )


def gathered(*items: GatheredItem, **values: Any) -> Gathered:
    """What is known of a case: of one picture, and of a subject, if nothing else is said."""
    return Gathered(
        **{
            "case": CASE,
            "subject": "user-1",
            "facts": frozenset(),
            "labels": frozenset(),
            "items": items or (item(),),
            "company": COMPANY,
            **values,
        }
    )


LABELS = (
    "industry/A1",
    "industry/B2",
    "inhope/context-grooming",
    "inhope/context-extortion",
    "inhope/context-trafficking",
    "inhope/produced-drawn",
    "inhope/victim-infant",
    "own/anything",
)
_labels = st.frozensets(st.sampled_from(LABELS), max_size=3)
_text = st.text(max_size=40)


@st.composite
def items(draw: st.DrawFn, number: int) -> GatheredItem:
    """Any item."""
    kind = draw(st.sampled_from(ItemKind))
    return item(
        number,
        kind,
        origin=draw(st.sampled_from(("scan", "key:forum", "person:1"))),
        name=draw(_text),
        reference=draw(st.none() | st.just(f"upload-{number}")),
        fingerprints=draw(st.sampled_from((known(), FingerprintSet(size=1)))),
        labels=draw(_labels),
        matches=draw(st.lists(st.tuples(_text, st.sampled_from(Kind)), max_size=3).map(tuple)),
        evidence=draw(st.none() | st.just(ItemId(f"{number:026}"))),
        viewed=draw(st.booleans()),
        words=draw(_text) if kind in (ItemKind.TEXT, ItemKind.URL) else None,
    )


@st.composite
def anything_gathered(draw: st.DrawFn, *, of_people: bool = True) -> Gathered:
    """Whatever may be known of a case; what is said of people takes long to make up."""
    found = tuple(draw(items(number)) for number in range(1, draw(st.integers(2, 4))))
    most = 1 if of_people else 0
    supplied = Supplied(
        reported=draw(contents(PersonOrUserReported)) if of_people else None,
        intended_recipients=tuple(draw(st.lists(contents(IntendedRecipient), max_size=most))),
        victims=tuple(draw(st.lists(contents(Victim), max_size=most))),
        internet_details=tuple(draw(st.lists(contents(InternetDetails), max_size=most))),
        uploads=tuple(
            Upload(reference=each.reference, uploaded_at=WHEN, publicly_available=True)
            for each in found
            if each.reference
        ),
    )
    return gathered(
        *found,
        subject=draw(st.none() | _text.filter(bool)),
        facts=draw(st.frozensets(st.sampled_from(Fact), max_size=4)),
        labels=draw(_labels),
        company=draw(st.sampled_from((COMPANY, Company()))),
        supplied=supplied,
        prior=draw(st.lists(st.integers(1, 2**63 - 1), max_size=3).map(tuple)),
        prior_names=draw(st.lists(_text, max_size=2).map(tuple)),
    )
