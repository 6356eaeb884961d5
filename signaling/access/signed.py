"""JSON Web Tokens (RFC 7519) signed with HMAC-SHA256 and nothing else, whoever's they are.

What is in them, times too, is for the callers to check.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import jwt
from jwt.warnings import InsecureKeyLengthWarning

# Nothing but the signature: times are checked against the callers' own clock, and the other claims are applications'.
_UNCHECKED = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "sub", "jti", "iss")}


# What the library lets out besides its own errors, for numbers, nesting and texts that only look like JSON's.
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)


class SignatureError(Exception):
    """Text that is no token, or whose signature is another one."""


def sign(payload: Mapping[str, Any], secret: str) -> str:
    """Return a token."""
    with warnings.catch_warnings():
        # The dev secret is shorter than RFC 7518 section 3.2 wants; `config` refuses such keys elsewhere.
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        return jwt.encode(dict(payload), secret, algorithm="HS256")


def peek(token: str) -> dict[str, Any]:
    """Return what a token says without belief in it, to see whose it is. SignatureError, and nothing else."""
    try:
        payload: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except _UNREADABLE as error:
        raise SignatureError("malformed") from error
    return payload


def verify(token: str, secret: str) -> dict[str, Any]:
    """Return what a token says that was signed with this secret. SignatureError, and nothing else."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
            payload: dict[str, Any] = jwt.decode(token, secret, algorithms=["HS256"], options=_UNCHECKED)  # type: ignore[arg-type]
    except _UNREADABLE as error:
        raise SignatureError("its signature is not valid") from error
    return payload
