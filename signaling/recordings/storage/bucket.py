"""A bucket of an S3-compatible server: upload in parts, ranges, deletion.

Every request has a time limit and is retried. Only who opens a bucket imports this: the client takes 8 MB.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from signaling.recordings.storage.address import Address, Credentials, NoFileError, StorageError

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

_CODE: Final = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")


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

    async def put(self, key: str, source: Path | AsyncIterator[bytes], content_type: str) -> None:
        """Store a file or pieces of content, in parts if large; an object of this name is replaced. StorageError."""
        try:
            octets = _PART_OCTETS + 1
            if isinstance(source, Path):
                octets = (await asyncio.to_thread(source.stat)).st_size
            await obstore.put_async(
                self._store,
                self._prefix + key,
                source,
                attributes={"Content-Type": content_type},
                use_multipart=octets > _PART_OCTETS,
                chunk_size=_PART_OCTETS,
                max_concurrency=_CONCURRENCY,
            )
        except (BaseError, OSError) as error:
            raise self._told(error, f"{key} cannot be stored") from error

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
