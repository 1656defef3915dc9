"""A caller that knows the interface as its documentation has it, and nothing of ours."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self
from xml.etree import ElementTree

import httpx

from tutela.reporting.cybertipline.building import build_report
from tutela.reporting.cybertipline.model import Report

DOCUMENT = build_report(
    Report.model_validate(
        {
            "incident_summary": {
                "incident_type": "misleading_words",
                "incident_date_time": "2026-01-15T12:00:00Z",
            },
            "reporter": {"reporting_person": {"emails": [{"address": "safety@example.org"}]}},
            "additional_info": "An excerpt of a chat: ü & é <script>",
        }
    )
).decode()
"""A report with little in it."""

XML = {"Content-Type": "text/xml; charset=utf-8"}


class Said(dict[str, str]):
    """What an answer's elements say."""

    @property
    def code(self) -> int:
        return int(self["responseCode"])

    @property
    def report(self) -> int:
        return int(self["reportId"])


class Caller:
    def __init__(self, base: str, user: str, password: str) -> None:
        self.client = httpx.Client(base_url=base, auth=(user, password), timeout=60, verify=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()

    def status(self) -> Said:
        return said(self.client.get("/status"))

    def submit(self, document: str | bytes = DOCUMENT) -> Said:
        return said(self.client.post("/submit", content=document, headers=XML))

    def upload(self, report: object, content: bytes = b"a file", name: str = "lake.jpg") -> Said:
        files = {"file": (name, content)}
        return said(self.client.post("/upload", data={"id": str(report)}, files=files))

    def describe(self, report: object, file: str) -> Said:
        document = details(report, file)
        return said(self.client.post("/fileinfo", content=document, headers=XML))

    def finish(self, report: object) -> Said:
        return said(self.client.post("/finish", data={"id": str(report)}))

    def retract(self, report: object) -> Said:
        return said(self.client.post("/retract", data={"id": str(report)}))

    def opened(self) -> int:
        """The number of a report just opened."""
        answer = self.submit()
        assert answer.code == 0
        return answer.report


def details(report: object, file: str) -> str:
    return f"<fileDetails><reportId>{report}</reportId><fileId>{file}</fileId></fileDetails>"


def said(answer: httpx.Response) -> Said:
    assert answer.headers["X-Tutela-Sandbox"] == "yes"
    assert answer.headers["Content-Type"].startswith("text/xml")
    return Said((each.tag, each.text or "") for each in _leaves(answer.content))


def finished_files(answer: httpx.Response) -> Sequence[str]:
    root = ElementTree.fromstring(answer.content)
    assert root.tag == "reportDoneResponse"
    return [each.text or "" for each in root.findall("files/fileId")]


def _leaves(content: bytes) -> list[ElementTree.Element]:
    return [each for each in ElementTree.fromstring(content).iter() if not len(each)]
