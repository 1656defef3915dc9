"""What the real interface takes and refuses, this one takes and refuses, with the same codes."""

import hashlib
import re
import threading
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from tests.testing.authority.caller import DOCUMENT, XML, Caller, details, finished_files, said
from tests.testing.authority.conftest import MOST_FILE_BYTES
from tutela.reporting.cybertipline.answers import Call as Answered
from tutela.reporting.cybertipline.answers import read_answer
from tutela.reporting.cybertipline.codes import CODES
from tutela.testing.authority.documents import Documents
from tutela.testing.authority.model import Code, Refused, State
from tutela.testing.authority.serving import Authority

UNKNOWN = 999


def moved(document: str, name: str, before: str) -> str:
    """The document with one element in front of another."""
    found = re.search(f"<{name}>.*</{name}>", document)
    assert found
    without = document.replace(found[0], "")
    return without.replace(f"<{before}>", f"{found[0]}<{before}>")


def test_a_report_goes_all_the_way(authority: Authority, caller: Caller) -> None:
    report = caller.submit(DOCUMENT).report
    content = bytes(range(256)) * 1000
    uploaded = caller.upload(report, content, "lake ü.jpg")
    assert (uploaded.code, uploaded.report) == (0, report)
    assert uploaded["hash"] == hashlib.md5(content).hexdigest()
    second = caller.upload(report, b"", "nothing.txt")
    described = caller.describe(report, uploaded["fileId"])
    assert (described.code, described.report) == (0, report)
    answer = caller.client.post("/finish", data={"id": str(report)})
    assert said(answer).code == 0
    assert finished_files(answer) == [uploaded["fileId"], second["fileId"]]

    [kept] = authority.control.reports()
    assert kept.state is State.FINISHED
    assert (kept.number, kept.user, kept.document) == (report, authority.user, DOCUMENT)
    first, empty = kept.files
    assert (first.name, first.size) == ("lake ü.jpg", len(content))
    assert first.sha256 == hashlib.sha256(content).hexdigest()
    assert first.details == details(report, first.id)
    assert (empty.size, empty.details, empty.times_detailed) == (0, None, 0)
    assert authority.control.report(report) == kept


def test_a_report_without_files_can_be_finished(caller: Caller) -> None:
    answer = caller.client.post("/finish", data={"id": str(caller.opened())})
    assert said(answer).code == 0
    assert finished_files(answer) == []


def test_a_form_may_be_of_either_kind(caller: Caller) -> None:
    multipart = caller.client.post("/finish", files={"id": (None, str(caller.opened()))})
    assert said(multipart).code == 0


def test_the_file_may_come_before_the_number(caller: Caller) -> None:
    parts = {"file": ("lake.jpg", b"a file"), "id": (None, str(caller.opened()))}
    assert said(caller.client.post("/upload", files=parts)).code == 0


def test_status_says_who_is_let_in(authority: Authority, caller: Caller) -> None:
    assert caller.status() == {
        "responseCode": "0",
        "responseDescription": f"Remote User : {authority.user}",
    }


@pytest.mark.parametrize(
    "given", [("sandbox", "guessed"), ("somebody", "a password of the sandbox"), ("", ""), None]
)
@pytest.mark.parametrize("call", ["status", "submit", "upload", "fileinfo", "finish", "retract"])
def test_wrong_credentials_are_told_in_the_body(authority: Authority, call, given) -> None:
    method = "GET" if call == "status" else "POST"
    answer = httpx.request(method, f"{authority.base}/{call}", auth=given)
    assert answer.status_code == 200
    assert said(answer).code == Code.NOT_AUTHENTICATED
    assert authority.control.reports() == []


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer x"])
def test_broken_credentials_are_wrong_ones(authority: Authority, header: str) -> None:
    answer = httpx.get(f"{authority.base}/status", headers={"Authorization": header})
    assert said(answer).code == Code.NOT_AUTHENTICATED


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("", Code.MALFORMED_XML),
        ("<report>", Code.MALFORMED_XML),
        ("<report/><report/>", Code.MALFORMED_XML),
        ("{}", Code.MALFORMED_XML),
        (b"<report>\xff</report>", Code.MALFORMED_XML),
        ("<!DOCTYPE report><report/>", Code.MALFORMED_XML),
        ("<!DOCTYPE report [<!ENTITY a 'b'>]><report>&a;</report>", Code.MALFORMED_XML),
        (details(1, "1"), Code.NOT_VALID),
        ("<report/>", Code.NOT_VALID),
        (moved(DOCUMENT, "additionalInfo", before="reporter"), Code.NOT_VALID),
        (moved(DOCUMENT, "incidentDateTime", before="incidentType"), Code.NOT_VALID),
        (DOCUMENT.replace("2026-01-15T", "yesterday at "), Code.NOT_VALID),
        (DOCUMENT.replace("safety@example.org", ""), Code.NOT_VALID),
        (DOCUMENT.replace("additionalInfo", "anythingElse"), Code.NOT_VALID),
    ],
)
def test_a_document_that_is_none_opens_no_report(
    authority: Authority, caller: Caller, document, code
) -> None:
    assert caller.submit(document).code == code
    assert authority.control.reports() == []


@pytest.mark.parametrize("kind", ["application/json", "text/xml; charset=latin-1", ""])
def test_a_document_has_to_be_said_to_be_one(caller: Caller, kind: str) -> None:
    answer = caller.client.post("/submit", content=DOCUMENT, headers={"Content-Type": kind})
    assert said(answer).code == Code.INVALID_REQUEST


def test_a_document_that_is_too_large_is_refused(caller: Caller) -> None:
    document = f"<report>{' ' * 10_000_000}</report>"
    assert caller.submit(document).code == Code.INVALID_REQUEST


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("<fileDetails>", Code.MALFORMED_XML),
        ("<fileDetails/>", Code.NOT_VALID),
        ("<fileDetails><reportId>one</reportId><fileId>1</fileId></fileDetails>", Code.NOT_VALID),
        ("<fileDetails><fileId>1</fileId><reportId>1</reportId></fileDetails>", Code.NOT_VALID),
        (DOCUMENT, Code.NOT_VALID),
    ],
)
def test_details_that_are_none_describe_no_file(caller: Caller, document, code) -> None:
    answer = caller.client.post("/fileinfo", content=document, headers=XML)
    assert said(answer).code == code


def test_the_schema_is_given_out(caller: Caller) -> None:
    answer = caller.client.get("/xsd")
    assert answer.headers["Content-Type"].startswith("text/xml")
    ElementTree.fromstring(answer.content)
    assert answer.content == Documents.by_own_schema().text


def test_documents_are_checked_by_the_official_schema_where_there_is_one(tmp_path: Path) -> None:
    own = Documents.by_own_schema()
    file = tmp_path / "official.xsd"
    file.write_bytes(own.text.replace(b'"reportingPerson"', b'"personReporting"'))
    official = Documents.by_official_schema(file)
    assert official.text == file.read_bytes()
    assert own.check_report(DOCUMENT.encode()) == DOCUMENT
    with pytest.raises(Refused, match="personReporting") as refused:
        official.check_report(DOCUMENT.encode())
    assert refused.value.code is Code.NOT_VALID


def test_nothing_is_added_to_a_report_that_is_not_there(caller: Caller) -> None:
    assert caller.upload(UNKNOWN).code == Code.NO_SUCH_REPORT
    assert caller.describe(UNKNOWN, "1").code == Code.NO_SUCH_REPORT
    assert caller.finish(UNKNOWN).code == Code.NO_SUCH_REPORT
    assert caller.retract(UNKNOWN).code == Code.NO_SUCH_REPORT
    assert caller.finish("9" * 30).code == Code.NO_SUCH_REPORT


@pytest.mark.parametrize("number", ["", "-1", "1.5", "one", "٣"])
def test_a_report_is_named_by_a_number(caller: Caller, number: str) -> None:
    assert caller.finish(number).code == Code.INVALID_REQUEST
    assert caller.retract(number).code == Code.INVALID_REQUEST
    assert caller.upload(number).code == Code.INVALID_REQUEST


def test_only_a_file_of_this_report_is_described(caller: Caller) -> None:
    one, other = caller.opened(), caller.opened()
    file = caller.upload(one)["fileId"]
    assert caller.describe(one, "unknown").code == Code.NO_SUCH_FILE
    assert caller.describe(other, file).code == Code.NO_SUCH_FILE
    assert caller.describe(one, file).code == 0


def test_an_upload_has_a_file(caller: Caller) -> None:
    number = {"id": (None, str(caller.opened()))}
    without = caller.client.post("/upload", files=number)
    assert said(without).code == Code.INVALID_REQUEST
    unnamed = caller.client.post("/upload", files=number | {"file": (None, b"a file")})
    assert said(unnamed).code == Code.INVALID_REQUEST


def test_a_file_that_is_too_large_is_refused(authority: Authority, caller: Caller) -> None:
    report = caller.opened()
    assert caller.upload(report, bytes(MOST_FILE_BYTES)).code == 0
    assert caller.upload(report, bytes(MOST_FILE_BYTES + 1)).code == Code.MALFORMED_FILE
    assert len(authority.control.report(report).files) == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"--y\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="id"'),
        ("application/json", b"{}"),
        ("", b"id=1"),
    ],
)
def test_a_broken_form_is_an_invalid_request(caller: Caller, kind: str, body: bytes) -> None:
    answer = caller.client.post("/upload", content=body, headers={"Content-Type": kind})
    assert said(answer).code == Code.INVALID_REQUEST


def test_after_finish_nothing_can_be_added_changed_or_withdrawn(
    authority: Authority, caller: Caller
) -> None:
    report = caller.opened()
    file = caller.upload(report)["fileId"]
    caller.finish(report)
    before = authority.control.report(report)
    for answer in (
        caller.upload(report),
        caller.describe(report, file),
        caller.finish(report),
        caller.retract(report),
    ):
        assert (answer.code, answer.report) == (Code.ALREADY_FINISHED, report)
    assert authority.control.report(report) == before


def test_after_retract_nothing_can_be_done(authority: Authority, caller: Caller) -> None:
    report = caller.opened()
    file = caller.upload(report)["fileId"]
    assert caller.retract(report).code == 0
    for answer in (
        caller.upload(report),
        caller.describe(report, file),
        caller.finish(report),
        caller.retract(report),
    ):
        assert (answer.code, answer.report) == (Code.ALREADY_RETRACTED, report)
    assert authority.control.report(report).state is State.RETRACTED


def test_its_codes_are_those_that_callers_know() -> None:
    assert {code.value for code in Code} == set(CODES)


def test_what_it_answers_is_what_callers_read(caller: Caller) -> None:
    report = caller.opened()
    file = {"file": ("lake.jpg", b"a file"), "id": (None, str(report))}
    number = {"id": str(report)}
    read = [
        read_answer(Answered.STATUS, caller.client.get("/status").content),
        read_answer(Answered.UPLOAD, caller.client.post("/upload", files=file).content),
        read_answer(Answered.FINISH, caller.client.post("/finish", data=number).content),
        read_answer(Answered.FINISH, caller.client.post("/finish", data=number).content),
    ]
    assert [each.code for each in read] == [0, 0, 0, Code.ALREADY_FINISHED]
    assert [each.report_id for each in read] == [None, report, report, report]
    assert read[2].files == (read[1].file_id,)


def test_what_is_not_a_call_is_not_found(caller: Caller) -> None:
    answer = caller.client.get("/nothing")
    assert answer.status_code == 404
    assert said(answer).code == Code.NOT_FOUND
    assert caller.client.get("/submit").status_code == 405


def test_many_callers_at_once_get_a_report_each(authority: Authority) -> None:
    found = []

    def call() -> None:
        with Caller(authority.base, authority.user, authority.password) as calling:
            for _ in range(25):
                report = calling.opened()
                calling.upload(report)
                assert calling.finish(report).code == 0
                found.append(report)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(found)) == 100
    assert authority.control.counts().reports[State.FINISHED] == 100


def test_a_caller_that_goes_away_in_the_middle_adds_nothing(
    authority: Authority, caller: Caller
) -> None:
    report = caller.opened()

    def half():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf'
        raise InterruptedError

    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "1000"}
    with pytest.raises(InterruptedError):
        caller.client.post("/upload", content=half(), headers=headers)
    assert caller.status().code == 0
    assert authority.control.report(report).files == ()
