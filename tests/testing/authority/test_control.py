"""The control interface tells and changes, and is for this machine's programs alone."""

import httpx
import pytest

from tests.testing.authority.caller import Caller
from tutela.testing.authority.model import Call, Code, Fault, Spoiling
from tutela.testing.authority.serving import Authority


def test_every_call_is_told_with_its_credentials_report_and_code(
    authority: Authority, caller: Caller
) -> None:
    report = caller.opened()
    caller.finish(report)
    caller.finish(report)
    httpx.get(f"{authority.base}/status", auth=("somebody", "guessed"))
    httpx.get(f"{authority.base}/status")
    user = authority.user
    assert [(m.call, m.user, m.report, m.code) for m in authority.control.calls()] == [
        (Call.SUBMIT, user, report, 0),
        (Call.FINISH, user, report, 0),
        (Call.FINISH, user, report, Code.ALREADY_FINISHED),
        (Call.STATUS, "somebody", None, Code.NOT_AUTHENTICATED),
        (Call.STATUS, None, None, Code.NOT_AUTHENTICATED),
    ]
    counts = authority.control.counts()
    assert counts.calls["finish"] == counts.calls["status"] == 2
    assert counts.reports["finished"] == 1
    # A password is nowhere.
    assert "guessed" not in httpx.get(f"{authority.address}/control/calls").text


def test_orders_are_told_with_what_came_of_them(authority: Authority, caller: Caller) -> None:
    fault = Fault(spoiling=Spoiling.CODE, call=Call.STATUS, times=None)
    authority.control.fail(fault)
    caller.status()
    [ordered] = authority.control.faults()
    assert (ordered.fault, ordered.seen, ordered.done) == (fault, 1, 1)
    authority.control.stop_failing()
    assert authority.control.faults() == []
    assert caller.status().code == 0


def test_a_report_that_never_was_is_not_told(authority: Authority) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        authority.control.report(1)


def test_an_order_without_sense_is_refused(authority: Authority) -> None:
    for content in ({"spoiling": "unheard of"}, {"spoiling": "drop", "more": 1}, {}):
        answer = httpx.post(f"{authority.address}/control/faults", json=content)
        assert answer.status_code == 422


def test_a_page_of_another_site_can_change_and_read_nothing(authority: Authority) -> None:
    # What a browser sends without asking first.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = httpx.post(
            f"{authority.address}/control/faults",
            content='{"spoiling": "drop"}',
            headers={"Content-Type": kind},
        )
        assert answer.status_code == 415
    # What it sends after a name was bent to lead here.
    for path in ("/", "/control/reports", "/ispws/status"):
        answer = httpx.get(f"{authority.address}{path}", headers={"Host": "example.org"})
        assert answer.status_code == 400
    assert authority.control.faults() == []
