"""``tutela link`` says what becomes of addresses, and which lists have them."""

import hashlib
import json
from pathlib import Path

import pytest

from tutela.cli.main import run


def lines(captured: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in captured.readouterr().out.splitlines()]


def test_the_form_of_an_address_and_its_digests_are_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["link", "form", "--json", "HTTPS://www.example.org//a%2Fb?c#d"]) == 0
    (told,) = lines(capsys)
    assert told["form"] == "www.example.org/a/b?c"
    digest = hashlib.sha256(b"example.org/a/b?c").hexdigest()
    assert told["digests"][0] == {"kind": "url", "sha256": digest}
    assert run(["link", "form", "example.org", "mailto:x@example.org"]) == 2
    shown = capsys.readouterr()
    assert shown.out.startswith("example.org/\n")
    assert "no address of the web" in shown.err


def test_it_is_said_which_list_has_an_address_and_no_case_is_opened(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("domain bad.example\nhttps://example.org/a\n")
    for words in (["create", "hotline"], ["import", "hotline", str(listed)]):
        assert run(["list", *words, "--data", str(data)]) == 0
    capsys.readouterr()
    addresses = ["https://img.bad.example/x", "https://clear.example/", "not an address"]
    assert run(["link", "check", *addresses, "--json", "--data", str(data)]) == 1
    assert lines(capsys) == [
        {
            "address": addresses[0],
            "matches": [{"list": "hotline", "kind": "domain", "distance": 0}],
        },
        {"address": addresses[1], "matches": []},
    ]
    assert run(["link", "check", addresses[1], "--data", str(data)]) == 0
    assert capsys.readouterr().out == "hxxps://clear[.]example/: on no list\n"
    assert run(["case", "ls", "--json", "--data", str(data)]) == 0
    assert capsys.readouterr().out == ""
