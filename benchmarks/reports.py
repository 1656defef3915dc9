"""Reports to the CyberTipline: written, checked and read, beside lxml that does the least of it."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from statistics import median

from lxml import etree

from benchmarks.results import Findings, Table
from benchmarks.scale import Scale
from benchmarks.timing import percentile
from tutela.reporting.cybertipline.building import build_report
from tutela.reporting.cybertipline.model import (
    ChatImIncident,
    Email,
    EventName,
    IncidentSummary,
    IncidentType,
    InternetDetails,
    IpCaptureEvent,
    Person,
    PersonOrUserReported,
    Report,
    Reporter,
    ReportingPerson,
    Victim,
)
from tutela.reporting.cybertipline.reading import read_report
from tutela.reporting.cybertipline.validating import check_report

_WHEN = datetime(2026, 1, 15, 12, tzinfo=UTC)
_WRITE = "lxml alone, a tree that is there to bytes"
_BUILD = "Tutela writes: the model to bytes"
_CHECK = "Tutela writes and checks: what is done before each report is sent"
_PARSE = "lxml alone, bytes to a tree"
_READ = "Tutela reads: bytes to the model, with the schema and every rule"
_JSON = "pydantic alone, JSON to the model"


def measure(scale: Scale) -> Findings:
    """Reports of three sizes, each by all in turn, again and again.

    Raises:
        RuntimeError: A report is not valid, or does not come back as it was.
    """
    rounds = scale.pick(3, 200)
    tables = [
        _compare(name, report, max(3, rounds // share))
        for name, report, share in (
            ("The least report", _report(0, 0), 1),
            ("A usual one: 20 logins, a chat of 2,000 characters", _report(20, 2_000), 1),
            ("A large one: 1,000 logins, a chat of 100,000 characters", _report(1_000, 100_000), 8),
        )
    ]
    return Findings(
        tables=tables,
        notes=[
            "One thread; times are of one report. lxml alone says what the library itself takes, "
            "without a model, an order, a schema or a limit.",
        ],
    )


def _report(logins: int, characters: int) -> Report:
    chat = ChatImIncident(content=("words " * characters)[:characters].strip() or None)
    return Report(
        incident_summary=IncidentSummary(
            incident_type=IncidentType.ENTICEMENT, incident_date_time=_WHEN
        ),
        internet_details=(InternetDetails(chat_im_incident=chat),) if characters else (),
        reporter=Reporter(
            reporting_person=ReportingPerson(emails=(Email(address="person@example.org"),))
        ),
        person_or_user_reported=PersonOrUserReported(
            screen_name="a name",
            ip_capture_events=tuple(
                IpCaptureEvent(
                    ip_address=f"192.0.2.{number % 256}",
                    event_name=EventName.LOGIN,
                    date_time=_WHEN + timedelta(minutes=number),
                )
                for number in range(logins)
            ),
        )
        if logins
        else None,
        victims=(Victim(person=Person(age=12)),) if logins else (),
    )


def _compare(name: str, report: Report, rounds: int) -> Table:
    document = build_report(report)
    tree = etree.fromstring(document)
    text = report.model_dump_json()
    if not check_report(report).is_valid or read_report(document) != report:
        raise RuntimeError("a report is not valid, or does not come back as it was")
    acts: Mapping[str, Callable[[], object]] = {
        _WRITE: lambda: etree.tostring(tree, encoding="UTF-8", xml_declaration=True),
        _BUILD: lambda: build_report(report),
        _CHECK: lambda: check_report(report),
        _PARSE: lambda: etree.fromstring(document),
        _READ: lambda: read_report(document),
        _JSON: lambda: Report.model_validate_json(text),
    }
    taken: dict[str, list[float]] = {act: [] for act in acts}
    for _ in range(rounds):
        for act, do in acts.items():
            begin = time.perf_counter()
            do()
            taken[act].append(time.perf_counter() - begin)
    return Table(
        f"{name} ({len(document):,} bytes), in milliseconds",
        ("", "n", "p50", "p99", "reports/s"),
        [
            [act, rounds, 1e3 * median(each), 1e3 * percentile(each, 99), 1 / median(each)]
            for act, each in taken.items()
        ],
    )
