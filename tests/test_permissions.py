"""Every route, page and command says what it needs, and every role and nobody get just that.

Nothing is listed here: what there is, is found (``docs/write_people.py``). A new page that declares
nothing, and is not said to be public, fails.
"""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.actors import actor_called
from tests.conftest import TurnedClock
from tests.console.visitors import browser_of, new_person, new_session
from tests.house import House, running_house
from tutela.accounts.keys import add_key
from tutela.accounts.people import Person
from tutela.accounts.permissions import Permission, Role
from tutela.cli.acting import declared_needs
from tutela.storage.settings import load_settings

WRITING = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "write_people.py"))
ROUTES = WRITING["routes"]()
GUARDED = [route for route in ROUTES if not route.is_public]
# Nothing is there by these names, so that whoever is let in changes nothing.
ABSENT = {"number": str(2**63 - 1), "case": "ZZZZ-ZZZZ-ZZZZ"}


def named(route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("permissions")
        (folder / "tutela.toml").touch()
        patch.setenv("TUTELA_CONFIG", str(folder / "tutela.toml"))
        settings = load_settings(data=folder / "data", cells=1, job_threads=0)
        with running_house(settings, TurnedClock()) as running:
            yield running


@pytest.fixture(scope="module")
def people(house: House) -> dict[Role | None, Person]:
    """Somebody in each role, and one in none."""
    parts = (house.service.database, house.service.clock)
    return {None: new_person(*parts)} | {role: new_person(*parts, role) for role in Role}


@pytest.fixture(scope="module")
def callers(house: House, people) -> dict[Role | None, httpx.Client]:
    """A caller for each of them, by a key with every scope, which allows what they may do."""
    found = {}
    for role, person in people.items():
        with house.service.database.writing() as connection:
            actor, clock = actor_called("test"), house.service.clock
            name = f"of {person.id}"
            key = add_key(connection, name, list(Permission), actor, clock, owner=person.id)
        found[role] = house.stranger({"Authorization": f"Bearer {key}"})
    return found


@pytest.fixture(scope="module")
def keys(house: House) -> dict[Permission, tuple[httpx.Client, httpx.Client]]:
    """For each scope a program that has it alone, and one that has all others."""
    return {
        scope: (house.client_with(scope), house.client_with(*(set(Permission) - {scope})))
        for scope in Permission
    }


def ask(client: httpx.Client, route) -> httpx.Response:
    path = re.sub(r"{(\w+)(:\w+)?}", lambda name: ABSENT.get(name[1], ABSENT["number"]), route.path)
    return client.request(route.method, path, follow_redirects=False)


def test_every_route_declares_one_thing_that_it_needs() -> None:
    assert len(GUARDED) > 50
    undeclared = [named(route) for route in GUARDED if len(set(route.declared)) != 1]
    assert undeclared == [], "say what these need: Permitted(...) or visitor(...)"


def test_what_is_public_needs_nothing_and_changes_nothing_of_the_house() -> None:
    declared = [named(route) for route in ROUTES if route.is_public and route.declared]
    assert declared == []


def test_programs_are_guarded_by_keys_and_pages_by_sessions() -> None:
    for route in GUARDED:
        assert route.is_page is not route.path.startswith("/v1/"), named(route)


def test_every_command_declares_what_it_needs() -> None:
    found = WRITING["all_commands"]()
    assert len(found) > 50
    declared = declared_needs()
    assert [words for words, command in found.items() if command not in declared] == []


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_is_somebodys_or_a_programs(permission: Permission) -> None:
    programs = {Permission.SCREEN, Permission.SCREEN_FETCH, Permission.SUBJECTS_WRITE}
    assert permission in programs or any(permission in role.permissions for role in Role)


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_nobody_gets_in(house: House, route) -> None:
    if not route.is_page:
        for client in (house.stranger(), house.stranger({"Authorization": "Bearer tutela_x"})):
            refused = ask(client, route)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"].startswith("Bearer")
            assert refused.headers["Content-Type"] == "application/problem+json"
        return
    for token in (None, "guessed"):
        led = ask(browser_of(house, token), route)
        assert led.status_code == 303
        assert led.headers["Location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_each_role_gets_in_just_where_it_may(house: House, people, callers, route) -> None:
    (permission,) = set(route.declared)
    for role in (None, *Role):
        may = permission is None or (role is not None and permission in role.permissions)
        if route.is_page:
            # Anew each time, since some pages end the session that asks for them.
            token = new_session(house.service.database, house.service.clock, people[role])
            client = browser_of(house, token)
        else:
            client = callers[role]
        answer = ask(client, route)
        whose = f"{role}: {answer.status_code} {answer.text[:500]}"
        if may:
            assert not _is_turned_away(answer, route), whose
            assert answer.status_code < 500, whose
        else:
            assert answer.status_code == 403, whose
            assert permission in answer.text, whose


@pytest.mark.parametrize("route", [each for each in GUARDED if not each.is_page], ids=named)
def test_each_route_opens_to_its_own_scope_and_to_no_other(house: House, keys, route) -> None:
    (permission,) = set(route.declared)
    if permission is None:
        return
    own, others = keys[permission]
    assert not _is_turned_away(ask(own, route), route)
    refused = ask(others, route)
    assert refused.status_code == 403
    assert permission in refused.text


@pytest.mark.parametrize("route", [each for each in GUARDED if each.proved], ids=named)
def test_what_needs_a_proof_leads_to_one(house: House, people, route) -> None:
    (permission,) = set(route.declared)
    role = next(role for role in Role if permission is None or permission in role.permissions)
    parts = (house.service.database, house.service.clock)
    led = ask(browser_of(house, new_session(*parts, people[role], proved=False)), route)
    assert led.status_code == 303
    assert led.headers["Location"].startswith("/prove?next=")


def test_the_page_says_what_the_code_declares() -> None:
    written = (Path(__file__).parents[1] / "docs" / "people.md").read_text(encoding="utf-8")
    assert written == WRITING["page"](), "run: make docs"


@pytest.mark.parametrize(
    "route",
    [each for each in ROUTES if each.method != "GET" and not each.path.startswith("/v1/")],
    ids=named,
)
def test_no_other_site_makes_a_browser_change_anything(house: House, people, route) -> None:
    permission = next(iter(route.declared), None)
    role = next(role for role in Role if permission is None or permission in role.permissions)
    client = browser_of(
        house, new_session(house.service.database, house.service.clock, people[role])
    )
    for said in (
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": house.address, "Sec-Fetch-Site": "cross-site"},
        {"Origin": house.address, "Sec-Fetch-Site": "same-site"},
    ):
        client.headers.update(said)
        assert ask(client, route).status_code == 403, said


def _is_turned_away(answer: httpx.Response, route) -> bool:
    """Whether the guard refused. The room behind it may have its own reasons, and says them."""
    (permission,) = set(route.declared)
    if answer.status_code == 403:
        return any(f"{quote}{permission}{quote}" in answer.text for quote in ('"', "&#34;"))
    if route.is_page:
        return answer.headers.get("Location", "").startswith(("/sign-in?", "/prove?"))
    return answer.status_code == 401
