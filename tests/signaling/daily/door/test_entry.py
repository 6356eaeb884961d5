from signaling.access import tokens
from signaling.daily.door import entry
from signaling.daily.door.admission import Admitted
from signaling.daily.properties import RoomProperties
from signaling.rooms.permissions import ALL_ADMIN_RIGHTS, Permissions
from signaling.rooms.rooms import JoinSpec

NOW = 1_795_000_000.0
SIGNER = tokens.Signer("key", "a secret that is long enough for a hash of 256 bits")


def joined(harness, admitted):
    made = tokens.mint(entry.claims("maths", "r-uuid", "a-uuid", admitted), SIGNER, NOW, 60)
    claims = tokens.verify(made, {SIGNER.key: SIGNER.secret}, NOW)
    tokens.check_join(claims)
    spec = JoinSpec(
        claims.room,
        claims.identity,
        claims.name,
        attributes=claims.attributes,
        permissions=claims.permissions,
        leaves_at=claims.leaves_at,
    )
    return harness.rooms.join(spec)


def test_an_owner_comes_with_all_that_they_have(harness):
    permissions = Permissions(admin=ALL_ADMIN_RIGHTS)
    ada = joined(harness, Admitted(permissions, "Ada", "u-1", True, NOW + 1e9, RoomProperties()))
    assert (ada.identity, ada.name, ada.user_id, ada.permissions) == ("a-uuid", "Ada", "u-1", permissions)
    assert ada.leaves_at == NOW + 1e9
    assert entry.is_owner(ada)
    assert entry.is_by_daily(ada)


def test_a_guest_comes_as_nobody_in_particular(harness):
    bob = joined(harness, Admitted(Permissions(), "", None, False, None, RoomProperties()))
    assert (bob.name, bob.user_id, bob.leaves_at) == ("", "a-uuid", None)
    assert not entry.is_owner(bob)
    assert entry.is_by_daily(bob)
    assert not entry.is_by_daily(harness.rooms.join(JoinSpec("maths", "eve")))
