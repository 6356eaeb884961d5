"""The built-in page: its files under a strict policy, and its token in dev mode."""

import html
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from signaling.access import tokens
from signaling.http import prefix
from signaling.http.api import ApiError, opened_by_browser
from signaling.http.headers import SECURITY_HEADERS
from signaling.http.page_requests import (
    GUEST_TOKEN_TTL_S,
    UnreadableError,
    answer,
    guest_claims,
    is_text,
    read_fields,
)
from signaling.rooms.rooms import MAX_NAME_CHARS

# Names under /assets carry a hash of their content.
_FOR_EVER = "public, max-age=31536000, immutable"
_NOT_BUILT = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Lectern</title><h1>Lectern is running</h1>"
    "<p>Its page has not been built. In a checkout, <code>make setup</code> builds it. "
    "Applications can connect all the same.</p></html>"
)
# The page of all components, which is served at an address of its own.
_COMPONENTS = "components.html"
# The home page and the pages of teaching sessions; it reads from its address what it shows.
_SESSIONS = "sessions.html"
# Name of the element of that page that says why a call was refused; its content is empty in the file.
_REFUSAL = "lectern-refusal"
# The page of rooms without a session, which reads the room from its address.
_ROOM = "index.html"
# The page that plays recordings, which reads from its address which session or recording.
_REPLAY = "replay.html"
# Of the request for a token: two names of 256 characters, as JSON may escape them.
MAX_BODY_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class PageSettings:
    """The part of the configuration that the page needs."""

    dev: bool
    "Issues a token to everybody who can reach the page."
    hosts: frozenset[str]
    "Host names, besides localhost and IP addresses, under which the page issues tokens."
    signer: Callable[[], tokens.Signer]
    "Returns the key that signs the tokens now."
    prefix: str = ""
    "See `signaling.http.prefix`."
    oidc: bool = False
    "People can sign in at an OpenID provider."
    mail: bool = False
    "Whether this server sends mail, so that people can reset their passwords."


def find_page() -> Path | None:
    """Return the folder of the built page, in the installed package or the checkout; None if not built."""
    here = Path(__file__).resolve().parent
    for folder in (here / "_page", here.parents[1] / "web" / "dist"):
        if (folder / "index.html").is_file():
            return folder
    return None


class Page:
    """Serves the page's files and its two endpoints."""

    def __init__(self, settings: PageSettings, folder: Path | None, wall_clock: Callable[[], float]) -> None:
        """`folder` has `index.html`; None serves a word about it."""
        self._settings = settings
        self._folder = folder
        self._wall_clock = wall_clock

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register the page, as the fallback for paths without a route."""
        router.add_get("/", self.home)
        for path in ("/join/", "/join/{room}"):
            router.add_get(path, self.room)
        for path in ("/sessions", "/sessions/{session}", "/sessions/code/{code}"):
            router.add_get(path, self.sessions)
        router.add_get("/replay/{subject}", self.replay)
        router.add_get("/dev/components", self.components)
        router.add_get("/page/config", self.config)
        router.add_post("/page/token", self.token)
        router.add_get("/{path:.+}", self.file)

    async def home(self, _request: web.Request) -> web.StreamResponse:
        """Serve the home page."""
        # Browser clients of other origins send HEAD to the root path to test whether the server is reachable.
        return self._html(_SESSIONS, {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*"})

    async def room(self, _request: web.Request) -> web.StreamResponse:
        """Serve the page of rooms without a session."""
        return self._html(_ROOM, {})

    async def sessions(self, _request: web.Request) -> web.StreamResponse:
        """Serve the page of teaching sessions."""
        return self._html(_SESSIONS, {})

    async def replay(self, _request: web.Request) -> web.StreamResponse:
        """Serve the page that plays recordings."""
        return self._html(_REPLAY, {})

    def refusal(self, error: ApiError) -> web.StreamResponse:
        """Serve a page that says why a call was refused whose address a person opened in a browser."""
        headers = {**SECURITY_HEADERS, **error.headers, "Cache-Control": "no-store"}
        return self._problem(error.code, error.status, headers)

    def _problem(self, code: str, status: int, headers: Mapping[str, str]) -> web.StreamResponse:
        if self._folder is None:
            return web.Response(text=_NOT_BUILT, content_type="text/html", headers=headers, status=status)
        # The page has the sentences in the person's language; `web/src/pages/sessions/main.tsx` reads the code.
        text = prefix.text(self._folder / _SESSIONS, self._settings.prefix)
        meta = f'<meta name="{_REFUSAL}" content="{html.escape(code)}"'
        text = text.replace(f'<meta name="{_REFUSAL}" content=""', meta, 1)
        return web.Response(text=text, content_type="text/html", headers=headers, status=status)

    def _html(self, name: str, more: dict[str, str]) -> web.StreamResponse:
        headers = {**SECURITY_HEADERS, "Cache-Control": "no-cache", **more}
        if self._folder is None:
            return web.Response(text=_NOT_BUILT, content_type="text/html", headers=headers)
        return prefix.page(self._folder / name, self._settings.prefix, headers)

    async def components(self, _request: web.Request) -> web.StreamResponse:
        """Serve the page of all components, in dev mode only."""
        if not self._settings.dev or self._folder is None:
            return web.Response(status=404, text="not found", headers=SECURITY_HEADERS)
        return self._html(_COMPONENTS, {})

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Serve one of the page's files."""
        found = self._find(request.match_info["path"])
        if found is None and opened_by_browser(request):
            return self._problem("no_such_page", 404, {**SECURITY_HEADERS, "Cache-Control": "no-store"})
        if found is None:
            return web.Response(status=404, text="not found", headers=SECURITY_HEADERS)
        lasting = request.path.startswith("/assets/")
        headers = {**SECURITY_HEADERS, "Cache-Control": _FOR_EVER if lasting else "no-cache"}
        return web.FileResponse(found, headers=headers)

    async def config(self, _request: web.Request) -> web.Response:
        """Return the page's settings."""
        return answer(
            {
                "version": version("lectern"),
                "dev": self._settings.dev,
                "oidc": self._settings.oidc,
                "mail": self._settings.mail,
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        """Give the page a token for a room; in dev mode only, and to no other site's page."""
        if not self._settings.dev:
            return answer(
                {"error": "this server is not in dev mode: a token has to come from your application"}, 403
            )
        if not is_own_page(request, self._settings.hosts):
            return answer({"error": "tokens are for this server's own page"}, 403)
        try:
            body = await read_fields(request, MAX_BODY_BYTES, "room", '{"room": ..., "name": ...}')
        except UnreadableError as error:
            return error.response()
        room, name = body["room"], body.get("name", "")
        if not is_text(room) or not room or not is_text(name):
            return answer(
                {"error": f"a room needs a name, and names have up to {MAX_NAME_CHARS} characters"}, 400
            )
        claims = guest_claims(room, name)
        token = tokens.mint(claims, self._settings.signer(), self._wall_clock(), GUEST_TOKEN_TTL_S)
        return answer({"token": token, "url": ""})

    def _find(self, path: str) -> Path | None:
        if path == _COMPONENTS or self._folder is None or "\0" in path or len(path) > MAX_NAME_CHARS:
            return None
        root = self._folder.resolve()
        found = (root / path).resolve()
        return found if found.is_relative_to(root) and found.is_file() else None


def is_own_page(request: web.Request, hosts: frozenset[str]) -> bool:
    """Whether a request comes from a page of this server; `hosts` are the server's names besides localhost."""
    # Two ways for another site to use a visitor's browser: a request across origins, which carries its Origin,
    # and a DNS name of its own that it points at loopback, which then is the Host.
    # An address as Host was typed by the user: no DNS name can have led here.
    host = _host_of(f"//{request.headers.get(hdrs.HOST, '')}")
    if host not in {"localhost", *hosts} and not _is_address(host):
        return False
    origin = request.headers.get(hdrs.ORIGIN)
    return origin is None or origin.partition("://")[2] == request.headers.get(hdrs.HOST)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
