"""Single sign-on: against a provider that really runs, and against one that lies."""

import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_provider_mock import run_server_in_thread
from webauthn.helpers import bytes_to_base64url

from tests.accounts.people import someone
from tests.conftest import TurnedClock
from tutela.accounts.identities import person_behind
from tutela.accounts.people import Person
from tutela.accounts.permissions import Role
from tutela.accounts.single_sign_on import Identity, Provider, check_sign_on
from tutela.errors import NotProvedError, OutsideError, SettingsError
from tutela.storage.clock import system_clock
from tutela.storage.database import Database
from tutela.storage.settings import SingleSignOn

WAY_BACK = "http://localhost:8470/sign-in/back"


@pytest.fixture
def database(shared_database: Database) -> Database:
    return shared_database


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that runs, with two people."""
    with run_server_in_thread(require_nonce=True) as server:
        address = f"http://localhost:{server.server_port}"
        for subject, claims in {
            "ada": {"email": "ada@example.org", "email_verified": True, "groups": ["review", "x"]},
            "eve": {"email": "ada@example.org", "email_verified": False},
        }.items():
            httpx.put(f"{address}/users/{subject}", json=claims, timeout=60).raise_for_status()
        yield address


@pytest.fixture
def provider(issuer: str) -> Provider:
    return Provider(
        SingleSignOn(issuer=issuer, client_id="tutela", client_secret="secret & co"),  # type: ignore[arg-type]
        system_clock,
    )


def sign_in_there(address: str, subject: str) -> dict[str, str]:
    """What the browser comes back with."""
    answer = httpx.post(address, data={"sub": subject}, timeout=60)
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def test_the_provider_says_who_it_is(provider: Provider, issuer: str) -> None:
    going = provider.depart(WAY_BACK)
    asked = parse_qs(urlsplit(going.address).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    back = sign_in_there(going.address, "ada")
    who = provider.arrive(
        back, WAY_BACK, state=going.state, nonce=going.nonce, verifier=going.verifier
    )
    assert who == Identity(issuer, "ada", "ada@example.org", None)
    with pytest.raises(NotProvedError):
        provider.arrive(
            back, WAY_BACK, state=going.state, nonce=going.nonce, verifier=going.verifier
        )


def test_an_address_that_is_not_verified_is_none(provider: Provider) -> None:
    going = provider.depart(WAY_BACK)
    back = sign_in_there(going.address, "eve")
    who = provider.arrive(
        back, WAY_BACK, state=going.state, nonce=going.nonce, verifier=going.verifier
    )
    assert who.email is None


def test_what_another_browser_began_is_refused(provider: Provider) -> None:
    mine, theirs = provider.depart(WAY_BACK), provider.depart(WAY_BACK)
    back = sign_in_there(theirs.address, "ada")
    with pytest.raises(NotProvedError, match="not asked for"):
        provider.arrive(back, WAY_BACK, state=mine.state, nonce=mine.nonce, verifier=mine.verifier)
    # A code that was slipped into my answer is signed for another nonce.
    with pytest.raises(NotProvedError):
        provider.arrive(
            {"code": back["code"], "state": mine.state},
            WAY_BACK,
            state=mine.state,
            nonce=mine.nonce,
            verifier=mine.verifier,
        )


def test_a_refusal_there_is_said(provider: Provider) -> None:
    going = provider.depart(WAY_BACK)
    with pytest.raises(NotProvedError, match="refused or broken off"):
        provider.arrive(
            {"error": "access_denied", "state": going.state},
            WAY_BACK,
            state=going.state,
            nonce=going.nonce,
            verifier=going.verifier,
        )


def test_groups_become_roles_only_where_the_settings_say_so(issuer: str) -> None:
    who = Identity(issuer, "ada", None, frozenset({"review", "x"}))
    plain = Provider(SingleSignOn(issuer=issuer, client_id="tutela"), system_clock)
    assert plain.roles_for(who) is None
    mapped = Provider(
        SingleSignOn(
            issuer=issuer,
            client_id="tutela",
            roles_claim="realm_access.roles",
            roles={"review": "reviewer", "boss": "lead"},
        ),
        system_clock,
    )
    assert mapped.roles_for(who) == {Role.REVIEWER}
    assert mapped.roles_for(Identity(issuer, "ada", None, None)) == frozenset()


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://login.example"},
        {"issuer": "http://login.example", "client_id": "tutela"},
        {"issuer": "https://login.example", "client_id": "a", "roles": {"x": "reviewer"}},
        {
            "issuer": "https://login.example",
            "client_id": "a",
            "roles_claim": "groups",
            "roles": {"x": "king"},
        },
    ],
)
def test_settings_that_would_not_do_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="single_sign_on"):
        check_sign_on(SingleSignOn(**wrong))


def test_a_house_without_single_sign_on_is_set_rightly() -> None:
    check_sign_on(SingleSignOn())
    with pytest.raises(SettingsError, match="there is none"):
        Provider(SingleSignOn(), system_clock)


def test_a_provider_that_is_away_is_said(clock: TurnedClock) -> None:
    away = Provider(SingleSignOn(issuer="http://127.0.0.1:9", client_id="tutela"), clock)
    with pytest.raises(OutsideError, match="does not answer"):
        away.depart(WAY_BACK)


class Liar:
    """A provider that answers as a test wants it to."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048)
        self.address = ""
        self.metadata: dict[str, Any] = {}
        self.changes: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.asked: dict[str, str] = {}

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256"}, claims, self.key)

    def answer(self, path: str) -> dict[str, Any]:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
            } | self.metadata
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        claims = {
            "iss": self.address,
            "aud": "tutela",
            "sub": "ada",
            "nonce": "nonce",
            "iat": int(time.time()),
            "exp": int(time.time()) + 300,
            "email": "ada@example.org",
            "email_verified": True,
        } | self.changes
        kept = {
            name: int(time.time() + value.total_seconds())
            if isinstance(value, timedelta)
            else value
            for name, value in claims.items()
            if value is not None
        }
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(kept)}


@contextmanager
def running(liar: Liar) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(liar.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            liar.asked = dict(parse_qsl(sent))
            self.do_GET()

        def log_message(self, *said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    liar.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def liars_house() -> Iterator[Liar]:
    liar = Liar()
    with running(liar):
        yield liar


@pytest.fixture
def liar(liars_house: Liar) -> Liar:
    liars_house.metadata, liars_house.changes = {}, {}
    liars_house.sign = liars_house.signed
    return liars_house


def arrive(liar: Liar, **settings: Any) -> Identity:
    provider = Provider(
        SingleSignOn(issuer=liar.address, client_id="tutela", **settings), system_clock
    )
    return provider.arrive(
        {"state": "state", "code": "code"}, WAY_BACK, state="state", nonce="nonce", verifier="v"
    )


def test_the_truth_is_believed(liar: Liar) -> None:
    liar.changes = {"realm_access": {"roles": ["review", 5]}}
    who = arrive(liar, roles_claim="realm_access.roles")
    assert who.groups == {"review"}
    assert liar.asked["code_verifier"] == "v"
    liar.changes = {"aud": ["tutela", "another"], "azp": "tutela"}
    assert arrive(liar).subject == "ada"


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another-house"},
        {"aud": ["tutela", "another"], "azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": timedelta(minutes=-10)},
        {"exp": None},
        {"iat": timedelta(minutes=10)},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "a" * 256},
    ],
    ids=str,
)
def test_a_lie_is_not_believed(liar: Liar, lie: dict[str, Any]) -> None:
    liar.changes = lie
    with pytest.raises(NotProvedError):
        arrive(liar)


def test_what_its_keys_did_not_sign_is_not_believed(liar: Liar) -> None:
    another = RSAKey.generate_key(2048)
    liar.sign = lambda claims: jwt.encode({"alg": "RS256"}, claims, another)
    with pytest.raises(NotProvedError):
        arrive(liar)
    liar.sign = lambda claims: by_hand("none", claims, lambda _: b"")
    with pytest.raises(NotProvedError):
        arrive(liar)
    # The public key as a shared secret: the oldest trick.
    public = liar.key.as_pem(private=False)
    liar.sign = lambda claims: by_hand(
        "HS256", claims, lambda said: hmac.digest(public, said, "sha256")
    )
    with pytest.raises(NotProvedError):
        arrive(liar)


def by_hand(algorithm: str, claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    parts = [bytes_to_base64url(json.dumps(part).encode()) for part in ({"alg": algorithm}, claims)]
    return ".".join([*parts, bytes_to_base64url(sign(".".join(parts).encode()))])


def test_a_new_key_of_the_provider_is_fetched(liar: Liar) -> None:
    provider = Provider(SingleSignOn(issuer=liar.address, client_id="tutela"), system_clock)
    back = {"state": "state", "code": "code"}
    for _ in range(2):
        assert provider.arrive(back, WAY_BACK, state="state", nonce="nonce", verifier="v")
        liar.key = RSAKey.generate_key(2048)


def test_a_proof_has_to_be_fresh(liar: Liar) -> None:
    provider = Provider(SingleSignOn(issuer=liar.address, client_id="tutela"), system_clock)
    asked = dict(parse_qsl(urlsplit(provider.depart(WAY_BACK, anew=True).address).query))
    assert asked["prompt"] == "login"
    assert asked["max_age"] == "0"
    back, since = {"state": "state", "code": "code"}, system_clock()

    def prove() -> Identity:
        return provider.arrive(
            back, WAY_BACK, state="state", nonce="nonce", verifier="v", since=since
        )

    for old in ({}, {"auth_time": timedelta(minutes=-10)}):
        liar.changes = old
        with pytest.raises(NotProvedError, match="ask who you are again"):
            prove()
    liar.changes = {"auth_time": timedelta()}
    assert prove().subject == "ada"


def test_an_answer_of_another_provider_is_refused(liar: Liar) -> None:
    provider = Provider(SingleSignOn(issuer=liar.address, client_id="tutela"), system_clock)
    with pytest.raises(NotProvedError, match="another provider"):
        provider.arrive(
            {"state": "state", "code": "code", "iss": "https://elsewhere.example"},
            WAY_BACK,
            state="state",
            nonce="nonce",
            verifier="v",
        )


def test_a_provider_that_calls_itself_otherwise_is_refused(liar: Liar) -> None:
    liar.metadata = {"issuer": "https://elsewhere.example"}
    with pytest.raises(OutsideError, match="calls itself otherwise"):
        arrive(liar)
    liar.metadata = {"token_endpoint": "http://elsewhere.example/token"}
    with pytest.raises(SettingsError, match="https"):
        arrive(liar)


@pytest.fixture
def ada(database: Database, clock: TurnedClock) -> Person:
    return someone(database, clock)


def behind(database: Database, clock: TurnedClock, subject: str, email: str | None) -> Person:
    with database.writing() as connection:
        return person_behind(
            connection, Identity("https://login.example", subject, email, None), clock
        )


def test_a_person_is_found_by_address_once_and_then_by_their_own_name_there(
    database: Database, clock: TurnedClock, ada: Person
) -> None:
    assert ada.email
    assert behind(database, clock, "subject-1", ada.email.upper()) == ada
    assert behind(database, clock, "subject-1", None) == ada
    # The address was given to somebody else there.
    with pytest.raises(NotProvedError):
        behind(database, clock, "subject-2", ada.email)


def test_who_was_not_invited_stays_outside(
    database: Database, clock: TurnedClock, ada: Person
) -> None:
    for email in (None, "ben@example.org"):
        with pytest.raises(NotProvedError, match="nobody here"):
            behind(database, clock, "subject-3", email)
