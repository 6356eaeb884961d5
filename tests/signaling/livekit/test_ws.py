"""The endpoints over real sockets: admission, frames, the end of connections."""

import asyncio
import itertools
import json

import aiohttp
import pytest
from google.protobuf import json_format
from livekit.protocol import models, rtc

from sfu.values import PeerConnected
from signaling.access import tokens
from signaling.errors import AccessError, TokenError, TooOftenError
from signaling.limits import Rate, parse_networks
from signaling.livekit import handlers
from signaling.livekit.ws import _refusal
from signaling.rooms.model import LeaveReason
from signaling.rooms.permissions import Permissions
from tests.signaling.frontend_harness import FakeOutbox
from tests.signaling.livekit_client import Client, make_token, pack

AUTO = rtc.JoinRequest(connection_settings=rtc.ConnectionSettings(auto_subscribe=True))


def make_claims(identity):
    return tokens.Claims(
        identity=identity, room="lesson", room_join=True, permissions=Permissions(), key="devkey"
    )


async def settled(check):
    """Wait until something that the server does on its own has happened."""
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110 - the server's own tasks have no event to wait for
            await asyncio.sleep(0.01)


async def test_a_lesson_of_two(world):
    ada, join = await world.join("ada")
    answer = await ada.until("answer")
    assert answer.id == 1
    track = await ada.publish("cam")
    assert track.sid.startswith("TR_VC")
    bob, _ = await world.join("bob")
    await bob.until("answer")
    await ada.send(offer=rtc.SessionDescription(type="offer", sdp="a3 v3 cam=mid7", id=2))
    update = await bob.until("update", lambda update: any(info.tracks for info in update.participants))
    assert update.participants[0].tracks[0].mime_type == "video/VP8"
    requirement = await bob.until("media_sections_requirement")
    assert (requirement.num_audios, requirement.num_videos) == (0, 1)
    await bob.send(offer=rtc.SessionDescription(type="offer", sdp="a3 v4", id=2))
    answer = await bob.until("answer")
    assert list(answer.mid_to_track_id.values()) == [track.sid]
    await ada.until("track_subscribed", lambda message: message.track_sid == track.sid)
    await ada.send(leave=rtc.LeaveRequest(reason=models.CLIENT_INITIATED))
    gone = await bob.until("update", lambda update: update.participants[0].state == 3)
    assert gone.participants[0].sid == join.participant.sid
    # The server closes after a client's leave.
    frame = await ada.ws.receive(timeout=5)
    while frame.type is aiohttp.WSMsgType.BINARY:
        frame = await ada.ws.receive(timeout=5)
    assert ada.ws.close_code == 1000


@pytest.mark.parametrize("path", ["/rtc/v1", "//rtc/v1"])
@pytest.mark.parametrize("by_query", [True, False])
async def test_the_token_comes_by_header_or_query(world, path, by_query):
    token = make_token()
    params = {"join_request": pack(AUTO)} | ({"access_token": token} if by_query else {})
    headers = {} if by_query else {"Authorization": f"Bearer {token}"}
    async with world.http.ws_connect(f"{world.url}{path}", params=params, headers=headers) as ws:
        assert (await Client(ws).receive()).join.participant.identity == "ada"


EXPIRED = make_token(ttl_s=-3600)
CASES = [
    ({}, {}, 401, "no access token"),
    ({"Authorization": "Basic eDp5"}, {}, 401, "bearer"),
    ({"Authorization": f"Basic {make_token()}"}, {"access_token": make_token()}, 401, "bearer"),
    ({"Authorization": "Bearer "}, {}, 401, "no access token"),
    ({"Authorization": "Bearer a.b.c"}, {}, 401, "malformed"),
    ({"Authorization": f"Bearer {EXPIRED}"}, {}, 401, "expired"),
    ({"Authorization": f"Bearer {make_token(video={'roomJoin': False})}"}, {}, 401, "join"),
    ({"Authorization": f"Bearer {make_token(identity='')}"}, {}, 400, "identity"),
    ({"Authorization": f"Bearer {make_token(room='')}"}, {}, 400, "room"),
    ({"Authorization": f"Bearer {make_token()}"}, {"join_request": "!!"}, 400, "base64"),
    (
        {"Authorization": f"Bearer {make_token()}"},
        {"join_request": pack(rtc.JoinRequest(metadata="mine"))},
        401,
        "metadata",
    ),
]


@pytest.mark.parametrize(("headers", "params", "status", "text"), CASES)
async def test_who_may_not_come_in_is_told_why(world, headers, params, status, text):
    for path in ("/rtc/v1", "/rtc/v1/validate"):
        async with world.http.get(f"{world.url}{path}", headers=headers, params=params) as response:
            assert response.status == status
            body = await response.text()
            assert text in body
            assert "eyJ" not in body
            assert response.headers["Access-Control-Allow-Origin"] == "*"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await world.http.ws_connect(f"{world.url}/rtc/v1", headers=headers, params=params)
    assert refused.value.status == status
    assert world.server.services.rooms.rooms == ()


async def test_validate_says_success(world):
    for path in ("/rtc/v1/validate", "/rtc/validate", "//rtc/v1/validate", "//rtc/validate"):
        async with world.http.get(f"{world.url}{path}", params={"access_token": make_token()}) as response:
            assert (response.status, await response.text()) == (200, "success")
        async with world.http.get(f"{world.url}{path}") as response:
            assert response.status == 401


async def test_dual_connection_mode(world):
    query = {"access_token": make_token(), "sdk": "js", "protocol": "15", "auto_subscribe": "1"}
    async with world.http.ws_connect(f"{world.url}/rtc", params=query) as ws:
        ada = Client(ws)
        join = await ada.until("join")
        assert join.subscriber_primary
        offer = await ada.until("offer")
        await ada.send(answer=rtc.SessionDescription(type="answer", sdp="yes", id=offer.id))
        await settled(lambda: ("answer", join.participant.sid, "yes") in world.media.commands)
        world.media.emit(PeerConnected(join.participant.sid))
    again = {**query, "reconnect": "1", "sid": join.participant.sid}
    async with world.http.ws_connect(f"{world.url}/rtc", params=again) as ws:
        ada = Client(ws)
        assert (await ada.receive()).HasField("reconnect")
        assert (await ada.until("offer")).id == offer.id + 1
    assert ("offer", join.participant.sid, "restart") in world.media.commands


async def test_a_join_request_asks_for_one_connection_on_either_path(world):
    query = {"access_token": make_token(), "join_request": pack(AUTO)}
    async with world.http.ws_connect(f"{world.url}/rtc", params=query) as ws:
        ada = Client(ws)
        join = await ada.until("join")
        assert not join.subscriber_primary
        world.media.emit(PeerConnected(join.participant.sid))
        await ada.send(ping_req=rtc.Ping(timestamp=1))
        await ada.until("pong_resp")
    assert not any(command[0] == "offer" for command in world.media.commands)
    request = pack(rtc.JoinRequest(reconnect=True, participant_sid=join.participant.sid))
    again = {"access_token": make_token(), "join_request": request}
    async with world.http.ws_connect(f"{world.url}/rtc", params=again) as ws:
        assert (await Client(ws).receive()).HasField("reconnect")
    broken = {**query, "join_request": "!!"}
    async with world.http.get(f"{world.url}/rtc/validate", params=broken) as response:
        assert response.status == 400


@pytest.mark.parametrize("trickles", [True, False])
async def test_the_go_sdk_is_answered_once_it_has_applied_its_offer(world, monkeypatch, trickles):
    monkeypatch.setattr("signaling.livekit.ws.APPLIED_TIMEOUT_S", 3600.0 if trickles else 0.01)
    request = rtc.JoinRequest(
        client_info=models.ClientInfo(sdk=models.ClientInfo.GO),
        publisher_offer=rtc.SessionDescription(type="offer", sdp="offered", id=1),
    )
    query = {"access_token": make_token(), "join_request": pack(request)}
    async with world.http.ws_connect(f"{world.url}/rtc", params=query) as ws:
        gina = Client(ws)
        join = await gina.until("join")
        peer = world.media.peers[join.participant.sid]
        if trickles:
            await gina.send(ping_req=rtc.Ping(timestamp=1))
            await gina.until("pong_resp")
            assert peer.offer == ""
            await gina.send(trickle=rtc.TrickleRequest(candidateInit="{}"))
        assert (await gina.until("answer")).id == 1
        assert peer.offer == "offered"


async def test_join_tells_a_device_which_codecs_to_leave(world):
    client = models.ClientInfo(browser="Firefox", os="Linux")
    query = {"access_token": make_token(), "join_request": pack(rtc.JoinRequest(client_info=client))}
    async with world.http.ws_connect(f"{world.url}/rtc/v1", params=query) as ws:
        join = await Client(ws).until("join")
    assert [c.mime for c in join.client_configuration.disabled_codecs.publish] == ["video/H264"]
    assert "video/H264" not in {codec.mime for codec in join.enabled_publish_codecs}


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(("agent", "loses"), [(FIREFOX, True), ("Mozilla/5.0 Chrome/140.0", False)])
async def test_firefox_is_known_by_its_user_agent(world, agent, loses):
    query = {"access_token": make_token(), "join_request": pack(rtc.JoinRequest())}
    headers = {"User-Agent": agent}
    async with world.http.ws_connect(f"{world.url}/rtc/v1", params=query, headers=headers) as ws:
        join = await Client(ws).until("join")
        assert world.media.peers[join.participant.sid].traits.loses_early_media is loses


async def test_metadata_in_the_join_request_needs_the_grant(world):
    request = rtc.JoinRequest(metadata="mine", participant_attributes={"a": "b"})
    token = make_token(metadata="theirs", video={"canUpdateOwnMetadata": True})
    client = await world.connect(token, request)
    info = (await client.receive()).join.participant
    assert (info.metadata, dict(info.attributes)) == ("mine", {"a": "b"})


async def test_tracks_in_the_join_request_are_published(world):
    request = rtc.JoinRequest(add_track_requests=[rtc.AddTrackRequest(cid="mic", type=0)])
    client = await world.connect(make_token(), request)
    assert (await client.until("track_published")).cid == "mic"


async def test_a_client_that_writes_json_reads_json(world):
    client = await world.connect(make_token())
    await client.until("refresh_token")
    await client.ws.send_str('{"pingReq": {"timestamp": "5"}}')
    frame = await client.ws.receive(timeout=5)
    assert frame.type is aiohttp.WSMsgType.TEXT
    assert json.loads(frame.data)["pongResp"]["lastPingTimestamp"] == "5"
    await client.send(ping_req=rtc.Ping(timestamp=6))
    assert (await client.until("pong_resp")).last_ping_timestamp == 6


@pytest.mark.parametrize("frame", [b"\xff\xff", "{", b"\x00" * (2 * 1024 * 1024 + 1)])
async def test_a_client_that_sends_garbage_is_closed_and_nobody_else_notices(world, frame):
    ada, ada_join = await world.join("ada")
    bob, _ = await world.join("bob")
    await bob.until("answer")
    await (ada.ws.send_bytes(frame) if isinstance(frame, bytes) else ada.ws.send_str(frame))
    gone = await bob.until("update", lambda update: update.participants[0].state == 3)
    assert gone.participants[0].sid == ada_join.participant.sid
    assert await bob.quiet() == []
    closed = await ada.ws.receive(timeout=5)
    leaves = []
    while closed.type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}:
        if closed.type is aiohttp.WSMsgType.BINARY:
            leaves.append(rtc.SignalResponse.FromString(closed.data).WhichOneof("message"))
        closed = await ada.ws.receive(timeout=5)
    if frame == b"\xff\xff":
        assert "leave" in leaves


async def test_unknown_messages_are_refused_and_empty_ones_ignored(world):
    ada, _ = await world.join("ada")
    await ada.until("answer")
    await ada.ws.send_bytes(b"\x9a\x06\x00")
    await ada.ws.send_bytes(b"")
    assert await ada.quiet() == ["request_response"]


async def test_who_was_removed_while_away_is_told_so_and_does_not_come_back(world):
    ada, join = await world.join("ada")
    await ada.until("answer")
    sid = join.participant.sid
    world.media.emit(PeerConnected(sid))
    await ada.until("update")
    ada.ws._response.connection.transport.abort()
    connection = world.server.livekit.connections.get(sid)
    await settled(lambda: connection.outbox is None)
    world.server.services.rooms.leave(connection.participant, LeaveReason.REMOVED)
    again = await world.connect(make_token(), rtc.JoinRequest(reconnect=True, participant_sid=sid))
    leave = await again.until("leave")
    assert (leave.action, leave.reason) == (rtc.LeaveRequest.DISCONNECT, models.PARTICIPANT_REMOVED)
    assert len(again.seen) == 1


async def test_a_lost_socket_is_resumed(world):
    ada, join = await world.join("ada")
    await ada.until("answer")
    sid = join.participant.sid
    world.media.emit(PeerConnected(sid))
    await ada.until("update")
    # Without a closing handshake, as a lost network looks.
    ada.ws._response.connection.transport.abort()
    connection = world.server.livekit.connections.get(sid)
    await settled(lambda: connection.outbox is None)
    again = await world.connect(make_token(), rtc.JoinRequest(reconnect=True, participant_sid=sid))
    kinds = [(await again.receive()).WhichOneof("message") for _ in range(4)]
    assert kinds == ["reconnect", "update", "room_update", "refresh_token"]
    await again.send(offer=rtc.SessionDescription(type="offer", sdp="a3 v3", id=2))
    assert (await again.until("answer")).id == 2
    assert world.server.services.rooms.participant(sid) is not None


async def test_an_orderly_close_without_leave_is_a_lost_socket_too(world):
    ada, join = await world.join("ada")
    world.media.emit(PeerConnected(join.participant.sid))
    await ada.until("update")
    await ada.ws.close()
    connection = world.server.livekit.connections.get(join.participant.sid)
    await settled(lambda: connection.outbox is None)
    assert world.server.services.rooms.participant(join.participant.sid) is not None


async def test_resuming_what_is_not_there_makes_the_client_start_over(world):
    client = await world.connect(make_token(), rtc.JoinRequest(reconnect=True, participant_sid="PA_gone"))
    leave = (await client.receive()).leave
    assert (leave.action, leave.reason) == (rtc.LeaveRequest.RECONNECT, models.STATE_MISMATCH)
    assert (await client.ws.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    assert world.server.services.rooms.rooms == ()


async def test_a_client_that_reads_nothing_is_cut_off(world, monkeypatch):
    monkeypatch.setattr("signaling.livekit.ws.MAX_BACKLOG_BYTES", 200_000)
    ada, join = await world.join("ada", video={"canUpdateOwnMetadata": True})
    world.media.emit(PeerConnected(join.participant.sid))
    await ada.until("update")
    connection = world.server.livekit.connections.get(join.participant.sid)
    person = connection.participant
    ada.ws._response.connection.transport.pause_reading()
    for number in range(100):
        world.server.services.rooms.update_profile(person, metadata=f"{number}" + "m" * 400_000)
    await settled(lambda: connection.outbox is None)
    assert not person.has_left


async def test_a_room_of_any_size_can_be_joined_and_resumed(world, monkeypatch):
    monkeypatch.setattr("signaling.livekit.ws.MAX_BACKLOG_BYTES", 200_000)
    monkeypatch.setattr("signaling.livekit.connections.connection.MAX_FIRST_STATE_BYTES", 150_000)
    rooms = world.server.services.rooms
    people = {f"p{number}" for number in range(8)}
    for identity in people:
        claims = make_claims(identity)
        world.server.livekit.lifecycle.join(claims, AUTO, FakeOutbox())
        rooms.update_profile(rooms.room("lesson").participants[identity], metadata="m" * 100_000)
    ada, join = await world.join("ada")
    assert [len(other.metadata) for other in join.other_participants] == [100_000]
    told = {other.identity for other in join.other_participants}
    await ada.until("refresh_token")
    updates = [response.update for response in ada.seen if response.HasField("update")]
    assert told | {info.identity for update in updates for info in update.participants} == people
    world.media.emit(PeerConnected(join.participant.sid))
    await ada.until("update", lambda update: update.participants[0].sid == join.participant.sid)
    again = await world.connect(
        make_token(), rtc.JoinRequest(reconnect=True, participant_sid=join.participant.sid)
    )
    await again.until("room_update")
    updates = [response.update for response in again.seen if response.HasField("update")]
    told = {info.identity: len(info.metadata) for update in updates for info in update.participants}
    assert told == dict.fromkeys(people, 100_000) | {"ada": 0}


async def test_stopping_the_server_tells_the_clients(world):
    ada, _ = await world.join("ada")
    await ada.until("answer")
    stopping = asyncio.create_task(world.server.stop())
    leave = await ada.until("leave")
    # a restart is no end: clients come back by themselves
    assert (leave.reason, leave.action) == (models.SERVER_SHUTDOWN, rtc.LeaveRequest.RECONNECT)
    assert (await ada.ws.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    async with asyncio.timeout(5):
        await stopping
    assert world.media.commands[-1] == ("stop",)


async def test_many_join_at_once(world):
    clients = await asyncio.gather(*(world.join(f"p{number}") for number in range(60)))
    assert len({join.participant.sid for _, join in clients}) == 60
    [room] = world.server.services.rooms.rooms
    assert len(room.participants) == 60


async def test_an_address_may_not_knock_without_end(world, monkeypatch):
    monkeypatch.setattr("signaling.livekit.ws.JOINS", Rate(per_s=0.1, burst=2))
    world.server._livekit_endpoints._limits._trusted = parse_networks("127.0.0.1")
    statuses = []
    for address in ("203.0.113.1", "203.0.113.1", "203.0.113.1", "203.0.113.2"):
        headers = {"X-Forwarded-For": address}
        async with world.http.get(f"{world.url}/rtc/validate", headers=headers) as answer:
            statuses.append((answer.status, answer.headers.get("Retry-After")))
    assert statuses == [(401, None), (401, None), (429, "10"), (401, None)]


async def test_a_client_with_a_nervous_finger_waits_for_itself_and_loses_nothing(world, monkeypatch):
    monkeypatch.setattr("signaling.livekit.ws.MESSAGES", Rate(per_s=100, burst=10))
    ada, _ = await world.join("ada")
    ben, _ = await world.join("ben")
    loop = asyncio.get_running_loop()
    started = loop.time()
    for number in range(3):
        await ada.send(mute=rtc.MuteTrackRequest(sid="TR_none", muted=bool(number % 2)))
    await ada.send(ping_req=rtc.Ping(timestamp=1))
    await ben.send(ping_req=rtc.Ping(timestamp=2))
    await ben.until("pong_resp")
    await ada.until("pong_resp")
    # three that all are told of count as fifteen; the join's offer was handled before
    assert loop.time() - started > 0.05


async def test_long_offers_are_read_as_slowly_as_their_length_demands(world, monkeypatch):
    monkeypatch.setattr("signaling.livekit.ws.DESCRIPTIONS", Rate(per_s=10_000, burst=2000))
    ada, _ = await world.join("ada")
    loop = asyncio.get_running_loop()
    started = loop.time()
    for number in (2, 3):
        await ada.send(offer=rtc.SessionDescription(type="offer", sdp="a1 " * 500, id=number))
    await ada.send(ping_req=rtc.Ping(timestamp=1))
    await ada.until("pong_resp")
    # 3,000 octets, of which 2,000 are the burst
    assert loop.time() - started > 0.05


FRAMES = {
    "a text of a quarter MiB": "x" * (256 * 1024 + 1),
    "a text of many values": '{"subscription": {"participantTracks": [' + "{}," * 5000 + "{}]}}",
    "a text of many values that nobody knows": '{"unknown": [' + "[]," * 5000 + "[]]}",
    "a message of many fields": rtc.SignalRequest(
        subscription=rtc.UpdateSubscription(participant_tracks=[models.ParticipantTracks()] * 5000)
    ).SerializeToString(),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
async def test_a_frame_that_would_hold_the_loop_ends_its_session(world, frame):
    ada, _ = await world.join("ada")
    ben, _ = await world.join("ben")
    await (ada.ws.send_bytes(frame) if isinstance(frame, bytes) else ada.ws.send_str(frame))
    last = b""
    while (received := await ada.ws.receive(timeout=5)).type in {
        aiohttp.WSMsgType.BINARY,
        aiohttp.WSMsgType.TEXT,
    }:
        last = received.data
    # told in the form in which it spoke
    leave = (
        json_format.Parse(last, rtc.SignalResponse())
        if isinstance(last, str)
        else rtc.SignalResponse.FromString(last)
    )
    assert leave.leave.reason == models.STATE_MISMATCH
    assert "leave" not in await ben.quiet()


@pytest.mark.parametrize("kind", ["bytes", "fields", "pings", "pongs", "told"])
async def test_what_is_large_or_many_costs_more_of_a_clients_rate(world, monkeypatch, kind):
    ada, join = await world.join("ada")
    await ada.quiet()
    limits = world.server._livekit_endpoints._limits
    costs = []

    def delay_s(name, key, _rate, cost):
        if (name, key) == ("message", join.participant.sid):
            costs.append(cost)
        return 0.0

    monkeypatch.setattr(limits, "delay_s", delay_s)
    if kind == "bytes":
        await ada.send(trickle=rtc.TrickleRequest(candidateInit="x" * 4000, final=True))
        await ada.send(offer=rtc.SessionDescription(type="offer", sdp="a3 v3" + " " * 160 * 1024))
        least = 11
    elif kind == "fields":
        sids = [f"TR_{number}" for number in range(1000)]
        await ada.send(subscription=rtc.UpdateSubscription(track_sids=sids, subscribe=True))
        least = 21
    elif kind == "told":
        person = world.server.livekit.connections.get(join.participant.sid).participant
        world.server.services.rooms.update_profile(person, metadata="m" * 160 * 1024)
        await ada.send(mute=rtc.MuteTrackRequest(sid="TR_none", muted=True))
        least = 15
    else:
        for _ in range(10):
            await (ada.ws.ping() if kind == "pings" else ada.ws.pong())
        least = 10
    await ada.quiet()
    assert sum(costs) >= least


async def test_while_a_client_waits_for_its_turn_nothing_of_it_is_read(world, monkeypatch):
    monkeypatch.setattr("signaling.livekit.ws.MESSAGES", Rate(per_s=10, burst=1))
    ada, join = await world.join("ada")
    outbox = world.server.livekit.connections.get(join.participant.sid).outbox
    transport = outbox._request.transport
    for _ in range(3):
        await ada.ws.ping()
    await settled(lambda: not transport.is_reading())
    await settled(transport.is_reading)
    await ada.quiet()


async def test_many_frames_at_once_leave_others_their_turn(world, monkeypatch):
    ada, _ = await world.join("ada")
    await ada.quiet()
    turns, handled = [], 0

    async def others():
        while True:
            turns.append(handled)
            await asyncio.sleep(0)

    def count(*_request):
        nonlocal handled
        handled += 1

    monkeypatch.setitem(handlers.HANDLERS, "ping", count)
    task = asyncio.create_task(others())
    frame = rtc.SignalRequest(ping=1).SerializeToString()
    for _ in range(300):
        await ada.ws.send_bytes(frame)
    await settled(lambda: handled == 300)
    task.cancel()
    assert max(later - earlier for earlier, later in itertools.pairwise(turns)) <= 2


def test_every_refusal_before_a_session_has_a_status():
    def subclasses(kind):
        yield kind
        for each in kind.__subclasses__():
            yield from subclasses(each)

    class LaterError(TokenError):
        """One that nobody has told the table about."""

    made = {kind: kind(1) if kind is TooOftenError else kind("no") for kind in subclasses(AccessError)}
    assert all(400 <= _refusal(error).status < 504 for error in made.values())
    assert _refusal(LaterError("no")).status == 401
