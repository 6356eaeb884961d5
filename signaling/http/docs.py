"""The description of the REST API, and the page to read and try it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from signaling.http.headers import DOCS_CONTENT_SECURITY_POLICY, SECURITY_HEADERS
from signaling.http.prefix import page

_NOT_BUILT = "This page has not been built (make setup does it); the description itself is at /openapi.json."


class Docs:
    """Serves both."""

    def __init__(self, document: Mapping[str, Any], folder: Path | None, prefix: str = "") -> None:
        """`folder` has `docs.html`; None serves a word about it. See `signaling.http.prefix`."""
        self._prefix = prefix
        if prefix:
            document = {**document, "servers": [{"url": prefix}]}
        self._document = json.dumps(document).encode()
        self._folder = folder

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register them."""
        router.add_get("/openapi.json", self.description)
        router.add_get("/docs", self.page)

    async def description(self, _request: web.Request) -> web.Response:
        """Serve the OpenAPI document; it says nothing that is not in the program."""
        headers = {**SECURITY_HEADERS, "Cache-Control": "no-cache"}
        return web.Response(body=self._document, content_type="application/json", headers=headers)

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
