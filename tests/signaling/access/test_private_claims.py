import pytest

from signaling.access import private_claims
from signaling.access.private_claims import PrivateClaims
from signaling.errors import TokenError
from signaling.rooms.permissions import ALL_ADMIN_RIGHTS, ALL_SOURCES, Permissions, Receiving, Source


def test_what_is_encoded_is_decoded():
    receiving = Receiving(frozenset({Source.CAMERA}), {"u": ALL_SOURCES}, {"ada": frozenset()})
    permissions = Permissions(receiving=receiving, admin=ALL_ADMIN_RIGHTS)
    claim = private_claims.encode(permissions, 12.5)
    assert private_claims.decode({"lectern": claim}) == PrivateClaims(receiving, ALL_ADMIN_RIGHTS, 12.5)
    assert private_claims.decode({"sub": "ada"}) == PrivateClaims()
    usual = private_claims.encode(Permissions(), None)
    # said, because LiveKit's grant for the server's API would count otherwise
    assert usual == {"admin": []}
    assert private_claims.decode({"lectern": usual}) == PrivateClaims(admin=frozenset())


@pytest.mark.parametrize(
    "claim",
    [
        None,
        3,
        {"leaves_at": "soon"},
        {"leaves_at": float("nan")},
        {"leaves_at": -1},
        {"admin": ["everything"]},
        {"receiving": {"base": ["smell"]}},
    ],
)
def test_other_claims_are_refused(claim):
    with pytest.raises(TokenError):
        private_claims.decode({"lectern": claim})
