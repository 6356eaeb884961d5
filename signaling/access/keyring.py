"""The API keys in force: those of the configuration, and those of the store, which operators add and revoke."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping

from signaling.access.tokens import Signer
from signaling.errors import SignalingError
from signaling.logs import hide

log = logging.getLogger(__name__)

# Keys that the command line adds or revokes take effect within this time.
FOLLOW_S = 5.0


def new_secret() -> str:
    """Return a random secret of 256 bits for an API key."""
    return secrets.token_urlsafe(32)


class Keyring(Mapping[str, str]):
    """API keys and their secrets; if a configured and a stored key share a name, the configured one is in force."""

    def __init__(self, configured: Mapping[str, str]) -> None:
        """Start with the configured keys."""
        self._configured = dict(configured)
        self._keys = dict(configured)
        # Signs when no key is in force: nothing accepts a token that it has signed.
        self._nobody = Signer("", new_secret())

    def __getitem__(self, key: str) -> str:
        """Return the secret of a key. KeyError."""
        return self._keys[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys, the configuration's first."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._keys)

    def signer(self) -> Signer:
        """Return the signer for the server's own tokens: the first key."""
        return next((Signer(key, secret) for key, secret in self._keys.items()), self._nobody)

    def successor(self, key: str) -> Signer:
        """Return the signer for successors of a key's tokens: the same key, so that they become invalid with it."""
        return Signer(key, self._keys[key]) if key in self._keys else self._nobody

    def apply(self, stored: Mapping[str, str]) -> None:
        """Replace the stored keys that are in force."""
        keys = {**self._configured, **{k: v for k, v in stored.items() if k not in self._configured}}
        for verb, names in (("added", keys.keys() - self._keys), ("revoked", self._keys.keys() - keys)):
            for name in sorted(names):
                log.info("API key %s was %s", name, verb)
        self._keys = keys
        hide(stored.values())

    async def follow(
        self,
        load: Callable[[], Awaitable[Mapping[str, str]]],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Apply what `load` returns every FOLLOW_S seconds until cancelled; if `load` fails, the keys do not change."""
        while True:
            await pause(FOLLOW_S)
            try:
                self.apply(await load())
            except SignalingError as error:
                log.warning("cannot read changes of API keys: %s", error)
            except Exception:
                log.exception("cannot read changes of API keys")
