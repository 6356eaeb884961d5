"""The API keys in force: those of the configuration, and those of the store as they come and go."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping

from signaling.access.tokens import Signer
from signaling.errors import SignalingError
from signaling.logs import hide

log = logging.getLogger(__name__)

# A key that the command line adds or revokes is noticed within this time.
FOLLOW_S = 5.0


def new_secret() -> str:
    """Return a secret for a key: 256 bits."""
    return secrets.token_urlsafe(32)


class Keyring(Mapping[str, str]):
    """API keys and their secrets; of equal names, the configuration's is in force."""

    def __init__(self, configured: Mapping[str, str]) -> None:
        """Begin with the configuration's."""
        self._configured = dict(configured)
        self._keys = dict(configured)
        # Signs when no key is in force: nobody takes what it has signed.
        self._nobody = Signer("", new_secret())

    def __getitem__(self, key: str) -> str:
        """Return the secret of a key. KeyError."""
        return self._keys[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys, the configuration's first."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._keys)

    def signer(self) -> Signer:
        """Return the first key, which signs the server's own tokens."""
        return next((Signer(key, secret) for key, secret in self._keys.items()), self._nobody)

    def successor(self, key: str) -> Signer:
        """Return what signs the successors of a key's tokens: itself, so that they end with it."""
        return Signer(key, self._keys[key]) if key in self._keys else self._nobody

    def take(self, stored: Mapping[str, str]) -> None:
        """Put the store's keys in force, and no others of it."""
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
        """Take what `load` returns, again and again, until cancelled; what fails leaves the keys as they are."""
        while True:
            await pause(FOLLOW_S)
            try:
                self.take(await load())
            except SignalingError as error:
                log.warning("changes of API keys are not seen: %s", error)
            except Exception:
                log.exception("changes of API keys are not seen")
