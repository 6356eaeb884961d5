"""One-time passwords (TOTP, RFC 6238) and recovery codes. Time is an argument.

SHA-1, six digits and 30 seconds are what every authenticator program supports; RFC 4226 section B.1
explains why SHA-1 is sufficient for HMAC.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final

import pyotp

STEP_S: Final = 30
DIGITS: Final = 6

# RFC 4226 section 4: at least 128 bits, 160 recommended; base32 has 5 bits in each character.
_SECRET_CHARS: Final = 32

# A code may come from the step before or after: clocks of phones differ, and people type slowly (RFC 6238, 5.2).
_AROUND: Final = (0, -1, 1)

RECOVERY_CODES: Final = 10
# 50 bits, so that a plain hash cannot be searched within the attempts that are allowed.
_RECOVERY_CHARS: Final = 10


def new_secret() -> str:
    """Return a random secret in base32."""
    return pyotp.random_base32(_SECRET_CHARS)


def address(secret: str, person: str, issuer: str) -> str:
    """Return the `otpauth` URI that an authenticator program reads from a QR code."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S).provisioning_uri(
        name=person, issuer_name=issuer
    )


def matching_step(secret: str, code: str, now: float) -> int | None:
    """Return the time step whose code this is; None if it is of no step around `now`."""
    digits = code.replace(" ", "")
    if len(digits) != DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    made = pyotp.HOTP(secret, digits=DIGITS)
    for offset in _AROUND:
        step = int(now // STEP_S) + offset
        if hmac.compare_digest(made.at(step), digits):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """Return random codes for people who lost their authenticator, each to be used once."""
    codes = []
    for _ in range(RECOVERY_CODES):
        text = base64.b32encode(secrets.token_bytes(7)).decode().lower()[:_RECOVERY_CHARS]
        codes.append(f"{text[:5]}-{text[5:]}")
    return codes


def recovery_digest(code: str) -> str:
    """Return what the database has of a recovery code, however the person typed it."""
    plain = code.strip().replace("-", "").replace(" ", "").lower()
    return hashlib.sha256(plain.encode(errors="surrogateescape")).hexdigest()
