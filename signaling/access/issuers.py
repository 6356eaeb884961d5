"""Tokens of a configured issuer, such as a school's OpenID provider: its keys, their rotation, and its roles.

The keys come from a PEM file, or as a JSON Web Key Set (RFC 7517) from a URL, which is requested again when a token
names an unknown key, at most once in `AGAIN_S`.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import jwt

log = logging.getLogger(__name__)

# Signatures by a key pair only: with a shared secret, a public key could be taken for one (RFC 8725, section 3.1).
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")

AGAIN_S: Final = 30.0
FRESH_S: Final = 3600.0
TIMEOUT_S: Final = 5.0
MAX_BYTES: Final = 256 * 1024

Fetch = Callable[[str], Awaitable[Mapping[str, Any]]]


class IssuerError(Exception):
    """The issuer did not sign the token, or its key cannot be fetched; the client is shown the text."""


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """What the operator says about the issuer."""

    name: str
    "Its `iss`."
    key: str
    "The API key to whose tenant the issuer's people belong."
    jwks_url: str = ""
    pem: str = ""
    "A public key instead of the address."
    audience: str = ""
    "What `aud` has to name; empty: not checked."
    role_claim: str = "role"
    "The claim that holds a role, or a list of them; dots lead into objects."
    roles: Mapping[str, str] | None = None
    "By the issuer's name of a role, ours; None: they are the same. In the order of precedence."

    @property
    def has_keys(self) -> bool:
        """Whether the location of the keys is configured, so that no discovery is needed."""
        return bool(self.jwks_url or self.pem)


class Issuer:
    """Verifies tokens of one issuer."""

    def __init__(
        self, settings: IssuerSettings, clock: Callable[[], float], fetch: Fetch | None = None
    ) -> None:
        """`clock` is monotonic; `fetch` returns a key set, by HTTP unless given."""
        self._settings = settings
        self._clock = clock
        self._fetch = fetch or _fetch
        self._keys: dict[str, Any] = {}
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()
        self.name = settings.name
        self.key = settings.key

    async def verify(self, token: str) -> Mapping[str, Any]:
        """Return what a token says, with our name of its role as `role`. IssuerError; the caller checks the times."""
        try:
            key = await self._key(jwt.get_unverified_header(token))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                issuer=self._settings.name,
                audience=self._settings.audience or None,
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": bool(self._settings.audience),
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise IssuerError("its signature, issuer or audience is not valid") from error
        return {**claims, "role": self._role(claims)}

    async def _key(self, header: Mapping[str, Any]) -> Any:
        if self._settings.pem:
            return self._settings.pem
        key_id = str(header.get("kid", ""))
        async with self._asking:
            await self._refresh(key_id)
        key = self._keys.get(key_id)
        if key is None and not key_id and len(self._keys) == 1:
            key = next(iter(self._keys.values()))
        if key is None:
            raise IssuerError("its key is none of the issuer's")
        return key

    async def _refresh(self, key_id: str) -> None:
        age_s = None if self._asked_at is None else self._clock() - self._asked_at
        known = key_id in self._keys or (not key_id and bool(self._keys))
        if age_s is not None and (age_s < AGAIN_S or (known and age_s < FRESH_S)):
            return
        self._asked_at = self._clock()
        try:
            given = (await self._fetch(self._settings.jwks_url)).get("keys", [])
            # Keys for encryption and of unsupported types are left out.
            self._keys = {
                str(each.get("kid", "")): jwt.PyJWK(each).key
                for each in given
                if isinstance(each, dict) and each.get("use", "sig") == "sig" and each.get("kty") != "oct"
            }
        except (
            aiohttp.ClientError,
            TimeoutError,
            jwt.PyJWTError,
            ValueError,
            AttributeError,
            TypeError,
        ) as error:
            log.warning("the keys of the issuer cannot be had: %s", type(error).__name__)

    def _role(self, claims: Mapping[str, Any]) -> str:
        value: Any = claims
        for part in self._settings.role_claim.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        given = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        roles = self._settings.roles
        if roles is None:
            return next((role for role in given if isinstance(role, str)), "")
        return next((ours for theirs, ours in roles.items() if theirs in given), "")


async def _fetch(url: str) -> Mapping[str, Any]:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as response:
        response.raise_for_status()
        body = await response.content.read(MAX_BYTES)
    keys: Mapping[str, Any] = json.loads(body)
    return keys
