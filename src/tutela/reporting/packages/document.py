"""The report for programs: one JSON document, and the schema that says what it looks like.

The schema is published as ``docs/schemas/report-package-1.json`` and is in every package. What a
number of the format once meant stays so: whoever changes the document in a way that a reader has to
know gives it another one.
"""

import json
from datetime import datetime
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

import tutela
from tutela.reporting.cybertipline.model import FileDescription, Report
from tutela.reporting.packages.model import Letter

FORMAT: Literal[1] = 1
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sent(_Part):
    """What is said of the letter itself."""

    report: int = Field(description="The sender's number of the report.")
    identifier: str = Field(
        description="What every copy of this report bears, and no other report's. Two documents "
        "with one identifier are one report."
    )
    copy_number: int = Field(
        ge=1, description="Which copy this is: 1, or more if an earlier one may have arrived."
    )
    repeats: bool = Field(
        description="Whether an earlier copy of this very report may have arrived already."
    )
    replaces: tuple[str, ...] = Field(
        description="Identifiers of earlier versions of this report that may have arrived: this "
        "one takes their place."
    )
    corrects: str | None = Field(
        None, description="The identifier of an earlier report that this one corrects or adds to."
    )
    environment: Literal["live", "test", "sandbox"] = Field(
        description="`live`, or `test` or `sandbox` if it is about nothing that has happened."
    )
    to: str = Field(description="Whom it is for.")
    sender: str = Field(description="Whom it is from; may be empty.")
    made_at: datetime = Field(description="When this copy was made.")


class SentFile(_Part):
    """A file that goes with the report."""

    file: str = Field(description="Where it is in the package.")
    evidence: str = Field(description="The sender's number of it.")
    name: str = Field(description="The name that it had; may be empty.")
    size: int = Field(ge=0, description="Its size in bytes.")
    md5: str = Field(pattern="^[0-9a-f]{32}$", description="Its MD5, in hex.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Its SHA-256, in hex.")
    details: FileDescription = Field(description="What the report says of it.")


class Document(_Part):
    """A report to an authority, as `report.json` of its package."""

    format: Literal[1] = Field(description="What this document looks like: 1.")
    tutela: str = Field(description="The version of the program that made it.")
    sending: Sent = Field(description="From whom, to whom, and how often.")
    report: Report = Field(
        description="What is reported, under the names of the CyberTipline's fields."
    )
    files: tuple[SentFile, ...] = Field(description="The files that go with it.")


def as_json(letter: Letter) -> bytes:
    """The letter as a JSON document, in UTF-8. What is as it is by default is left out."""
    document = Document(
        format=FORMAT,
        tutela=tutela.__version__,
        sending=Sent(
            report=letter.report,
            identifier=letter.message,
            copy_number=letter.copy,
            repeats=letter.repeats,
            replaces=letter.replaces,
            corrects=letter.corrects,
            environment=letter.environment.value,
            to=letter.authority,
            sender=letter.organisation,
            made_at=letter.made_at,
        ),
        report=letter.content,
        files=tuple(
            SentFile(
                file=each.file,
                evidence=each.evidence,
                name=each.name,
                size=each.size,
                md5=each.md5,
                sha256=each.sha256,
                details=each.details,
            )
            for each in letter.enclosures
        ),
    )
    told = document.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"


@cache
def schema() -> bytes:
    """The document's JSON Schema (draft 2020-12)."""
    # Only what has no default is always there.
    said = {"$schema": _DRAFT} | Document.model_json_schema(mode="validation")
    return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"
