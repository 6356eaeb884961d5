"""What the calls about sign-in have in common: their fields, and how often they may be made."""

from typing import Annotated, Final

import msgspec

from classroom import limits
from signaling.access.sign_ins import digest
from signaling.ids import TenantId
from signaling.limits import Limits, Rate

# Attempts for one address of mail, and from one network address: a class that signs in at once passes, a search for
# passwords does not.
_BY_EMAIL: Final = Rate(per_s=1 / 60, burst=10)
_BY_ADDRESS: Final = Rate(per_s=1, burst=120)

Email = Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
Password = Annotated[str, msgspec.Meta(max_length=1024)]
School = Annotated[str, msgspec.Meta(max_length=limits.IDENTIFIER_LENGTH)]


def limit_by_account(limits_: Limits, tenant: TenantId, email: str) -> None:
    """Count an attempt to use a password of an address, with or without an account. TooOftenError."""
    limits_.check("sign-in by account", digest(f"{tenant}\0{email}"), _BY_EMAIL)


def limit_by_address(limits_: Limits, address: str) -> None:
    """Count a sign-in of any kind from a network address; empty: unknown. TooOftenError."""
    if address:
        limits_.check("sign-in by address", address, _BY_ADDRESS)
