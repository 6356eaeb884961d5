"""Daily's domains: each API key of this server is one, its secret is the bearer key of Daily's API."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from signaling.http.api import key_of

# Ids of domains are derived from the keys' names, so that they are the same after each start.
_NAMESPACE = uuid.UUID("5a5ed1ef-6d52-4c66-9d4b-6a6b7d9d9c52")


@dataclass(frozen=True, slots=True)
class Domain:
    """Whose rooms and tokens."""

    name: str
    "The API key."
    secret: str = field(repr=False)
    "Daily's API key; signs meeting tokens."

    @property
    def id(self) -> str:
        """A UUID, the claim `d` of tokens."""
        return str(uuid.uuid5(_NAMESPACE, self.name))


class Domains:
    """All domains; keys can be added and revoked."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` maps API keys to secrets, and is asked each time."""
        self._keys = keys

    def __iter__(self) -> Iterator[Domain]:
        """Iterate over all domains."""
        return (Domain(name, secret) for name, secret in self._keys.items())

    def by_name(self, name: str) -> Domain | None:
        """Return the domain of an API key."""
        return next((domain for domain in self if domain.name == name), None)

    def by_id(self, domain_id: str) -> Domain | None:
        """Return the domain that a token names."""
        return next((domain for domain in self if domain.id == domain_id), None)

    def by_secret(self, secret: str) -> Domain | None:
        """Return the domain of a bearer key."""
        name = key_of(secret, self._keys)
        return None if name is None else Domain(name, self._keys[name])
