"""Whoever opens the page sees what arrived, and that it is a sandbox."""

from pathlib import Path

import httpx
import pytest

from tests.browser import running_browser
from tests.console.walking import AXE
from tests.testing.authority.caller import Caller
from tutela.testing.authority.page import page
from tutela.testing.authority.registry import Registry
from tutela.testing.authority.serving import Authority


def words_of(authority: Authority) -> str:
    return httpx.get(authority.address).text


def test_before_anything_arrives_it_says_so(authority: Authority) -> None:
    words = words_of(authority)
    assert "SANDBOX, nothing here goes anywhere" in words
    assert "No report yet" in words


def test_it_shows_reports_with_their_files_and_how_they_ended(
    authority: Authority, caller: Caller
) -> None:
    report, other = caller.opened(), caller.opened()
    uploaded = caller.upload(report, name="lake.jpg")
    caller.describe(report, uploaded["fileId"])
    caller.finish(report)
    caller.retract(other)
    words = words_of(authority)
    assert f"Report {report}: received" in words
    assert f"Report {other}: taken back by its sender" in words
    assert "lake.jpg" in words
    assert uploaded["hash"] in words
    assert "2 reports: 1 received, 1 taken back by its sender." in words


def test_what_was_sent_is_shown_and_never_run(authority: Authority, caller: Caller) -> None:
    report = caller.opened()
    uploaded = caller.upload(report, name="<b>.jpg")
    caller.describe(report, uploaded["fileId"])
    answer = httpx.get(authority.address)
    assert "<script" not in answer.text
    assert "&amp;lt;script" in answer.text
    assert "<b>.jpg" not in answer.text
    assert "&lt;b&gt;.jpg" in answer.text
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_of_very_many_the_newest_are_shown(tmp_path: Path, clock) -> None:
    with Registry(tmp_path, clock) as registry:
        reports = [registry.open_report("sandbox", "<report/>") for _ in range(5)]
        words = page(registry, most_shown=3)
    assert [number for number in reports if f"Report {number}:" in words] == reports[2:]
    assert "5 reports: 5 not finished yet. The newest 3 are shown." in words


@pytest.mark.parametrize("dark", [False, True])
def test_it_can_be_read_by_everybody(authority: Authority, caller: Caller, dark: bool) -> None:
    report = caller.opened()
    caller.describe(report, caller.upload(report)["fileId"])
    with running_browser(dark=dark) as browser:
        browser.get(authority.address)
        style = browser.execute_script("return getComputedStyle(document.body).maxWidth")
        assert style == "896px", "its style sheet is not let in"
        browser.execute_script(AXE)
        wrong = browser.execute_async_script(
            "const done = arguments[0]; axe.run().then((results) => done(results.violations));"
        )
        assert [each["id"] for each in wrong] == []
