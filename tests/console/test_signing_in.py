"""Signing in and out, over HTTP, as a browser does it."""

import re
from collections.abc import Iterator

import httpx
import pyotp
import pytest
from markupsafe import escape
from sqlalchemy import select

from tests.accounts.authenticator import Authenticator
from tests.actors import actor_called
from tests.conftest import TurnedClock
from tests.console.visitors import COOKIE, browser_of, new_person, signed_in
from tests.house import House, running_house
from tutela.accounts.codes import begin_app, confirm_app
from tutela.accounts.invitations import invite, invite_anew, invite_first
from tutela.accounts.passwords import hash_password, set_password
from tutela.accounts.people import Person, find_person
from tutela.accounts.permissions import Role
from tutela.accounts.recovery import make_recovery_codes
from tutela.accounts.sign_in_key import SignInKey
from tutela.accounts.tables import sign_in_failures
from tutela.console.language import languages
from tutela.storage.settings import load_settings

SAY = languages()["en"].texts
PASSWORD = "wicker lantern orbit moss"


@pytest.fixture(scope="module")
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, clock: TurnedClock) -> Iterator[House]:
    settings = load_settings(data=tmp_path_factory.mktemp("house") / "data", cells=1)
    with running_house(settings, clock) as running:
        yield running


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_password(PASSWORD)


class Somebody:
    """A person with a password, and an app if they set one up."""

    def __init__(self, house: House, clock: TurnedClock, hashed: str, *, app: bool = True) -> None:
        self.house, self.clock = house, clock
        database = house.service.database
        self.person: Person = new_person(database, clock, Role.REVIEWER)
        self.app: pyotp.TOTP | None = None
        with database.writing() as connection:
            set_password(connection, self.person, hashed, clock)
            if app:
                key = SignInKey.of(house.settings)
                begun = begin_app(connection, self.person.id, key, clock, name="a", house="T")
                self.app = pyotp.TOTP(begun.secret.replace(" ", ""))
                confirm_app(connection, self.person.id, self.app.at(clock.now), key, clock)
        clock.turn(minutes=2)
        self.browser = browser_of(house)

    def password(self, password: str = PASSWORD, to: str = "/queue") -> httpx.Response:
        return self.browser.post(
            "/sign-in", params={"next": to}, data={"email": self.person.email, "password": password}
        )

    def code(self) -> str:
        assert self.app
        return self.app.at(self.clock.now)

    def second(self, **data: str) -> httpx.Response:
        return self.browser.post("/sign-in/second-step", params={"next": "/queue"}, data=data)


@pytest.fixture
def ada(house: House, clock: TurnedClock, hashed: str) -> Somebody:
    return Somebody(house, clock, hashed)


@pytest.fixture
def ben(house: House, clock: TurnedClock, hashed: str) -> Somebody:
    """He has no second step yet."""
    return Somebody(house, clock, hashed, app=False)


def acts(house: House, person: Person) -> list[str]:
    with house.service.database.reading() as connection:
        rows = connection.exec_driver_sql(
            f"SELECT act FROM ledger_entries WHERE thing = 'person:{person.id}' ORDER BY number"
        )
        return list(rows.scalars())


def test_password_and_code_open_the_door(ada: Somebody, house: House) -> None:
    answer = ada.password()
    assert answer.headers["Location"] == "/sign-in/second-step?next=/queue"
    between = ada.browser.cookies[COOKIE]
    assert ada.browser.get("/queue").headers["Location"].startswith("/sign-in/second-step")
    answer = ada.second(code=ada.code())
    assert answer.headers["Location"] == "/queue"
    # A token that was seen or planted before the second step is worth nothing after it.
    assert ada.browser.cookies[COOKIE] != between
    assert ada.browser.get("/queue").status_code == 200
    assert browser_of(house, between).get("/queue").status_code == 303
    assert acts(house, ada.person)[-1] == "person.signed-in"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_those_who_are_in_are_led_on(house: House) -> None:
    client, _ = signed_in(house, Role.REVIEWER)
    assert client.get("/sign-in?next=/queue").headers["Location"] == "/queue"
    assert client.get("/sign-in?next=//evil.example").headers["Location"] == "/"


def test_a_wrong_password_and_a_stranger_look_alike(ada: Somebody, house: House) -> None:
    wrong = ada.password("wicker lantern orbit mosses")
    stranger = browser_of(house).post(
        "/sign-in",
        params={"next": "/queue"},
        data={"email": "nobody@example.org", "password": PASSWORD},
    )
    assert wrong.status_code == stranger.status_code == 422
    assert SAY["wrong_password"] in wrong.text
    assert wrong.text.replace(str(ada.person.email), "nobody@example.org") == stranger.text


def test_guessing_has_to_wait_and_says_so(ada: Somebody, clock: TurnedClock) -> None:
    for _ in range(5):
        assert ada.password("wicker lantern orbit mosses").status_code == 422
    answer = ada.password()
    assert answer.status_code == 429
    assert "Too many tries" in answer.text
    clock.turn(minutes=20)
    assert ada.password().status_code == 303


def test_a_code_is_guessed_no_more_easily(ada: Somebody, clock: TurnedClock) -> None:
    ada.password()
    for _ in range(5):
        answer = ada.second(code="000000")
        assert escape(SAY["wrong_code"]) in answer.text
    assert ada.second(code=ada.code()).status_code == 429
    clock.turn(minutes=2)
    assert ada.second(code=ada.code()).status_code == 303


def test_a_code_that_somebody_saw_is_used_up(ada: Somebody, house: House) -> None:
    code = ada.code()
    ada.password()
    assert ada.second(code=code).status_code == 303
    ada.browser = browser_of(house)
    ada.password()
    assert ada.second(code=code).status_code == 422


def test_a_recovery_code_opens_the_door_once(ada: Somebody, house: House) -> None:
    with house.service.database.writing() as connection:
        codes = make_recovery_codes(connection, ada.person.id, ada.clock)
    ada.password()
    assert ada.second(recovery_code=codes[3].upper()).headers["Location"] == "/queue"
    assert acts(house, ada.person)[-2:] == ["person.sign-in-changed", "person.signed-in"]
    ada.browser = browser_of(house)
    ada.password()
    answer = ada.second(recovery_code=codes[3])
    assert SAY["wrong_recovery"] in answer.text


def test_who_has_no_second_step_sets_one_up_first(ben: Somebody) -> None:
    assert ben.password().headers["Location"] == "/sign-in/set-up?next=/queue"
    assert ben.browser.get("/queue").headers["Location"].startswith("/sign-in/set-up")
    assert ben.browser.get("/sign-in/second-step").headers["Location"].startswith("/sign-in/set-up")
    page = ben.browser.get("/sign-in/set-up?next=/queue").text
    assert page == ben.browser.get("/sign-in/set-up?next=/queue").text
    secret = re.findall(r'class="secret"[^>]*>([A-Z2-7 ]+)<', page)[0].replace(" ", "")
    wrong = ben.browser.post("/sign-in/set-up", data={"code": "000000"})
    assert escape(SAY["wrong_code"]) in wrong.text
    done = ben.browser.post(
        "/sign-in/set-up?next=/queue", data={"code": pyotp.TOTP(secret).at(ben.clock.now)}
    )
    codes = re.findall(r"<li><code[^>]*>([a-z0-9-]{19})</code>", done.text)
    assert len(codes) == 10
    assert ben.browser.get("/queue").status_code == 200


def test_a_password_alone_sets_nothing_up_once_there_is_a_second_step(
    ben: Somebody, house: House
) -> None:
    ben.password()
    mine, thiefs = ben.browser, browser_of(house)
    ben.browser = thiefs
    ben.password()
    assert thiefs.get("/sign-in/set-up").status_code == 200
    device = Authenticator(house.address)
    answer = as_text(device.create(ask(mine, "/sign-in/set-up/passkey/begin")))
    assert mine.post("/sign-in/set-up", data={"answer": answer}).status_code == 200
    for asked in (thiefs.post("/sign-in/set-up"), thiefs.get("/sign-in/set-up")):
        assert asked.headers["Location"].startswith("/sign-in?next=")
    assert thiefs.get("/sign-in").status_code == 200


def test_a_passkey_is_set_up_and_signs_in_by_itself(ben: Somebody, house: House) -> None:
    ben.password()
    device = Authenticator(house.address)
    answer = ask(ben.browser, "/sign-in/set-up/passkey/begin")
    done = ben.browser.post("/sign-in/set-up", data={"answer": as_text(device.create(answer))})
    assert done.status_code == 200
    ben.browser = browser_of(house)
    options = ask(ben.browser, "/sign-in/passkey/ask")
    signed = ben.browser.post(
        "/sign-in/passkey?next=/queue", data={"answer": as_text(device.get(options))}
    )
    assert signed.headers["Location"] == "/queue"
    assert ben.browser.get("/queue").status_code == 200


def test_whoever_is_signed_in_makes_nothing_good_at_their_address(
    ben: Somebody, house: House, clock: TurnedClock
) -> None:
    ben.password()
    device = Authenticator(house.address)
    answer = ask(ben.browser, "/sign-in/set-up/passkey/begin")
    ben.browser.post("/sign-in/set-up", data={"answer": as_text(device.create(answer))})
    browser_of(house).post("/sign-in", data={"email": "x@house.example", "password": "guessed"})
    before = failures(house)
    for _ in range(3):
        clock.turn(minutes=1)
        options = ask(ben.browser, "/sign-in/passkey/ask")
        answer = as_text(device.get(options))
        signed = ben.browser.post("/sign-in/passkey", data={"answer": answer})
        assert signed.status_code == 303
    assert failures(house) == before


def failures(house: House) -> list[tuple[object, ...]]:
    with house.service.database.reading() as connection:
        rows = connection.execute(select(sign_in_failures).order_by("subject_sha256"))
        return [tuple(row) for row in rows]


def ask(browser: httpx.Client, path: str) -> str:
    answer = browser.post(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.text


def as_text(answer: dict[str, object]) -> str:
    import json

    return json.dumps(answer)


def test_nonsense_for_a_passkey_is_refused_kindly(ben: Somebody) -> None:
    for nonsense in ("", "x", "[]", "{}", "[" * 50_000):
        ask(ben.browser, "/sign-in/passkey/ask")
        answer = ben.browser.post("/sign-in/passkey", data={"answer": nonsense})
        assert answer.status_code == 422
        assert SAY["wrong_passkey"] in answer.text


def test_signing_out_ends_the_session(house: House) -> None:
    client, person = signed_in(house, Role.REVIEWER)
    token = client.cookies[COOKIE]
    answer = client.post("/sign-out")
    assert answer.headers["Location"] == "/sign-in?out=1"
    assert f'{COOKIE}=""; ' in answer.headers["Set-Cookie"]
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert browser_of(house, token).get("/queue").status_code == 303
    assert acts(house, person)[-1] == "person.signed-out"


def test_no_other_site_signs_anybody_in_or_out(ada: Somebody, house: House) -> None:
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for path in ("/sign-in", "/sign-in/passkey", "/sign-in/passkey/ask", "/sign-out"):
        assert ada.browser.post(path, headers=foreign).status_code == 403, path


def test_who_comes_from_a_mail_is_let_in_all_the_same(house: House) -> None:
    """Their browser shows its cookie only when our own page asks."""
    answer = browser_of(house).get("/sign-in?next=/queue", headers={"Sec-Fetch-Site": "cross-site"})
    assert 'content="0; url=/sign-in?again=1&amp;next=/queue"' in answer.text


def test_it_is_shown_again_that_it_is_them(house: House, ada: Somebody, clock: TurnedClock) -> None:
    ada.password()
    ada.second(code=ada.code())
    clock.turn(minutes=16)
    assert ada.browser.get("/me/sign-in/app").headers["Location"].startswith("/prove?next=")
    page = ada.browser.get("/prove?next=/me/sign-in/app")
    assert SAY["prove"] in page.text
    # A password is not enough where there is more.
    for wrong in ({"password": PASSWORD}, {"code": "000000"}):
        answer = ada.browser.post("/prove?next=/me/sign-in/app", data=wrong)
        assert answer.status_code == 422
    before = ada.browser.cookies[COOKIE]
    answer = ada.browser.post("/prove?next=/me/sign-in/app", data={"code": ada.code()})
    assert answer.headers["Location"] == "/me/sign-in/app"
    assert ada.browser.cookies[COOKIE] != before
    assert ada.browser.get("/me/sign-in/app").status_code == 200
    assert acts(house, ada.person)[-1] == "person.proved-again"


def test_one_who_is_invited_is_in_within_two_forms(house: House, clock: TurnedClock) -> None:
    with house.service.database.writing() as connection:
        invited = invite(
            connection,
            "Kim",
            "kim@example.org",
            [Role.REVIEWER],
            actor=actor_called("test"),
            clock=clock,
        )
    browser = browser_of(house)
    page = browser.get(invited.path)
    assert 'value="Kim"' in page.text
    assert "kim@example.org" in page.text
    weak = browser.post(invited.path, data={"name": "Kim", "password": "kim@example.org"})
    assert weak.status_code == 422
    assert SAY["wrong_welcome"] in weak.text
    done = browser.post(invited.path, data={"name": "Kim K.", "password": PASSWORD})
    assert done.headers["Location"].startswith("/sign-in/set-up")
    assert browser.get("/sign-in/set-up").status_code == 200
    for again in (browser_of(house).get(invited.path), browser_of(house).post(invited.path)):
        assert again.status_code == 404
        assert SAY["no_invitation"] in again.text


def test_a_link_that_never_was_is_not_told_apart(house: House) -> None:
    assert SAY["no_invitation"] in browser_of(house).get("/welcome/guess").text


def test_who_starts_anew_loses_the_old_ways_in(
    ada: Somebody, house: House, clock: TurnedClock
) -> None:
    with house.service.database.writing() as connection:
        person = find_person(connection, ada.person.id)
        invited = invite_anew(connection, person, actor=actor_called("test"), clock=clock)
    browser = browser_of(house)
    assert SAY["welcome_anew"] in browser.get(invited.path).text
    done = browser.post(invited.path, data={"password": "another orbit of mosses"})
    assert done.headers["Location"].startswith("/sign-in/set-up")
    assert ada.password().status_code == 422
    assert ada.password("another orbit of mosses").headers["Location"].startswith("/sign-in/set-up")


def test_the_first_administrator_says_who_they_are(
    tmp_path_factory: pytest.TempPathFactory, clock: TurnedClock
) -> None:
    settings = load_settings(data=tmp_path_factory.mktemp("new house") / "data", cells=1)
    with running_house(settings, clock) as new:
        with new.service.database.writing() as connection:
            invited = invite_first(connection, clock)
        assert invited
        browser = browser_of(new)
        assert SAY["role_administrator"] in browser.get(invited.path).text
        done = browser.post(
            invited.path,
            data={"name": "Ada", "email": "ada@example.org", "password": PASSWORD},
        )
        assert done.headers["Location"].startswith("/sign-in/set-up")


def test_ones_own_ways_in_are_changed_by_oneself(ada: Somebody, house: House) -> None:
    ada.password()
    ada.second(code=ada.code())
    elsewhere = Somebody.__new__(Somebody)
    elsewhere.__dict__ = {**ada.__dict__, "browser": browser_of(house)}
    elsewhere.clock.turn(minutes=1)
    elsewhere.password()
    elsewhere.second(code=elsewhere.code())
    page = ada.browser.get("/me/sign-in").text
    assert SAY["session_this"] in page
    numbers = re.findall(r"/me/sign-in/sessions/(\d+)/end", page)
    assert len(numbers) == 1
    assert ada.browser.post(f"/me/sign-in/sessions/{numbers[0]}/end").status_code == 303
    assert elsewhere.browser.get("/queue").status_code == 303


def test_nobody_ends_another_persons_session(house: House) -> None:
    mine, _ = signed_in(house, Role.REVIEWER)
    other, person = signed_in(house, Role.REVIEWER)
    with house.service.database.reading() as connection:
        number = connection.exec_driver_sql(
            f"SELECT id FROM sessions WHERE person = {person.id}"
        ).scalar_one()
    assert mine.post(f"/me/sign-in/sessions/{number}/end").status_code == 404
    assert other.get("/me/sign-in").status_code == 200


def test_a_new_password_ends_all_other_sessions(ada: Somebody, house: House) -> None:
    ada.password()
    ada.second(code=ada.code())
    other = browser_of(house)
    weak = ada.browser.post("/me/sign-in/password", data={"password": "short"})
    assert weak.status_code == 422
    assert SAY["wrong_new_password"] in weak.text
    assert (
        ada.browser.post(
            "/me/sign-in/password", data={"password": "another orbit of mosses"}
        ).status_code
        == 303
    )
    assert SAY["said_password"] in ada.browser.get("/me/sign-in").text
    ada.browser = other
    assert ada.password().status_code == 422


def test_the_last_second_step_stays_where_the_house_wants_one(ada: Somebody) -> None:
    ada.password()
    ada.second(code=ada.code())
    assert ada.browser.post("/me/sign-in/app/forget").status_code == 303
    assert SAY["said_last_factor"] in ada.browser.get("/me/sign-in").text
    codes = ada.browser.post("/me/sign-in/recovery-codes").text
    assert len(re.findall(r"<li><code[^>]*>([a-z0-9-]{19})</code>", codes)) == 10


def test_where_no_second_step_is_needed_the_password_is_enough(
    tmp_path_factory: pytest.TempPathFactory, clock: TurnedClock, hashed: str
) -> None:
    settings = load_settings(
        data=tmp_path_factory.mktemp("easy house") / "data",
        cells=1,
        console={"second_factor": "optional"},
    )
    with running_house(settings, clock) as easy:
        cy = Somebody(easy, clock, hashed, app=False)
        assert cy.password().headers["Location"] == "/queue"
        clock.turn(minutes=16)
        assert cy.browser.get("/me/sign-in/app").headers["Location"].startswith("/prove")
        proved = cy.browser.post("/prove?next=/queue", data={"password": PASSWORD})
        assert proved.headers["Location"] == "/queue"
