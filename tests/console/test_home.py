import re

import pytest
from fastapi.testclient import TestClient

from tests.console.house import UNWELL, WELL, house
from tutela.console.language import languages


@pytest.fixture
def visitor() -> TestClient:
    return TestClient(house())


def test_the_page_says_what_this_is_how_it_is_and_where_to_go(visitor: TestClient) -> None:
    page = visitor.get("/")
    assert page.status_code == 200
    english = languages()["en"].texts
    for key in ("sentence", "healthy", "check_database", "check_index", "check_cells"):
        assert english[key] in page.text
    assert 'href="/docs"' in page.text
    assert 'href="/openapi.json"' in page.text
    assert "1\u202f234\u202f567" in page.text
    assert "0.1.0" in page.text
    assert "http://testserver/v1/screen" in page.text
    assert page.text.count('<li class="card">') == 3


def test_trouble_is_said_in_words_and_signs_not_by_colour_alone() -> None:
    page = TestClient(house(lambda: UNWELL)).get("/")
    english = languages()["en"].texts
    assert english["unhealthy"] in page.text
    assert english["not_working"] in page.text
    assert english["healthy"] not in page.text
    assert "✕" in page.text


def test_what_a_check_says_is_never_markup() -> None:
    page = TestClient(house(lambda: UNWELL)).get("/")
    assert "<b>" not in page.text
    assert "&lt;b&gt;not reachable&lt;/b&gt;" in page.text


def test_counts_that_are_not_given_are_not_shown() -> None:
    page = TestClient(house(lambda: UNWELL)).get("/")
    assert "counts" not in page.text


def test_a_check_that_no_language_names_is_shown_by_its_own_name() -> None:
    assert "weather" in TestClient(house(lambda: UNWELL)).get("/?lang=ar").text


def test_health_is_looked_at_anew_for_each_visit() -> None:
    answers = iter([WELL, UNWELL])
    visitor = TestClient(house(lambda: next(answers)))
    assert languages()["en"].texts["healthy"] in visitor.get("/").text
    assert languages()["en"].texts["unhealthy"] in visitor.get("/").text
    assert "no-store" in TestClient(house()).get("/").headers["Cache-Control"]


@pytest.mark.parametrize("tag", sorted(languages()))
def test_the_page_exists_in_every_language(visitor: TestClient, tag: str) -> None:
    by_address = visitor.get(f"/?lang={tag}")
    by_browser = visitor.get("/", headers={"Accept-Language": f"{tag},en;q=0.5"})
    assert by_address.text == by_browser.text
    language = languages()[tag]
    assert f'<html lang="{tag}" dir="{language.direction}">' in by_address.text
    assert by_address.headers["Content-Language"] == tag
    assert by_address.headers["Vary"] == "Accept-Language"
    assert language.texts["sentence"] in by_address.text
    for other in languages().values():
        assert other.name in by_address.text


def test_the_page_runs_no_script_and_holds_no_inline_style(visitor: TestClient) -> None:
    page = visitor.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page.text)


@pytest.mark.parametrize("address", ["/", "/docs", "/static/tutela.css", "/static/logo.svg"])
def test_every_answer_tells_the_browser_to_be_careful(visitor: TestClient, address: str) -> None:
    sent = visitor.get(address).headers
    assert sent["X-Content-Type-Options"] == "nosniff"
    assert sent["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in sent["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in sent["Content-Security-Policy"]


def test_the_pages_are_no_part_of_the_api_description(visitor: TestClient) -> None:
    assert set(visitor.get("/openapi.json").json()["paths"]) == {"/v1/weather", "/v1/greeting"}


def test_a_strange_host_name_cannot_write_into_the_page(visitor: TestClient) -> None:
    page = visitor.get("/", headers={"Host": '"><script>alert(1)</script>'})
    assert "<script" not in page.text
