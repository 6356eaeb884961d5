"""Response headers that every page carries, and which handlers answer without end."""

import weakref
from typing import Any

# The page needs its own files, the server's WebSocket, and camera pictures as blobs; nothing else.
_FETCHES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self' ws: wss:; media-src 'self' blob:; worker-src 'self' blob:; base-uri 'self'; "
    "form-action 'none'; frame-ancestors 'none'"
)
# No script may turn text into markup or code (W3C Trusted Types): the page has no policy that allows it.
CONTENT_SECURITY_POLICY = f"{_FETCHES}; require-trusted-types-for 'script'; trusted-types 'none'"
# Swagger UI sets markup from its own sanitiser, as text.
DOCS_CONTENT_SECURITY_POLICY = _FETCHES
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

# Handlers with long-lived answers, which are exempt from the server's limit on the time of a request. Weak: a handler
# leads to everything its server has.
LONG_LIVED: weakref.WeakSet[Any] = weakref.WeakSet()
