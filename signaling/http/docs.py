"""The description of the REST API, and the page to read and try it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from signaling.http.headers import DOCS_CONTENT_SECURITY_POLICY, SECURITY_HEADERS
from signaling.http.prefix import page

_NOT_BUILT = "This page has not been built (make setup does it); the description itself is at /openapi.json."


class Docs:
    """Serves both."""

    def __init__(
        self, document: Callable[[], Mapping[str, Any]], folder: Path | None, prefix: str = ""
    ) -> None:
        """`document` makes the description; `folder` has `docs.html`; None serves a word about it.

        See `signaling.http.prefix`. The description is made at the first request: it takes 0.15 s and 4 MB, and most
        servers are never asked for it.
        """
        self._prefix = prefix
        self._make_document = document
        self._document: asyncio.Future[bytes] | None = None
        self._folder = folder

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register them."""
        router.add_get("/openapi.json", self.description)
        router.add_get("/docs", self.page)

    async def description(self, _request: web.Request) -> web.Response:
        """Serve the OpenAPI document; it says nothing that is not in the program."""
        if self._document is None:
            self._document = asyncio.ensure_future(asyncio.to_thread(self._render))
        body = await asyncio.shield(self._document)
        headers = {**SECURITY_HEADERS, "Cache-Control": "no-cache"}
        return web.Response(body=body, content_type="application/json", headers=headers)

    def _render(self) -> bytes:
        document = self._make_document()
        if self._prefix:
            document = {**document, "servers": [{"url": self._prefix}]}
        return json.dumps(document).encode()

    async def page(self, _request: web.Request) -> web.StreamResponse:
        """Serve the page."""
        headers = {
            **SECURITY_HEADERS,
            "Content-Security-Policy": DOCS_CONTENT_SECURITY_POLICY,
            "Cache-Control": "no-cache",
        }
        if self._folder is None:
            return web.Response(text=_NOT_BUILT, headers=headers)
        return page(self._folder / "docs.html", self._prefix, headers)
