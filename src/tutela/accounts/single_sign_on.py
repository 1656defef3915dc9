"""Single sign-on: another house of the organisation says who somebody is (OpenID Connect).

The authorization code flow with PKCE, state and nonce. What the provider says is believed only if
it is signed by its keys, for us, in answer to what this browser began, and is fresh. It opens the
door for people who were invited here, and for nobody else; their roles are given here, unless the
settings say which of the provider's groups have which role.
https://openid.net/specs/openid-connect-core-1_0.html
"""

import base64
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tutela.accounts.permissions import Role
from tutela.errors import NotProvedError, OutsideError, SettingsError
from tutela.storage.clock import Clock
from tutela.storage.settings import SingleSignOn

_ANSWER_SECONDS = 10
_KNOWN_SECONDS = 600
_LEEWAY_SECONDS = 60
# Those that a provider signs with a key that we do not have.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser is sent, and what is remembered until it is back.

    Attributes:
        address: Where it is sent.
        state: What it has to come back with.
        nonce: What the provider has to sign.
        verifier: What shows that whoever fetches the answer is who asked (PKCE).
    """

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as the provider has signed it.

    Attributes:
        issuer: The provider.
        subject: The one name of the person there that is never given to another.
        email: The address, if the provider has verified it.
        groups: What the claim of the settings says they belong to; ``None`` without such a claim.
    """

    issuer: str
    subject: str
    email: str | None
    groups: frozenset[str] | None


class Provider:
    """The provider of the settings. What it says of itself is asked for when it is needed."""

    def __init__(self, settings: SingleSignOn, clock: Clock) -> None:
        """Check the settings.

        Raises:
            SettingsError: As ``check_sign_on``; or there is no provider in them.
        """
        check_sign_on(settings)
        if settings.issuer is None or settings.client_id is None:
            raise SettingsError("single_sign_on.issuer: there is none")
        self._settings = settings
        self._clock = clock
        self._roles = _roles(settings)
        self._issuer: str = settings.issuer
        self._client_id: str = settings.client_id
        self._lock = threading.Lock()
        self._known: tuple[float, Mapping[str, Any]] | None = None
        self._keys: KeySet | None = None

    def depart(self, way_back: str, *, anew: bool = False) -> Departure:
        """Send a browser there.

        Args:
            way_back: The address at which the provider sends it back.
            anew: Whether the person has to sign in there anew, even if they are signed in there.

        Raises:
            OutsideError: The provider does not answer, or not as it should.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        address = prepare_grant_uri(
            self._metadata()["authorization_endpoint"],
            self._client_id,
            "code",
            way_back,
            self._settings.scopes,
            state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            **({"prompt": "login", "max_age": "0"} if anew else {}),
        )
        return Departure(address, state, nonce, verifier)

    def arrive(
        self,
        answer: Mapping[str, str],
        way_back: str,
        *,
        state: str,
        nonce: str,
        verifier: str,
        since: datetime | None = None,
    ) -> Identity:
        """Who came back.

        Args:
            answer: The parameters that the browser came back with.
            way_back: The address at which it came back, as it was given to ``depart``.
            state: Of the departure.
            nonce: Of the departure.
            verifier: Of the departure.
            since: The person must have signed in there later than this; ``None`` if any time will
                do.

        Raises:
            NotProvedError: It was refused there, or what came back is not of this departure.
            OutsideError: The provider does not answer, or not as it should.
        """
        # 1. It is the answer to what this browser began, from the provider that it was sent to.
        if not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
            raise NotProvedError("what came back was not asked for by this browser: begin again")
        if answer.get("iss", self._issuer) != self._issuer:
            raise NotProvedError("the answer is another provider's: begin again")
        # 2. The person agreed there.
        if "error" in answer or not answer.get("code"):
            raise NotProvedError("the sign-in was refused or broken off there: begin again")
        # 3. The code is good, and we are the one who asked.
        token = self._fetch_token(answer["code"], way_back, verifier)
        # 4. The provider signed who it is: for us, now, in answer to this.
        claims = self._claims(token, nonce)
        if since is not None and not _is_later(claims.get("auth_time"), since):
            raise NotProvedError("the sign-on provider did not ask who you are again: begin again")
        return self._identity(claims)

    def roles_for(self, identity: Identity) -> frozenset[Role] | None:
        """The roles that the settings give to this person's groups; ``None`` if given here."""
        if self._roles is None:
            return None
        groups = identity.groups or frozenset()
        return frozenset(role for group, role in self._roles.items() if group in groups)

    def _metadata(self) -> Mapping[str, Any]:
        with self._lock:
            known = self._known
        if known is None or known[0] < time.monotonic() - _KNOWN_SECONDS:
            # Not under the lock: a provider that is slow would hold everybody up.
            known = time.monotonic(), self._discover()
            with self._lock:
                self._known, self._keys = known, None
        return known[1]

    def _discover(self) -> Mapping[str, Any]:
        found = _ask("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._issuer:
            raise OutsideError(
                "the sign-on provider calls itself otherwise than the setting "
                "single_sign_on.issuer: correct one of them"
            )
        for needed in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(found.get(needed), str):
                raise OutsideError(f"the sign-on provider does not tell its {needed}")
            _need_https(found[needed])
        return found

    def _fetch_token(self, code: str, way_back: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": way_back,
            "code_verifier": verifier,
            "client_id": self._client_id,
        }
        secret = self._settings.client_secret
        metadata = self._metadata()
        headers = {}
        if secret is not None:
            ways = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            if "client_secret_basic" in ways:
                # RFC 6749, section 2.3.1: each part is form-encoded first.
                both = f"{quote(self._client_id, '')}:{quote(secret.get_secret_value(), '')}"
                headers["Authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
            else:
                form["client_secret"] = secret.get_secret_value()
        answer = _ask("POST", metadata["token_endpoint"], data=form, headers=headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OutsideError("the sign-on provider says nothing of who it is (no id_token)")
        return token

    def _claims(self, token: str, nonce: str) -> CodeIDToken:
        try:
            opened = self._verified(token)
            claims = CodeIDToken(
                opened.claims,
                opened.header,
                {
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                },
                {"nonce": nonce, "client_id": self._client_id},
            )
            claims.validate(now=int(self._clock().timestamp()), leeway=_LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError):
            raise NotProvedError(
                "what the sign-on provider says is not signed by it, not for this house, or too "
                "old: begin again"
            ) from None
        return claims

    def _verified(self, token: str) -> jwt.Token:
        # A key that is not known may be new: then the keys are fetched once more.
        for anew in (False, True):
            keys = self._signing_keys(anew=anew)
            try:
                return jwt.decode(token, keys, algorithms=_ALGORITHMS)
            except (JoseError, ValueError):
                if anew:
                    raise
        raise AssertionError

    def _signing_keys(self, *, anew: bool) -> KeySet:
        metadata = self._metadata()
        with self._lock:
            keys = self._keys
        if anew or keys is None:
            try:
                keys = KeySet.import_key_set(_ask("GET", metadata["jwks_uri"]))  # type: ignore[arg-type]
            except (JoseError, ValueError, TypeError, KeyError):
                raise OutsideError("the sign-on provider's keys cannot be read") from None
            with self._lock:
                self._keys = keys
        return keys

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject, email = claims["sub"], claims.get("email")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise NotProvedError("the sign-on provider does not name the person as it should")
        verified = claims.get("email_verified") is True and isinstance(email, str)
        return Identity(self._issuer, subject, email if verified else None, self._groups(claims))

    def _groups(self, claims: Mapping[str, Any]) -> frozenset[str] | None:
        if self._settings.roles_claim is None:
            return None
        value: Any = claims
        for part in self._settings.roles_claim.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return frozenset(each for each in value or () if isinstance(each, str))


def check_sign_on(settings: SingleSignOn) -> None:
    """See that single sign-on, if the house has any, is set as it should be.

    Raises:
        SettingsError: Something is missing or unknown, or the provider cannot be asked safely.
    """
    if (settings.issuer is None) != (settings.client_id is None):
        raise SettingsError("single_sign_on: give issuer and client_id, or leave both out")
    if settings.issuer is not None:
        _need_https(settings.issuer)
    _roles(settings)


def _roles(settings: SingleSignOn) -> Mapping[str, Role] | None:
    if settings.roles_claim is None:
        if settings.roles:
            raise SettingsError("single_sign_on.roles: give single_sign_on.roles_claim as well")
        return None
    try:
        return {group: Role(role) for group, role in settings.roles.items()}
    except ValueError as error:
        raise SettingsError(
            f"single_sign_on.roles: {error}; the roles are {', '.join(Role)}"
        ) from None


def _is_later(at: object, since: datetime) -> bool:
    return isinstance(at, int | float) and at >= since.timestamp() - _LEEWAY_SECONDS


def _need_https(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL):
        return
    raise SettingsError(
        f"single_sign_on: {address} is not https, so anybody on the way could sign in as anybody"
    )


def _ask(method: str, address: str, **more: Any) -> dict[str, Any]:
    try:
        answer = httpx.request(
            method,
            address,
            timeout=_ANSWER_SECONDS,
            follow_redirects=False,
            **more,
        )
    except httpx.HTTPError as error:
        raise OutsideError(
            f"the sign-on provider does not answer ({type(error).__name__}): try again in a "
            "moment, or sign in with your password"
        ) from None
    if answer.status_code in (400, 401) and method == "POST":
        raise NotProvedError(
            "the sign-on provider does not know this sign-in any more: begin again"
        )
    try:
        content = answer.json() if answer.is_success else None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise OutsideError(
            f"the sign-on provider answers otherwise than it should (status {answer.status_code})"
        )
    return content
