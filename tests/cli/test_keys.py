"""``tutela key`` shows a key once and never again."""

from tests.cli.command import json_lines, tutela
from tutela.storage.settings import Settings


def test_a_key_is_shown_once_and_listed_without_its_secret(settings: Settings) -> None:
    made = tutela(settings, "key", "add", "forum", "--scope", "screen", "--json")
    (key,) = json_lines(made)
    assert key == {"name": "forum", "key": key["key"], "scopes": ["screen"]}
    listed = tutela(settings, "key", "ls", "--json")
    (shown,) = json_lines(listed)
    assert (shown["name"], shown["scopes"], shown["revoked_at"]) == ("forum", ["screen"], None)
    assert shown["id"] == "key:1"
    assert "key:1" in tutela(settings, "key", "ls").stdout
    assert key["key"] not in listed.stdout
    assert "forum" in tutela(settings, "key", "ls").stdout


def test_without_json_only_the_key_is_on_standard_output(settings: Settings) -> None:
    made = tutela(settings, "key", "add", "forum", "--scope", "screen")
    assert made.stdout.startswith("tutela_")
    assert len(made.stdout.split()) == 1


def test_a_revoked_key_is_shown_as_such(settings: Settings) -> None:
    tutela(settings, "key", "add", "forum", "--scope", "screen")
    assert tutela(settings, "key", "revoke", "forum").returncode == 0
    assert json_lines(tutela(settings, "key", "ls", "--json"))[0]["revoked_at"]
    again = tutela(settings, "key", "revoke", "forum")
    assert again.returncode == 2
    assert again.stderr.strip() == 'error: no key "forum" is in use: see "tutela key ls"'


def test_a_name_in_use_and_a_scope_that_is_none_are_refused(settings: Settings) -> None:
    tutela(settings, "key", "add", "forum", "--scope", "screen")
    taken = tutela(settings, "key", "add", "forum", "--scope", "screen")
    assert taken.returncode == 2
    assert "choose another name" in taken.stderr
    wrong = tutela(settings, "key", "add", "game", "--scope", "scren")
    assert wrong.returncode == 2
    assert "screen:details" in wrong.stderr
