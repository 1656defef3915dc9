"""Each way of failing does what it says to the caller, and to the report just what it says."""

import time
from xml.etree import ElementTree

import httpx
import pytest

from tests.testing.authority.caller import DOCUMENT, XML, Caller, said
from tutela.testing.authority.model import CHOOSES_EFFECT, Call, Code, Fault, Spoiling, State
from tutela.testing.authority.serving import Authority

BROKEN = {
    Spoiling.HANG_UP: httpx.NetworkError | httpx.RemoteProtocolError,
    Spoiling.DROP: httpx.NetworkError | httpx.RemoteProtocolError,
    Spoiling.TRUNCATED: httpx.RemoteProtocolError,
}


def finish(authority: Authority, caller: Caller, fault: Fault) -> httpx.Response | None:
    """What finish answers under a fault; ``None`` if the connection broke."""
    report = caller.opened()
    authority.control.fail(fault)
    try:
        return caller.client.post("/finish", data={"id": str(report)})
    except httpx.TransportError as error:
        assert isinstance(error, BROKEN[fault.spoiling])
        return None


@pytest.mark.parametrize("spoiling", Spoiling)
@pytest.mark.parametrize("after_effect", [False, True])
def test_a_call_takes_effect_or_not_as_told(authority, caller, spoiling, after_effect) -> None:
    fault = Fault(spoiling=spoiling, after_effect=after_effect, call=Call.FINISH, megabytes=1)
    answer = finish(authority, caller, fault)
    assert (answer is None) is (spoiling in BROKEN)
    takes_effect = spoiling not in (Spoiling.HANG_UP, *CHOOSES_EFFECT) or (
        after_effect and spoiling is not Spoiling.HANG_UP
    )
    # What is slow does what was asked in the end, either way.
    takes_effect |= spoiling is Spoiling.SLOW
    [report] = authority.control.reports()
    assert report.state is (State.FINISHED if takes_effect else State.OPEN)
    [_, made] = authority.control.calls()
    assert (made.call, made.spoiling, made.took_effect) == (Call.FINISH, spoiling, takes_effect)
    if answer is not None:
        assert answer.headers["X-Tutela-Sandbox"] == "yes"
    # It was the only one.
    assert caller.retract(report.number).code == (Code.ALREADY_FINISHED if takes_effect else 0)


@pytest.mark.parametrize("status", [401, 403, 413, 429, 500, 502, 503])
def test_another_status_says_how_long_to_wait(authority, caller, status: int) -> None:
    answer = finish(
        authority, caller, Fault(spoiling=Spoiling.STATUS, status=status, retry_after=7)
    )
    assert answer.status_code == status
    assert answer.headers["Retry-After"] == "7"
    assert b"<" not in answer.content


@pytest.mark.parametrize("code", Code)
def test_every_code_can_be_answered(authority, caller, code: Code) -> None:
    assert said(finish(authority, caller, Fault(spoiling=Spoiling.CODE, code=code))).code == code


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_slow_call_counts_even_if_its_caller_no_longer_waits(
    authority, caller, after_effect: bool
) -> None:
    report = caller.opened()
    authority.control.fail(
        Fault(spoiling=Spoiling.SLOW, seconds=0.5, after_effect=after_effect, call=Call.FINISH)
    )
    with pytest.raises(httpx.ReadTimeout):
        caller.client.post("/finish", data={"id": str(report)}, timeout=0.05)
    # Taken back while it is still on its way, or too late.
    code = caller.retract(report).code
    assert code == (Code.ALREADY_FINISHED if after_effect else Code.SUCCESS)
    deadline = time.monotonic() + 30
    while authority.control.counts().calls["finish"] == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    finished = next(made for made in authority.control.calls() if made.call is Call.FINISH)
    assert finished.code == (Code.SUCCESS if after_effect else Code.ALREADY_RETRACTED)


def test_a_redirect_asks_for_the_same_elsewhere_and_tells_who_followed(authority, caller) -> None:
    report = caller.opened()
    authority.control.fail(Fault(spoiling=Spoiling.REDIRECT))
    answer = caller.client.post("/finish", data={"id": str(report)}, follow_redirects=True)
    assert [each.status_code for each in answer.history] == [307]
    assert answer.url.path == "/elsewhere"
    last = authority.control.calls()[-1]
    assert (last.call, last.user) == (Call.ELSEWHERE, authority.user)


def test_a_redirect_leads_where_it_was_told(authority, caller) -> None:
    fault = Fault(spoiling=Spoiling.REDIRECT, location="https://example.org/ispws/finish")
    assert finish(authority, caller, fault).headers["Location"] == fault.location


def test_wrong_xml_says_nothing(authority, caller) -> None:
    answer = finish(authority, caller, Fault(spoiling=Spoiling.WRONG_XML))
    assert ElementTree.fromstring(answer.content).tag == "html"


def test_half_an_answer_is_no_xml(authority, caller) -> None:
    answer = finish(authority, caller, Fault(spoiling=Spoiling.HALF_XML))
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(answer.content)


def test_a_trickling_answer_is_right_and_in_pieces(authority, caller) -> None:
    authority.control.fail(Fault(spoiling=Spoiling.TRICKLE, seconds=0.2))
    with caller.client.stream("GET", "/status") as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 10
    assert b"<responseCode>0</responseCode>" in b"".join(pieces)


def test_a_huge_answer_is_right_but_for_its_size(authority, caller) -> None:
    fault = Fault(spoiling=Spoiling.HUGE, megabytes=20)
    answer = caller.client.post("/submit", content=DOCUMENT, headers=XML)
    plain = len(answer.content)
    authority.control.fail(fault)
    answer = caller.client.post("/submit", content=DOCUMENT, headers=XML)
    assert said(answer).code == 0
    assert len(answer.content) == plain + 20_000_000


def test_a_document_type_defines_entities_without_end(authority, caller) -> None:
    answer = finish(authority, caller, Fault(spoiling=Spoiling.DOCTYPE))
    assert b"<!DOCTYPE reportDoneResponse [" in answer.content
    assert b"&a9;" in answer.content


def test_deep_nesting_is_deep(authority, caller) -> None:
    answer = finish(authority, caller, Fault(spoiling=Spoiling.NESTED))
    assert answer.content.count(b"<a>") == answer.content.count(b"</a>") == 100_000


def test_another_md5_is_not_that_of_the_file(authority, caller) -> None:
    report = caller.opened()
    right = caller.upload(report)["hash"]
    authority.control.fail(Fault(spoiling=Spoiling.OTHER_MD5))
    wrong = caller.upload(report)
    assert wrong.code == 0
    assert len(wrong["hash"]) == len(right)
    assert wrong["hash"] != right
    first, second = authority.control.report(report).files
    assert first.md5 == second.md5 == right


def test_another_content_type_is_said(authority, caller) -> None:
    answer = finish(authority, caller, Fault(spoiling=Spoiling.CONTENT_TYPE))
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_the_connection_ends_while_a_file_is_on_its_way(authority, caller) -> None:
    report = caller.opened()
    authority.control.fail(Fault(spoiling=Spoiling.HANG_UP, call=Call.UPLOAD))
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        caller.upload(report, bytes(900_000))
    assert authority.control.report(report).files == ()
    assert caller.upload(report).code == 0
