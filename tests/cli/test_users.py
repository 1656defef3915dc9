"""``tutela user`` invites, shows, changes and closes, and says what happened."""

import re

from tests.cli.command import json_lines, tutela
from tutela.storage.settings import Settings

PASSWORD = "lamp river cotton seven\n"


def add(settings: Settings, name: str, *roles: str):
    words = [word for role in roles for word in ("--role", role)]
    done = tutela(
        settings, "user", "add", name, f"{name}@house.example", *words, "--json", typed=PASSWORD
    )
    assert done.returncode == 0, done.stderr
    return json_lines(done)[0]


def test_people_are_added_listed_and_shown(settings: Settings) -> None:
    ada = add(settings, "ada", "administrator", "lead")
    assert (ada["id"], ada["roles"]) == (1, ["administrator", "lead"])
    assert json_lines(tutela(settings, "user", "ls", "--json")) == [ada]
    (shown,) = json_lines(tutela(settings, "user", "show", "ADA@house.example", "--json"))
    assert "people:write" in shown["permissions"]
    assert (shown["locked"], shown["sessions"]) == (False, [])
    table = tutela(settings, "user", "show", "1").stdout
    assert "looks after the reviewers" in table
    assert "lamp" not in table


def test_an_invitation_is_one_link(settings: Settings) -> None:
    words = ["Rosa", "rosa@house.example", "--role", "reviewer"]
    made = tutela(settings, "user", "invite", *words)
    assert re.fullmatch(r"http://127\.0\.0\.1:8470/welcome/[\w-]{43}\n", made.stdout)
    (listed,) = json_lines(tutela(settings, "user", "invitations", "--json"))
    assert (listed["id"], listed["roles"]) == (1, ["reviewer"])
    assert tutela(settings, "user", "withdraw-invitation", "1").returncode == 0
    assert tutela(settings, "user", "withdraw-invitation", "1").returncode == 2
    assert tutela(settings, "user", "invitations").stdout == ""


def test_roles_change_and_an_account_is_closed_for_good(settings: Settings) -> None:
    add(settings, "ada", "administrator")
    add(settings, "rosa", "reviewer")
    done = tutela(settings, "user", "roles", "2", "--role", "custodian", "--json")
    assert json_lines(done)[0]["roles"] == ["custodian"]
    last = tutela(settings, "user", "close", "1")
    assert last.returncode == 2
    assert "last administrator" in last.stderr
    key = tutela(settings, "key", "add", "rosas", "--scope", "cases:read", "--owner", "2", "--json")
    assert json_lines(key)[0]["owner"] == "person:2"
    closed = tutela(settings, "user", "close", "rosa@house.example", "--reason", "left", "--json")
    assert json_lines(closed)[0]["closed_at"]
    assert json_lines(tutela(settings, "key", "ls", "--json"))[0]["revoked_at"]
    assert len(json_lines(tutela(settings, "user", "ls", "--json"))) == 1
    assert len(json_lines(tutela(settings, "user", "ls", "--all", "--json"))) == 2


def test_the_small_things(settings: Settings) -> None:
    add(settings, "ada", "administrator")
    for command in ("unlock", "sign-out"):
        assert tutela(settings, "user", command, "1").returncode == 0
    assert "/welcome/" in tutela(settings, "user", "anew", "1").stdout
    nobody = tutela(settings, "user", "show", "7")
    assert nobody.returncode == 2
    assert "tutela user ls" in nobody.stderr
    weak = tutela(
        settings, "user", "add", "Eve", "eve@house.example", "--role", "lead", typed="short\n"
    )
    assert weak.returncode == 2
    assert "12 letters" in weak.stderr
