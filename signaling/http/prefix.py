"""A path under which a proxy shows this server, such as `/lectern` of https://school.example/lectern.

Proxies differ: some pass the path on as it is, some without the prefix. Both are served: the prefix is removed before
the request reaches a route, so routes are independent of it. The pages find it in their `<base>`, and need it for their
requests.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from yarl import URL

# What the built pages contain; `web/src/client/server/base.ts` reads it.
_BASE = '<base href="/"'


def prefix_of(public_url: str) -> str:
    """Return the path of the server's public address, without a slash at its end; empty for the root."""
    return urlsplit(public_url).path.rstrip("/")


def strip_prefix(server: web.Server, prefix: str) -> None:
    """Remove the prefix from the paths of requests."""
    if not prefix:
        return
    make = server.request_factory

    def without_prefix(message: Any, *arguments: Any) -> web.BaseRequest:
        path = message.path
        if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in {"", "/", "?"}:
            rest = path[len(prefix) :]
            path = rest if rest.startswith("/") else f"/{rest}"
            message = message._replace(path=path, url=URL(path, encoded=True))
        return make(message, *arguments)

    server.request_factory = without_prefix


def page(file: Path, prefix: str, headers: Mapping[str, str], status: int = 200) -> web.StreamResponse:
    """Return the response with a built page, which names the prefix."""
    if not prefix:
        return web.FileResponse(file, headers=headers, status=status)
    return web.Response(text=text(file, prefix), content_type="text/html", headers=headers, status=status)


def text(file: Path, prefix: str) -> str:
    """Return a built page, which names the prefix."""
    return file.read_text().replace(_BASE, f'<base href="{prefix}/"', 1)
