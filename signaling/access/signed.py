"""JSON Web Tokens (RFC 7519) signed with HMAC-SHA256 and nothing else, for all kinds of tokens.

Callers check the claims, including times.
"""

import re
import warnings
from collections.abc import Mapping
from typing import Any

import jwt
from jwt.warnings import InsecureKeyLengthWarning

# Only the signature is checked here: callers check times against their own clock, and other claims are theirs.
_UNCHECKED = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "sub", "jti", "iss")}


# Besides its own errors, the library raises these for malformed numbers, deep nesting and text that resembles JSON.
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)


class SignatureError(Exception):
    """The text is not a token, or its signature is not valid."""


# RFC 7515 section 7.1: three parts in base64url without padding. The library skips all characters that are not of that
# alphabet, so that each token would have any number of other spellings.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


def sign(payload: Mapping[str, Any], secret: str) -> str:
    """Return a signed token."""
    with warnings.catch_warnings():
        # Development mode's secret is shorter than RFC 7518 section 3.2 demands; `config` refuses such keys otherwise.
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        return jwt.encode(dict(payload), secret, algorithm="HS256")


def peek(token: str) -> dict[str, Any]:
    """Return a token's unverified payload, to find its issuer. SignatureError, and nothing else."""
    if _COMPACT.fullmatch(token) is None:
        raise SignatureError("malformed")
    try:
        payload: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except _UNREADABLE as error:
        raise SignatureError("malformed") from error
    return payload


def verify(token: str, secret: str) -> dict[str, Any]:
    """Return a token's payload if it was signed with this secret. SignatureError, and nothing else."""
    if _COMPACT.fullmatch(token) is None:
        raise SignatureError("malformed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
            payload: dict[str, Any] = jwt.decode(token, secret, algorithms=["HS256"], options=_UNCHECKED)  # type: ignore[arg-type]
    except _UNREADABLE as error:
        raise SignatureError("its signature is not valid") from error
    return payload
