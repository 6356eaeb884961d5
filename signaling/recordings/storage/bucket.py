"""A bucket of an S3-compatible server: upload in parts, ranges, deletion.

Every request has a time limit and is retried.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import msgspec
import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import S3Credential

# Octets of one request, up or down. S3 takes 10,000 parts of at least 5 MiB; these make files of up to 78 GiB.
_PART_OCTETS: Final = 8 << 20
# Concurrent requests of one upload; each holds a part in memory.
_CONCURRENCY: Final = 2
_TIMEOUT: Final = timedelta(seconds=120)
_CONNECT_TIMEOUT: Final = timedelta(seconds=10)
_RETRY_TIMEOUT: Final = timedelta(seconds=180)
_MAX_RETRIES: Final = 8

# A region and a bucket become parts of a host's name: Amazon's rules for buckets, without dots.
_REGION: Final = re.compile(r"[a-z0-9-]{1,40}")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Longest name of an object: 1024 octets (Amazon S3, "Naming objects").
_MAX_KEY_OCTETS: Final = 1024
_CODE: Final = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")


class StorageError(Exception):
    """A bucket cannot be used, or does not have a file. The text names no credentials."""


class NoFileError(StorageError):
    """There is no object of this name."""


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


class Bucket:
    """The objects whose names begin with a prefix."""

    def __init__(
        self,
        address: Address,
        credentials: Credentials,
        prefix: str = "",
        *,
        max_retries: int = _MAX_RETRIES,
    ) -> None:
        """`credentials` are the only ones used: those of the environment and of the machine's cloud are not."""

        def provide() -> "S3Credential":
            return {
                "access_key_id": credentials.access_key,
                "secret_access_key": credentials.secret,
                "token": credentials.session_token or None,
                "expires_at": None,
            }

        self.address = address
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        host = address.origin
        if not address.path_style:
            scheme, _, rest = host.partition("://")
            host = f"{scheme}://{address.bucket}.{rest}"
        self._store = S3Store(
            address.bucket,
            endpoint=host,
            region=address.region,
            virtual_hosted_style_request=not address.path_style,
            credential_provider=provide,
            client_options={
                "allow_http": host.startswith("http://"),
                "timeout": _TIMEOUT,
                "connect_timeout": _CONNECT_TIMEOUT,
            },
            retry_config={
                "max_retries": max_retries,
                "retry_timeout": _RETRY_TIMEOUT,
                "backoff": {
                    "init_backoff": timedelta(milliseconds=200),
                    "max_backoff": timedelta(seconds=30),
                    "base": 2,
                },
            },
        )

    def url(self, key: str) -> str:
        """Return the URL of an object, which needs a signature unless the bucket is public."""
        return self.address.url(self._prefix + key)

    async def put(self, key: str, path: Path, content_type: str) -> None:
        """Store a file, in parts if it is large; an object of this name is replaced. StorageError."""
        try:
            octets = (await asyncio.to_thread(path.stat)).st_size
            await obstore.put_async(
                self._store,
                self._prefix + key,
                path,
                attributes={"Content-Type": content_type},
                use_multipart=octets > _PART_OCTETS,
                chunk_size=_PART_OCTETS,
                max_concurrency=_CONCURRENCY,
            )
        except (BaseError, OSError) as error:
            raise self._told(error, f"{path.name} cannot be stored") from error

    async def size(self, key: str) -> int:
        """Return the length of an object in octets. StorageError."""
        try:
            return (await obstore.head_async(self._store, self._prefix + key))["size"]
        except (BaseError, OSError) as error:
            raise self._told(error, f"{key} cannot be examined") from error

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the octets of an object from `start` to before `end`, some MiB at a time. StorageError."""
        for first in range(start, end, _PART_OCTETS):
            last = min(first + _PART_OCTETS, end)
            try:
                data = await obstore.get_range_async(self._store, self._prefix + key, start=first, end=last)
            except (BaseError, OSError) as error:
                raise self._told(error, f"{key} cannot be read") from error
            if len(data) != last - first:
                raise StorageError(f"{key} is shorter than expected")
            yield bytes(data)

    async def delete(self, prefix: str) -> None:
        """Delete the object of this name, and all below it. StorageError."""
        name = self._prefix + prefix
        try:
            async for page in obstore.list(self._store, name):
                # A prefix is whole segments of a path: `rec_1` does not list `rec_10/...`.
                await obstore.delete_async(self._store, [each["path"] for each in page])
            await obstore.delete_async(self._store, name)
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise self._told(error, f"{prefix} cannot be deleted") from error

    def _told(self, error: Exception, what: str) -> StorageError:
        """Return an error that names the bucket and the server's code, and nothing else of its answer."""
        code = _CODE.search(str(error))
        reason = code.group(1) if code else type(error).__name__
        kind = NoFileError if isinstance(error, (NotFoundError, FileNotFoundError)) else StorageError
        return kind(f"{what} in the bucket {self.address.bucket} of {self.address.origin}: {reason}")


def address_of(fields: Mapping[str, str], *, path_style: bool = True) -> Address:
    """Return an address of texts that may be missing: `endpoint`, `region`, `bucket`. ValueError."""
    endpoint = fields.get("endpoint", "")
    if endpoint and "://" not in endpoint:
        endpoint = f"https://{endpoint}"
    region = fields.get("region", "") or "us-east-1"
    address = Address(endpoint.rstrip("/"), region, fields.get("bucket", ""), path_style)
    check_address(address)
    return address
