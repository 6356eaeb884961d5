"""The refusals of Daily's API: a status, a stable code, and a text for the calling developer."""

from signaling.http.api import ApiError


class DailyError(ApiError):
    """A call that is refused; the body of the answer is `{"error": code, "info": text}`."""


def invalid(info: str) -> DailyError:
    """Return the refusal of an invalid request."""
    return DailyError(400, "invalid-request-error", info)


def not_found(info: str) -> DailyError:
    """Return the refusal of a request for something that is not there."""
    return DailyError(404, "not-found", info)
