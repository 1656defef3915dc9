"""``tutela authority``: the directory as an operator reads, explains, confirms and changes it."""

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.command import environment, json_lines
from tests.reporting.authorities.confirmed import confirmed_case
from tutela.cli.main import run
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import Settings

KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
ON = ("--source", "our counsel's letter")


@pytest.fixture
def tutela(
    settings: Settings, database: Database, monkeypatch, capfd
) -> Callable[..., CompletedProcess[str]]:
    """Runs a command in this process, for a house in the United States."""

    def command(*words: str) -> CompletedProcess[str]:
        found = environment(settings) | {"TUTELA_REPORTING__ESTABLISHMENT": "US"}
        for name, value in found.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        mask = os.umask(0o077)
        try:
            code = run(["authority", *words])
        finally:
            os.umask(mask)
        out, err = capfd.readouterr()
        return CompletedProcess(words, code, out, err)

    return command


def test_the_directory_is_listed_with_who_stands_for_it(tutela) -> None:
    rows = {each["row"]: each["standing"] for each in json_lines(tutela("ls", "--json"))}
    assert rows["us-ncmec"] == rows["us-ncmec:cybertipline"] == "verified"
    assert rows["au-afp"] == "unverified"
    listed = tutela("ls", "--all").stdout
    assert "verified 2026-11-29" in listed
    assert "law.cornell.edu" in listed


def test_a_row_is_shown_with_its_source_and_the_rows_of_it(tutela) -> None:
    shown = tutela("show", "us-ncmec").stdout
    assert "verified 2026-11-29" in shown
    assert "us-ncmec:cybertipline: verified" in shown
    assert "us-2258a-apparent: must tell us-ncmec of material" in shown
    refused = tutela("show", "nobody")
    assert refused.returncode == 2
    assert 'no row "nobody"' in refused.stderr


def test_a_row_is_confirmed_explained_by_and_withdrawn(tutela) -> None:
    australian = ("route", "--establishment", "AU", "--json")
    before = {each["duty"]: each["outcome"] for each in json_lines(tutela(*australian))}
    assert before["au-criminal-code-474-25"] == "would-apply"
    for row in ("au-afp", "au-criminal-code-474-25"):
        confirmed = tutela("confirm", row, *ON)
        assert confirmed.returncode == 0, confirmed.stderr
    after = {each["duty"]: each["outcome"] for each in json_lines(tutela(*australian))}
    assert after["au-criminal-code-474-25"] == "applies"
    withdrawn = tutela("withdraw", "au-afp", "--reason", "it was amended")
    assert "au-afp is unverified now" in withdrawn.stderr
    assert tutela("confirm", "us-ncmec", *ON).returncode == 2


def test_a_route_is_explained_in_words(tutela) -> None:
    told = tutela("route", "--subject", "DE", "--incident", "danger", "--incident", "material")
    assert "your service is established in US; the case is about material" in told.stdout
    assert "the subject is in DE" in told.stdout
    assert "would apply if confirmed" in told.stdout
    assert "more do not apply: see --all" in told.stderr
    assert "it is only for" in tutela("route", "--all").stdout
    assert "write two letters" in tutela("route", "--subject", "Germany").stderr


def test_an_authority_is_added_and_its_way_is_set(tutela, tmp_path: Path) -> None:
    added = tutela(
        "add", "fr-hotline", "The hotline", "--country", "FR", "--kind", "hotline", *ON,
        "--incident", "material", "--concerned", "FR", "--law", "our agreement",
        "--within-hours", "48", "--must",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    keys = tmp_path / "hotline.txt"
    keys.write_text(f"{KEY}\n", encoding="utf-8")
    half = tutela("set", "fr-hotline", "sealed-mail", "--address", "desk@hotline.example", *ON)
    assert "still lacks its public key" in half.stderr
    (whole,) = json_lines(
        tutela("set", "fr-hotline", "sealed-mail", "--key", str(keys), *ON, "--json")
    )
    assert (whole["ready"], whole["address"]) == (True, "desk@hotline.example")
    told = tutela("route", "--victim", "FR").stdout
    assert "fr-hotline" in told
    assert "sealed-mail" in told


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--must",), "say with --incident"), (("--incident", "material"), "say with --law")],
)
def test_a_duty_that_is_half_said_is_refused(tutela, more, said) -> None:
    refused = tutela("add", "xx", "X", "--country", "FR", "--kind", "police", *ON, *more)
    assert refused.returncode == 2
    assert said in refused.stderr


def test_a_case_is_told_its_clock(tutela, database: Database) -> None:
    case = confirmed_case(database, system_clock())
    told = tutela("route", "--case", case)
    assert "24 hours after the case was confirmed, as this house has it" in told.stdout
    (fields,) = json_lines(tutela("route", "--case", case, "--json"))
    assert fields["clocks"][0]["duty"] == "us-2258a-apparent"
    assert tutela("route", "--case", case, "--establishment", "GB").returncode == 2
