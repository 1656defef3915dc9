"""Letters from plain values, for what needs no database."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from tutela.evidence.disclosure.recipients import Recipients, read_recipients
from tutela.reporting.cybertipline.model import FileDescription, Report
from tutela.reporting.model import Environment
from tutela.reporting.packages.model import Enclosure, Letter

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
KEY = "age1jw48gptpw649dx3gul60qupapw0d4x38jydrkqqv2xhq0m62p35qrt8tg9"
MESSAGE = "report-7-0123456789abcdef0123456789@forum.example"

ARABIC, CHINESE, RUSSIAN = "ملاحظة من الموقع", "论坛的说明", "Примечание форума"

REPORT = Report.model_validate(
    {
        "incident_summary": {
            "incident_type": "misleading_words",
            "report_annotations": ["spam"],
            "incident_date_time": "2026-01-14T23:30:00+02:00",
        },
        "internet_details": [
            {"web_page_incident": {"urls": ["https://forum.example/a?b=<c>&d"]}},
            {
                "chat_im_incident": {
                    "chat_client": "Forum chat",
                    "content": f"words of the chat\nmore words: {CHINESE}",
                }
            },
        ],
        "reporter": {
            "reporting_person": {
                "first_name": "Ada",
                "emails": [{"address": "ada@forum.example", "type": "work"}],
            }
        },
        "person_or_user_reported": {
            "screen_name": f"user <b>17</b> {ARABIC}",
            "ip_capture_events": [
                {"ip_address": "192.0.2.1", "event_name": "upload", "possible_proxy": False},
                {"ip_address": "2001:db8::1"},
            ],
        },
        "additional_info": f"{RUSSIAN}. exe.\u202egpj",
    }
)


def enclosure(
    content: bytes = b"a landscape",
    name: str = "landscape.png",
    evidence: str = "a" * 26,
    given: Iterable[bytes] | None = None,
) -> Enclosure:
    return Enclosure(
        evidence=evidence,
        name=name,
        size=len(content),
        md5=hashlib.md5(content).hexdigest(),
        sha256=hashlib.sha256(content).hexdigest(),
        details=FileDescription.model_validate(
            {
                "original_file_name": name.strip()[:3000] or None,
                "file_viewed_by_esp": None,
                "exif_viewed_by_esp": False,
                "industry_classification": "B2",
                "details": [
                    {"type": "hash", "name_value_pairs": [{"name": "PDQ", "value": "f0" * 32}]}
                ],
            }
        ),
        content=lambda: [content] if given is None else given,
    )


def letter(*enclosures: Enclosure, recipients: Recipients | None = None, **other: object) -> Letter:
    """A letter that says a little of everything."""
    plain = Letter(
        report=7,
        message=MESSAGE,
        earlier=(),
        authority="State Police of Example",
        organisation="Example Forum Ltd",
        environment=Environment.LIVE,
        made_at=NOON,
        content=REPORT,
        enclosures=enclosures or (enclosure(),),
        recipients=recipients or read_recipients(KEY, "f"),
    )
    return replace(plain, **other)  # type: ignore[arg-type]
