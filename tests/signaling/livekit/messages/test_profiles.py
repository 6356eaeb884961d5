"""Refreshed tokens stay small enough to be sent, and nobody loses their profile by that."""

from livekit.protocol import models, rtc

from signaling.access import tokens
from signaling.http.server import MAX_LINE_BYTES
from signaling.livekit.messages import profiles
from signaling.livekit.messages.profiles import Profiles
from signaling.rooms.permissions import Permissions
from tests.signaling.frontend_harness import START, FakeOutbox

METADATA = "m" * 500_000
RAW = {"video": {"room": "lesson", "roomJoin": True}}
ATTRIBUTES = {"lecture": "a" * 60_000, "lectern.user_id": "u-1"}


def refreshed(harness, person):
    token = person.last("refresh_token")
    assert len(token) < MAX_LINE_BYTES // 2
    return tokens.verify(token, {"devkey": "secret"}, harness.wall_clock())


def come_back(harness, claims):
    outbox = FakeOutbox()
    connection = harness.livekit.lifecycle.join(
        claims, rtc.JoinRequest(client_info=models.ClientInfo()), outbox
    )
    return connection.participant


async def test_who_has_a_large_profile_comes_back_with_it_by_the_refreshed_token(harness):
    ada = await harness.join("ada", attributes={"lectern.user_id": "u-1"}, raw=RAW)
    harness.rooms.update_profile(ada.connection.participant, metadata=METADATA, attributes=ATTRIBUTES)
    claims = refreshed(harness, ada)
    assert (claims.metadata, claims.attributes) == ("", {"lectern.user_id": "u-1"})
    again = come_back(harness, claims)
    assert ada.connection.participant.has_left
    assert (again.metadata, again.attributes) == (METADATA, ATTRIBUTES)


async def test_a_token_that_an_application_made_without_metadata_has_none(harness):
    ada = await harness.join("ada")
    harness.rooms.update_profile(ada.connection.participant, metadata=METADATA)
    assert come_back(harness, harness.claims("ada")).metadata == ""


async def test_a_small_profile_is_in_the_token(harness):
    ada = await harness.join("ada", metadata="short", attributes={"a": "b"}, raw=RAW)
    claims = refreshed(harness, ada)
    assert (claims.metadata, claims.attributes, claims.profile_kept) == ("short", {"a": "b"}, False)


def test_only_so_much_is_kept(monkeypatch):
    monkeypatch.setattr(profiles, "MAX_KEPT_BYTES", 1_100_000)
    kept = Profiles()
    short = {}
    for identity in ("ada", "ben", "eve"):
        bearer = tokens.Bearer("", METADATA, {}, Permissions())
        short[identity] = kept.shorten("lesson", identity, bearer, START)
        assert short[identity].metadata == ""
    found = {
        identity: kept.complete(
            tokens.Claims(
                identity=identity,
                room="lesson",
                room_join=True,
                permissions=Permissions(),
                profile_kept=True,
            ),
            START,
        ).metadata
        for identity in short
    }
    assert found == {"ada": "", "ben": METADATA, "eve": METADATA}
