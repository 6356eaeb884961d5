"""Sign-in at an OpenID provider: the authorization code flow of OpenID Connect Core 1.0, section 3.1, with PKCE.

    begin(redirect_uri) -> address to send the browser to, and the state to keep until the callback (`Pending`)
    finish(parameters, pending, redirect_uri) -> verified claims of the person

Endpoints and keys come from the provider's discovery document. The pending state belongs into a cookie of the browser
that began (RFC 9700, section 4.7): a callback in another browser is refused.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import msgspec

from signaling.access.issuers import Issuer, IssuerError, IssuerSettings

DISCOVERY_PATH: Final = "/.well-known/openid-configuration"
FRESH_S: Final = 3600.0
TIMEOUT_S: Final = 5.0
MAX_BYTES: Final = 256 * 1024
LEEWAY_S: Final = 60.0

# 256 bits; RFC 7636, section 4.1, wants a verifier of 43 to 128 characters.
_RANDOM_BYTES: Final = 32

_SCOPE: Final = "openid profile email"


class OidcError(Exception):
    """A sign-in that failed; the text is for the person or the operator, and `code` is stable."""

    def __init__(self, code: str, text: str) -> None:
        """See above."""
        super().__init__(text)
        self.code = code


class Pending(msgspec.Struct, frozen=True):
    """A sign-in that has begun."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class _Provider:
    """The part of the discovery document that is used (OpenID Connect Discovery 1.0, section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    secret_in_body: bool
    issuer: Issuer


class OidcClient:
    """This server as a client of one provider."""

    def __init__(
        self, settings: IssuerSettings, client_id: str, client_secret: str, clock: Callable[[], float]
    ) -> None:
        """Without a secret, this is a public client (PKCE protects the code all the same). `clock` is monotonic."""
        self._settings = settings
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._provider: _Provider | None = None
        self._asked_at = 0.0
        self._asking = asyncio.Lock()
        self.key = settings.key

    async def begin(self, redirect_uri: str) -> tuple[str, Pending]:
        """Return where to send the browser, and what to remember. OidcError."""
        provider = await self._discover()
        pending = Pending(*(secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3)))
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": _SCOPE,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge(pending.verifier),
            "code_challenge_method": "S256",
        }
        separator = "&" if urlsplit(provider.authorization_endpoint).query else "?"
        return f"{provider.authorization_endpoint}{separator}{urlencode(parameters)}", pending

    async def finish(
        self, parameters: Mapping[str, str], pending: Pending, redirect_uri: str, now: float
    ) -> Mapping[str, Any]:
        """Return the claims of the ID token, with the role's name on this server as `role`. OidcError.

        `parameters` are those of the callback; `now` is seconds since 1970.
        """
        if not hmac.compare_digest(parameters.get("state", "").encode(), pending.state.encode()):
            raise OidcError("bad_state", "The sign-in was not begun here.")
        # RFC 9207: which provider answers, where several share one callback.
        if parameters.get("iss", self._settings.name) != self._settings.name:
            raise OidcError("bad_state", "Another provider answered.")
        if "code" not in parameters:
            raise OidcError("sign_in_refused", "The provider did not sign the person in.")
        provider = await self._discover()
        answer = await self._exchange(provider, parameters["code"], pending.verifier, redirect_uri)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcError("bad_id_token", "The provider answered without an ID token.")
        try:
            claims = await provider.issuer.verify(token)
        except IssuerError as error:
            raise OidcError("bad_id_token", f"The ID token cannot be used: {error}.") from error
        self._check(claims, pending, now)
        return claims

    def _check(self, claims: Mapping[str, Any], pending: Pending, now: float) -> None:
        """Section 3.1.3.7, beyond issuer, audience and signature."""
        expires = claims.get("exp")
        if not isinstance(expires, (int, float)) or now > expires + LEEWAY_S:
            raise OidcError("bad_id_token", "The ID token has expired.")
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), pending.nonce.encode()):
            raise OidcError("bad_id_token", "The ID token belongs to another sign-in.")
        audience = claims.get("aud")
        several = isinstance(audience, list) and len(audience) > 1
        if claims.get("azp", None if several else self._client_id) != self._client_id:
            raise OidcError("bad_id_token", "The ID token is for another client.")

    async def _exchange(
        self, provider: _Provider, code: str, verifier: str, redirect_uri: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self._client_id,
        }
        headers = {"Accept": "application/json"}
        if self._client_secret and provider.secret_in_body:
            form["client_secret"] = self._client_secret
        elif self._client_secret:
            # RFC 6749, section 2.3.1: both parts are encoded as forms are before they are joined.
            pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return await _call("POST", provider.token_endpoint, data=form, headers=headers)

    async def _discover(self) -> _Provider:
        async with self._asking:
            if self._provider is not None and self._clock() - self._asked_at < FRESH_S:
                return self._provider
            found = await _call("GET", self._settings.name.rstrip("/") + DISCOVERY_PATH)
            if found.get("issuer") != self._settings.name:
                raise OidcError("provider_failed", "The provider's discovery document is another issuer's.")
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            authorization, token, jwks = (self._endpoint(found.get(name)) for name in names)
            methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            settings = replace(self._settings, jwks_url=jwks, pem="", audience=self._client_id)
            in_body = isinstance(methods, list) and "client_secret_basic" not in methods
            self._provider = _Provider(authorization, token, in_body, Issuer(settings, self._clock))
            self._asked_at = self._clock()
            return self._provider

    def _endpoint(self, url: object) -> str:
        # A provider with TLS must not lead to one without.
        scheme = urlsplit(self._settings.name).scheme
        if not isinstance(url, str) or urlsplit(url).scheme not in {"https", scheme}:
            raise OidcError("provider_failed", "The provider's discovery document cannot be used.")
        return url


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


async def _call(method: str, url: str, **request: Any) -> Mapping[str, Any]:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.request(method, url, allow_redirects=False, **request) as response,
        ):
            body = await response.content.read(MAX_BYTES)
            status = response.status
        answer = json.loads(body)
    except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError) as error:
        raise OidcError("provider_failed", "The provider does not answer.") from error
    if status != 200 or not isinstance(answer, dict):
        raise OidcError("provider_failed", f"The provider refused with status {status}.")
    return answer
