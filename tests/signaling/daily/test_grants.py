import msgspec
import pytest

from signaling.daily import grants
from signaling.daily.grants import PermissionsPatch
from signaling.rooms.permissions import (
    ALL_ADMIN_RIGHTS,
    ALL_SOURCES,
    AdminRight,
    Permissions,
    Receiving,
    Source,
)


def patched(permissions=None, **fields):
    return grants.apply(msgspec.convert(fields, PermissionsPatch), permissions or Permissions())


@pytest.mark.parametrize(
    ("can_send", "allowed"),
    [
        (True, set(Source)),
        (False, set()),
        ([], set()),
        (["audio"], {Source.MICROPHONE}),
        (["video", "screenVideo"], {Source.CAMERA, Source.SCREEN_SHARE}),
        (["customAudio"], {Source.UNKNOWN}),
    ],
)
def test_what_may_be_sent(can_send, allowed):
    permissions = patched(canSend=can_send)
    assert {source for source in Source if permissions.may_publish(source)} == allowed
    assert permissions.can_publish_data


@pytest.mark.parametrize(
    ("base", "camera", "screen"),
    [
        (True, True, True),
        (False, False, False),
        (["video"], True, False),
        ({"video": False, "screenVideo": True}, False, True),
        ({"video": True, "customVideo": {"*": False}}, True, False),
    ],
)
def test_what_may_be_received(base, camera, screen):
    permissions = patched(canReceive={"base": base})
    assert permissions.may_receive("ada", "ada", Source.CAMERA) is camera
    assert permissions.may_receive("ada", "ada", Source.SCREEN_SHARE) is screen


def test_the_closest_entry_counts():
    entries = {"base": False, "byUserId": {"u": True}, "byParticipantId": {"s": ["audio"]}}
    permissions = patched(canReceive=entries)
    assert not permissions.may_receive("x", "y", Source.CAMERA)
    assert permissions.may_receive("x", "u", Source.CAMERA)
    assert not permissions.may_receive("s", "u", Source.CAMERA)
    assert permissions.may_receive("s", "u", Source.MICROPHONE)


def test_what_is_not_given_stays():
    before = Permissions(
        can_publish=False, hidden=True, receiving=Receiving(frozenset()), admin=ALL_ADMIN_RIGHTS
    )
    assert patched(before) == before
    assert grants.apply(None, before) == before
    assert patched(before, hasPresence=True).hidden is False
    assert patched(before, canReceive={"byUserId": {"u": True}}).receiving.base == frozenset()
    assert patched(before, canAdmin=["streaming"]).admin == {AdminRight.STREAMING}
    assert patched(before, canAdmin=False).admin == frozenset()


def test_permissions_are_shown_in_full():
    assert grants.describe(Permissions()) == {
        "hasPresence": True,
        "canSend": True,
        "canReceive": {"base": True},
        "canAdmin": False,
    }
    shown = grants.describe(
        patched(
            hasPresence=False,
            canSend=["video", "audio"],
            canReceive={"base": ["audio"], "byUserId": {"u": True}},
            canAdmin=["participants"],
        )
    )
    assert shown == {
        "hasPresence": False,
        "canSend": ["audio", "video"],
        "canReceive": {
            "base": {"video": False, "audio": True, "screenVideo": False, "screenAudio": False},
            "byUserId": {"u": True},
        },
        "canAdmin": ["participants"],
    }
    assert grants.describe(Permissions(can_subscribe=False))["canReceive"] == {"base": False}
    assert grants.describe(patched(canSend=False, canAdmin=True))["canAdmin"] is True
    assert patched(**shown) == patched(**grants.describe(patched(**shown)))


def test_a_screen_is_taken_out_of_what_may_be_sent():
    permissions = grants.without_screen(Permissions())
    assert permissions.may_publish(Source.CAMERA)
    assert not permissions.may_publish(Source.SCREEN_SHARE)
    assert not permissions.may_publish(Source.SCREEN_SHARE_AUDIO)
    only_screen = patched(canSend=["screenVideo"])
    assert not grants.without_screen(only_screen).can_publish


def test_the_abbreviated_form():
    long = {
        "hasPresence": False,
        "canSend": ["video", "screenAudio"],
        "canReceive": {"base": False, "byUserId": {"u": True}, "byParticipantId": {"s": ["audio"]}},
        "canAdmin": ["participants", "transcription"],
    }
    short = grants.shorten(long)
    assert short == {
        "hp": False,
        "cs": "v,sa",
        "cr": {"b": False, "u": {"u": True}, "p": {"s": ["audio"]}},
        "ca": "p,t",
    }
    assert grants.expand(short) == long
    assert grants.expand({"cs": True, "ca": False, "cr": {"b": {"v": True, "sa": False}}}) == {
        "canSend": True,
        "canAdmin": False,
        "canReceive": {"base": {"video": True, "screenAudio": False}},
    }
    # what makes no sense is left for the check of types that follows
    assert grants.expand({"cr": 3, "cs": "v, x"}) == {"canReceive": 3, "canSend": ["video", "x"]}
    assert grants.expand({"canSend": True, "cr": {"u": 3}}) == {
        "canSend": True,
        "canReceive": {"byUserId": 3},
    }
    assert grants.shorten({"canSend": True, "canAdmin": False}) == {"cs": True, "ca": False}
    assert _all_sources() == ALL_SOURCES


def _all_sources():
    return {source for source in Source if patched(canSend=list(grants.SOURCES)).may_publish(source)}


RECEIVES_NOTHING = Permissions(receiving=Receiving(frozenset()))


@pytest.mark.parametrize(
    ("wanted", "before", "own", "too_much"),
    [
        (Permissions(), Permissions(), Permissions(can_publish=False), False),
        (Permissions(), Permissions(can_publish=False), Permissions(), False),
        (Permissions(), Permissions(can_publish=False), Permissions(can_publish=False), True),
        (Permissions(hidden=True), Permissions(), Permissions(), True),
        (Permissions(hidden=True), Permissions(hidden=True), Permissions(), False),
        (Permissions(), Permissions(hidden=True), Permissions(), False),
        (Permissions(), RECEIVES_NOTHING, RECEIVES_NOTHING, True),
        (
            Permissions(receiving=Receiving(frozenset(), by_identity={"ada": ALL_SOURCES})),
            RECEIVES_NOTHING,
            RECEIVES_NOTHING,
            True,
        ),
        (
            Permissions(receiving=Receiving(frozenset(), by_user_id={"ada": ALL_SOURCES})),
            RECEIVES_NOTHING,
            Permissions(),
            False,
        ),
        (
            Permissions(),
            RECEIVES_NOTHING,
            Permissions(receiving=Receiving(ALL_SOURCES, by_identity={"ada": frozenset()})),
            True,
        ),
    ],
)
def test_what_somebody_can_give(wanted, before, own, too_much):
    assert grants.exceeds(wanted, before, own) is too_much
