"""Requests to the configured OpenAI-compatible endpoint (`POST {url}/chat/completions`): bounded in size and time.

The operator chose the address, which may be in the server's own network: most often it is a model on the same machine.
No redirect is followed, so that a transcript goes nowhere else, and plain HTTP is refused to addresses on the internet.
"""

import errno
import socket
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import hdrs

from signaling.history.webhook_client import is_public

TIMEOUT_S: Final = 180.0
"For one request: a model without a graphics card writes some five words a second."
_CONNECT_S: Final = 10.0
MAX_ANSWER_OCTETS: Final = 256 * 1024


class ChatError(Exception):
    """The endpoint did not answer, or not as it should; the text is for tutors and contains nothing of the answer."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The operator's choice."""

    url: str
    "The part before `/chat/completions`, such as https://llm.school.example/v1."
    model: str
    key: str = field(default="", repr=False)
    "Sent as bearer token; empty: none is sent."


class _Message(msgspec.Struct, frozen=True):
    content: str


class _Choice(msgspec.Struct, frozen=True):
    message: _Message


class _Completion(msgspec.Struct, frozen=True):
    choices: list[_Choice]


def check_endpoint(url: str) -> None:
    """Raise ValueError if a URL cannot be that of an endpoint."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("it has to begin with https:// or http:// and name a host")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("it must not contain a user, a password, a query or a fragment")


class ChatClient:
    """Asks one model; `close` ends a request in progress."""

    def __init__(self, settings: ChatSettings, timeout_s: float = TIMEOUT_S) -> None:
        """Nothing is sent before the first question."""
        self.settings = settings
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, messages: list[dict[str, str]]) -> str:
        """Return the text of the model's answer. ChatError."""
        if self._session is None:
            self._session = self._new_session()
        headers = {hdrs.ACCEPT_ENCODING: "identity"}
        if self.settings.key:
            headers[hdrs.AUTHORIZATION] = f"Bearer {self.settings.key}"
        url = f"{self.settings.url.rstrip('/')}/chat/completions"
        body = {"model": self.settings.model, "messages": messages, "stream": False}
        try:
            async with self._session.post(url, json=body, headers=headers, allow_redirects=False) as response:
                if response.status != 200:
                    raise ChatError(f"the endpoint answers with status {response.status}")
                content = await _read(response)
        except TimeoutError as error:
            raise ChatError(f"the endpoint has not answered within {self._timeout_s:.0f} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            refused = isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno == errno.EACCES
            why = "plain HTTP is refused to addresses on the internet" if refused else type(error).__name__
            raise ChatError(f"the endpoint cannot be reached: {why}") from error
        try:
            return msgspec.json.decode(content, type=_Completion).choices[0].message.content
        except (msgspec.MsgspecError, UnicodeDecodeError, IndexError) as error:
            raise ChatError("the endpoint's answer is no chat completion") from error

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _new_session(self) -> aiohttp.ClientSession:
        plain = urlsplit(self.settings.url).scheme == "http"
        return aiohttp.ClientSession(
            # Checked when the socket is opened, so that the name cannot be resolved to another address in between.
            connector=aiohttp.TCPConnector(socket_factory=_open_private if plain else _open, limit=1),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s, connect=_CONNECT_S),
            auto_decompress=False,
        )


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body. ChatError."""
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MAX_ANSWER_OCTETS:
            response.close()
            raise ChatError("the endpoint's answer is too long")
    return bytes(content)


def _open(info: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _name, _address = info
    opened = socket.socket(family, kind, protocol)
    opened.setblocking(False)
    return opened


def _open_private(info: tuple[Any, ...]) -> socket.socket:
    if is_public(info[4][0]):
        raise PermissionError(errno.EACCES, "a public address")
    return _open(info)
