"""Where a bucket of an S3-compatible server is, the key to it, and what can go wrong with it."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec

# A region and a bucket become parts of a host's name: Amazon's rules for buckets, without dots.
_REGION: Final = re.compile(r"[a-z0-9-]{1,40}")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Longest name of an object: 1024 octets (Amazon S3, "Naming objects").
_MAX_KEY_OCTETS: Final = 1024


class StorageError(Exception):
    """A bucket cannot be used, or does not have a file. The text names no credentials."""


class NoFileError(StorageError):
    """There is no object of this name."""


class DamagedFileError(StorageError):
    """A part of a file is damaged, and remains so."""


class Credentials(msgspec.Struct, frozen=True):
    """An access key. Its representation shows no secret."""

    access_key: str
    secret: str
    session_token: str = ""

    def __repr__(self) -> str:
        """Return a text for logs."""
        return "Credentials(...)"


class Address(msgspec.Struct, frozen=True):
    """The place of a bucket."""

    endpoint: str
    "Origin of the server; empty: Amazon's of the region."
    region: str
    bucket: str
    path_style: bool = True
    "The bucket is in the path of a URL, not in the host's name."

    @property
    def origin(self) -> str:
        """The server's origin, without a slash at its end."""
        return (self.endpoint or f"https://s3.{self.region}.amazonaws.com").rstrip("/")

    def url(self, key: str) -> str:
        """Return the URL of an object."""
        return f"{self.origin}/{self.bucket}/{quote(key)}"


def check_address(address: Address) -> None:
    """Refuse what cannot be the place of a bucket. ValueError, whose text is for the caller."""
    if not _REGION.fullmatch(address.region):
        raise ValueError(f"there is no region {address.region[:40]!r}")
    if not _BUCKET.fullmatch(address.bucket):
        raise ValueError(f"a bucket cannot have the name {address.bucket[:63]!r}")
    if not address.endpoint:
        return
    parts = urlsplit(address.endpoint)
    plain = parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"}
    if not plain or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("an endpoint is https:// or http:// and a host, perhaps with a port")


def clean_key(text: str) -> str:
    """Return a text as the name of an object: a relative path without empty, `.` and `..` parts. ValueError."""
    parts = [part for part in text.split("/") if part not in {"", ".", ".."}]
    key = "/".join(parts)
    if not key or len(key.encode()) > _MAX_KEY_OCTETS or not key.isprintable():
        raise ValueError("the path is not a name for a file in a bucket")
    return key


def address_of(fields: Mapping[str, str], *, path_style: bool = True) -> Address:
    """Return an address of texts that may be missing: `endpoint`, `region`, `bucket`. ValueError."""
    endpoint = fields.get("endpoint", "")
    if endpoint and "://" not in endpoint:
        endpoint = f"https://{endpoint}"
    region = fields.get("region", "") or "us-east-1"
    address = Address(endpoint.rstrip("/"), region, fields.get("bucket", ""), path_style)
    check_address(address)
    return address
