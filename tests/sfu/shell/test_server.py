"""The engine over a real socket, with aiortc's own peer connection as the independent peer."""

import asyncio
import socket
import time

import pytest
import sdp_samples
from aiortc import RTCPeerConnection, RTCSessionDescription
from router_world import parameters

from sfu.engine.deadlines import Reason
from sfu.engine.peers.identification import KnownSsrc
from sfu.limits import CLOSED_AFTER_S, MUTED_AFTER_S
from sfu.receiving.inbound_stream import PortableStream
from sfu.session.sections import receive_section
from sfu.settings import MediaSettings
from sfu.shell.server import MIN_WAKE_INTERVAL_S, SHARING_DELAY_S, MediaServer
from sfu.values import (
    COMMON_TRAITS,
    Channel,
    DataReceived,
    EngineError,
    OfferNeeded,
    PeerClosed,
    PeerConnected,
    Preferences,
    PublicationMuted,
    PublicationSpec,
    ReceiverTraits,
    SdpError,
    UnknownPeerError,
)


class Engine:
    """A running engine and its events."""

    def __init__(self, portable, **fields):
        settings = MediaSettings(udp_port=0, portable_io=portable, **fields)
        self.events = asyncio.Queue()
        self.media = MediaServer(settings, self.events.put_nowait)

    async def event(self, kind):
        async with asyncio.timeout(10):
            while True:
                event = await self.events.get()
                if isinstance(event, kind):
                    return event

    async def connect(self, name, traits=COMMON_TRAITS):
        """An aiortc peer with a data channel."""
        self.media.open_peer(name, "room", traits=traits)
        peer = RTCPeerConnection()
        channel = peer.createDataChannel("_reliable")
        await peer.setLocalDescription(await peer.createOffer())
        answer = await self.media.negotiate(name, peer.localDescription.sdp)
        await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        return peer, channel

    async def dropped(self, reason):
        async with asyncio.timeout(10):
            while not self.media.metrics()[f"dropped_{reason}"]:  # noqa: ASYNC110 - no event tells of a drop
                await asyncio.sleep(0.01)  # the datagram is on its way through the kernel


@pytest.fixture(params=[False, True], ids=["batch", "plain"])
async def engine(request):
    running = Engine(request.param)
    await running.media.start()
    yield running
    await running.media.stop()


async def test_two_peers_connect_and_data_goes_both_ways(engine):
    alice, channel = await engine.connect("alice")
    assert (await engine.event(PeerConnected)).peer_id == "alice"
    opened, heard = asyncio.Event(), asyncio.Queue()
    channel.on("open", opened.set)
    channel.on("message", heard.put_nowait)
    if channel.readyState != "open":
        await asyncio.wait_for(opened.wait(), 10)
    channel.send(b"to the server")
    assert await engine.event(DataReceived) == DataReceived("alice", "_reliable", b"to the server")
    engine.media.send_data(["alice", "nobody"], "_reliable", b"to the peer")
    assert await asyncio.wait_for(heard.get(), 10) == b"to the peer"
    await alice.close()
    assert (await engine.event(PeerClosed)).reason == "closed_by_peer"


@pytest.mark.parametrize("portable", [False, True], ids=["batch", "plain"])
async def test_a_peer_that_asks_another_address_than_the_nearest_is_answered_from_it(portable):
    # aioice takes no answer from elsewhere (RFC 8445 section 7.2.5.2.1)
    running = Engine(portable, external_ips=("127.0.0.2",))
    await running.media.start()
    alice, channel = await running.connect("alice")
    await running.event(PeerConnected)
    heard = asyncio.Queue()
    channel.on("message", heard.put_nowait)
    running.media.send_data(["alice"], "_reliable", b"to the peer")
    assert await asyncio.wait_for(heard.get(), 10) == b"to the peer"
    await alice.close()
    await running.media.stop()


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"\x50" * 30, "malformed"),
        (bytes(40), "stun"),
        (b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12), "stun"),
        (b"\x16\xfe\xff" + bytes(60), "no_ice"),  # a ClientHello from an address that passed no check
        (b"\x80" * 100, "unknown_source"),
        (b"\x80", "unknown_source"),
        (b"\x80" * 5000, "oversize"),
        (b"\x16" * 60_000, "oversize"),
    ],
)
async def test_garbage_is_dropped_and_counted(engine, datagram, reason):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(datagram, ("127.0.0.1", engine.media.udp_port))
        await engine.dropped(reason)
    assert engine.media.metrics()["dropped_error"] == 0


async def test_one_peers_failure_leaves_the_others_alone(engine, monkeypatch, caplog):
    alice, channel = await engine.connect("alice")
    await engine.event(PeerConnected)
    good = engine.media._endpoint._stun

    def broken_for_strangers(datagram, address, now):
        if datagram[:2] == b"\x00\x00":
            raise RuntimeError("a bug")
        good(datagram, address, now)

    monkeypatch.setattr(engine.media._endpoint, "_stun", broken_for_strangers)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(bytes(30), ("127.0.0.1", engine.media.udp_port))
        await engine.dropped("error")
    assert "a bug" in caplog.text
    if channel.readyState != "open":
        opened = asyncio.Event()
        channel.on("open", opened.set)
        await asyncio.wait_for(opened.wait(), 10)
    channel.send(b"still here")
    assert (await engine.event(DataReceived)).payload == b"still here"
    await alice.close()


async def test_a_certificate_that_is_not_the_offered_one_is_refused(engine):
    engine.media.open_peer("mallory", "room")
    peer = RTCPeerConnection()
    peer.createDataChannel("_reliable")
    await peer.setLocalDescription(await peer.createOffer())
    lines = peer.localDescription.sdp.splitlines()
    forged = [
        "a=fingerprint:sha-256 " + ":".join(["AA"] * 32) if line.startswith("a=fingerprint:sha-256") else line
        for line in lines
        if not line.startswith(("a=fingerprint:sha-384", "a=fingerprint:sha-512"))
    ]
    answer = await engine.media.negotiate("mallory", "\r\n".join(forged) + "\r\n")
    await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
    assert (await engine.event(PeerClosed)).reason == "handshake_failed"
    await peer.close()


async def test_consent_that_lapsed_ends_the_peer(engine):
    alice, _ = await engine.connect("alice")
    await engine.event(PeerConnected)
    connection = engine.media._connections["alice"]
    engine.media._check_consent(connection, time.monotonic() + 31)
    assert (await engine.event(PeerClosed)).reason == "consent_expired"
    assert engine.media.metrics()["peers"] == 0
    await alice.close()


async def test_bad_offers_and_unknown_peers(engine):
    with pytest.raises(UnknownPeerError):
        await engine.media.negotiate("nobody", "v=0")
    engine.media.open_peer("alice", "room")
    with pytest.raises(SdpError):
        await engine.media.negotiate("alice", "v=0")
    # nothing is known of these: not an error, the caller may not have heard yet
    engine.media.close_peer("nobody")
    engine.media.publish("nobody", PublicationSpec("TR_1", "audio"))
    engine.media.unpublish("nobody", "TR_1")
    engine.media.set_muted("TR_1", True)
    engine.media.subscribe("nobody", "TR_1", "s")
    engine.media.unsubscribe("nobody", "TR_1")


async def test_rooms_are_apart(engine):
    engine.media.open_peer("alice", "one")
    engine.media.open_peer("bob", "two")
    engine.media.publish("alice", PublicationSpec("TR_1", "audio"))
    engine.media.subscribe("bob", "TR_1", "s")
    assert not engine.media._connections["bob"].peer.subscriptions


@pytest.mark.parametrize("role", ["client", "server"])
async def test_the_server_makes_the_offers_on_a_connection_of_its_own(engine, role):
    channels = (Channel("_reliable"), Channel("_lossy", ordered=False, max_retransmits=0))
    engine.media.open_peer("alice", "room")
    engine.media.publish("alice", PublicationSpec("TR_1", "video"))
    engine.media.open_peer("bob", "room", dual=True, channels=channels)
    bob, heard, tracks = RTCPeerConnection(), asyncio.Queue(), asyncio.Queue()

    @bob.on("datachannel")
    def _(channel):
        channel.on("message", lambda message: heard.put_nowait((channel.label, message)))

    bob.on("track", tracks.put_nowait)

    async def exchange():
        offer = await engine.media.offer("bob")
        await bob.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        if bob.sctp.transport.state == "new":
            bob.sctp.transport._set_role(role)  # pion waits for the handshake of an ICE-lite server
        await bob.setLocalDescription(await bob.createAnswer())
        return await engine.media.answer("bob", bob.localDescription.sdp)

    assert await exchange() == {}
    assert (await engine.event(PeerConnected)).peer_id == "bob"
    engine.media.send_data(["bob"], "_reliable", b"early")
    engine.media.send_data(["bob"], "_lossy", b"lossy")
    async with asyncio.timeout(10):
        assert sorted([await heard.get(), await heard.get()]) == [
            ("_lossy", b"lossy"),
            ("_reliable", b"early"),
        ]
    engine.media.subscribe("bob", "TR_1", "PA_alice|TR_1")
    assert (await engine.event(OfferNeeded)).peer_id == "bob"
    assert await exchange() == {"1": "TR_1"}
    async with asyncio.timeout(10):
        assert (await tracks.get()).kind == "video"
    engine.media.unsubscribe("bob", "TR_1")
    assert (await engine.event(OfferNeeded)).peer_id == "bob"
    assert await exchange() == {}
    await bob.close()
    assert (await engine.event(PeerClosed)).peer_id == "bob"
    assert engine.media.metrics()["connections"] == 1
    assert [each["connections"] for each in engine.media.worker_metrics()] == [1]
    with pytest.raises(UnknownPeerError):
        await engine.media.offer("bob")
    with pytest.raises(UnknownPeerError):
        await engine.media.answer("bob", "v=0")


async def test_media_does_not_overtake_the_answer_that_announces_it(engine, monkeypatch):
    alice, _ = await engine.connect("alice", ReceiverTraits(loses_early_media=True))
    await engine.event(PeerConnected)
    engine.media.open_peer("bob", "room")
    for publication_id in ("TR_1", "TR_2"):
        engine.media.publish("bob", PublicationSpec(publication_id, "video"))
        engine.media.subscribe("alice", publication_id, f"PA_bob|{publication_id}")
        alice.addTransceiver("video", "recvonly")
    chosen = asyncio.Queue()
    subscriptions = engine.media._connections["alice"].peer.subscriptions
    first, second = subscriptions["TR_1"], subscriptions["TR_2"]
    await alice.setLocalDescription(await alice.createOffer())
    await engine.media.negotiate("alice", alice.localDescription.sdp)
    assert not first.wants_media
    choose = engine.media._core.delivery.select_layer
    monkeypatch.setattr(
        engine.media._core.delivery, "select_layer", lambda *args: (chosen.put_nowait(args[0]), choose(*args))
    )
    engine.media.unsubscribe("alice", "TR_2")
    async with asyncio.timeout(5):
        assert await chosen.get() is first
    assert first.wants_media
    assert chosen.empty()
    assert not second.published.subscriptions
    await alice.close()


@pytest.mark.parametrize("loses", [True, False])
async def test_who_loses_no_early_media_does_not_wait(engine, loses):
    alice, _ = await engine.connect("alice", ReceiverTraits(loses_early_media=loses))
    await engine.event(PeerConnected)
    engine.media.open_peer("bob", "room")
    engine.media.publish("bob", PublicationSpec("TR_1", "video"))
    engine.media.subscribe("alice", "TR_1", "PA_bob|TR_1")
    alice.addTransceiver("video", "recvonly")
    await alice.setLocalDescription(await alice.createOffer())
    await engine.media.negotiate("alice", alice.localDescription.sdp)
    subscription = engine.media._connections["alice"].peer.subscriptions["TR_1"]
    assert subscription.wants_media is not loses
    engine.media.set_preferences("alice", "TR_1", subscription.preferences)
    assert subscription.wants_media
    await alice.close()


async def test_a_peer_moves_to_another_room_with_what_it_publishes(engine):
    for name, room in (("alice", "one"), ("bob", "one"), ("eve", "two")):
        engine.media.open_peer(name, room)
        engine.media.publish(name, PublicationSpec(f"TR_{name}", "audio"))
    engine.media.subscribe("bob", "TR_alice", "s")
    engine.media.subscribe("alice", "TR_bob", "s")
    engine.media.move_peer("alice", "two")
    engine.media.subscribe("bob", "TR_alice", "s")
    engine.media.subscribe("alice", "TR_bob", "s")
    peers = {name: engine.media._connections[name].peer for name in ("alice", "bob", "eve")}
    assert not peers["alice"].subscriptions
    assert not peers["bob"].subscriptions
    engine.media.subscribe("eve", "TR_alice", "s")
    engine.media.subscribe("alice", "TR_eve", "s")
    assert peers["eve"].subscriptions.keys() == {"TR_alice"}
    assert peers["alice"].subscriptions.keys() == {"TR_eve"}
    engine.media.move_peer("nobody", "two")


async def test_a_peer_is_forwarded_to_another_room(engine):
    for name, room in (("alice", "one"), ("bob", "one"), ("eve", "two")):
        engine.media.open_peer(name, room)
    engine.media.publish("alice", PublicationSpec("TR_before", "audio"))
    assert engine.media.forward_peer("alice", "two")
    assert not engine.media.forward_peer("nobody", "two")
    engine.media.publish("alice", PublicationSpec("TR_after", "audio"))
    peers = {name: engine.media._connections[name].peer for name in ("alice", "bob", "eve")}
    for name in ("bob", "eve"):
        for track in ("TR_before", "TR_after"):
            engine.media.subscribe(name, track, "s")
        assert peers[name].subscriptions.keys() == {"TR_before", "TR_after"}
    assert peers["alice"].rooms == ("one", "two")

    engine.media.stop_forwarding("alice", "two")
    engine.media.stop_forwarding("alice", "two")
    engine.media.subscribe("eve", "TR_before", "s")
    assert not peers["eve"].subscriptions
    assert peers["bob"].subscriptions.keys() == {"TR_before", "TR_after"}

    engine.media.forward_peer("alice", "two")
    engine.media.subscribe("eve", "TR_before", "s")
    engine.media.move_peer("alice", "three")
    assert peers["alice"].rooms == ("three",)
    assert not peers["eve"].subscriptions


def flood(engine, name, ssrc=7):
    """A second of far more than a peer may send."""
    limits = engine.media._connections[name].peer.link.limits
    for _ in range(5000):
        limits.rtp(ssrc, 1000, 1.0)
    second_ends(engine)


def second_ends(engine):
    """Look at the budgets of all peers, as each second does."""
    engine.media._check_all(engine.media._check_flood, time.monotonic())


async def test_what_floods_is_muted_and_who_goes_on_is_closed(engine, caplog):
    engine.media.open_peer("ada", "room")
    engine.media.open_peer("eve", "room")
    engine.media.publish("ada", PublicationSpec("TR_1", "video"))
    peer = engine.media._connections["ada"].peer
    published = engine.media._publications["TR_1"]
    stream = PortableStream(published.spec, receive_section(parameters("video"), (), ()), 7, 0, 0.0)
    peer.streams[7] = KnownSsrc(published, None, stream, rtx=True)
    for second in range(1, CLOSED_AFTER_S + 1):
        flood(engine, "ada")
        assert published.muted == (second >= MUTED_AFTER_S)
    assert await engine.event(PublicationMuted) == PublicationMuted("ada", "TR_1")
    assert await engine.event(PeerClosed) == PeerClosed("ada", "flood")
    assert "TR_1 of ada is muted" in caplog.text
    assert list(engine.media._connections) == ["eve"]


async def test_a_burst_mutes_nobody(engine):
    engine.media.open_peer("ada", "room")
    for _ in range(2 * CLOSED_AFTER_S):
        flood(engine, "ada")
        second_ends(engine)  # one without
    assert "ada" in engine.media._connections


async def test_an_offer_is_answered_although_sharing_the_bandwidth_fails(engine, monkeypatch):
    monkeypatch.setattr("sfu.engine.delivery.reallocate", lambda *_: 1 / 0)
    alice, _channel = await engine.connect("alice")
    assert (await engine.event(PeerConnected)).peer_id == "alice"
    assert engine.media.metrics()["dropped_error"] > 0
    await alice.close()


async def test_a_fault_while_an_offer_is_answered_is_no_refusal_of_it(engine, monkeypatch, caplog):
    monkeypatch.setattr("sfu.session.negotiation.build_answer", lambda *_: 1 / 0)
    engine.media.open_peer("alice", "room")
    with pytest.raises(EngineError):
        await engine.media.negotiate("alice", sdp_samples.text("chromium-join"))
    assert "ZeroDivisionError" in caplog.text


async def test_wishes_that_change_at_once_are_shared_out_once(engine, monkeypatch):
    for name in ("ada", "eve"):
        engine.media.open_peer(name, "room")
    engine.media.publish("ada", PublicationSpec("TR_1", "video"))
    engine.media.subscribe("eve", "TR_1", "stream")
    shared = []
    real = engine.media._core.delivery.reallocate
    monkeypatch.setattr(
        engine.media._core.delivery, "reallocate", lambda peer, now: (shared.append(peer.id), real(peer, now))
    )
    for fps in range(1, 500):
        engine.media.set_preferences("eve", "TR_1", Preferences(fps=fps))
        engine.media.set_muted("TR_1", bool(fps % 2))
    assert shared == []
    await asyncio.sleep(3 * SHARING_DELAY_S)
    assert shared == ["eve"]


async def test_media_goes_on_while_a_long_offer_is_read(engine, monkeypatch):
    monkeypatch.setattr("sfu.shell.server._PARSING_S", 0.0)
    engine.media.open_peer("alice", "room")
    offer = sdp_samples.text("chromium-more-sections")
    turns = 0

    async def other_work():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    work = asyncio.ensure_future(other_work())
    answer = await engine.media.negotiate("alice", offer)
    work.cancel()
    assert turns >= answer.sdp.count("\r\nm=") == 9
    engine.media.open_peer("bob", "room")
    asked = asyncio.ensure_future(engine.media.negotiate("bob", offer))
    await asyncio.sleep(0)
    engine.media.close_peer("bob")
    with pytest.raises(UnknownPeerError):
        await asked


async def test_an_engine_wakes_for_what_is_due_and_for_nothing_else(engine):
    assert engine.media._timer is None  # nothing is due in an engine without peers
    engine.media.open_peer("ada", "room")
    at = engine.media._deadlines.next_at
    assert engine.media._timer.when() == at
    done = asyncio.Event()
    engine.media._deadlines.set("ada", Reason.NACK, time.monotonic(), lambda _now: done.set())
    assert engine.media._timer.when() < at
    async with asyncio.timeout(5):
        await done.wait()
    assert engine.media._timer.when() == at
    engine.media.close_peer("ada")
    assert engine.media._deadlines.next_at is None


async def test_development_mode_logs_why_the_engine_woke(caplog):
    caplog.set_level("INFO")
    media = MediaServer(MediaSettings(log_wakes=True), lambda _event: None)
    media._log_wakes([Reason.NACK, Reason.FEEDBACK, Reason.NACK], media._wakes_logged_at + 59)
    assert not caplog.messages
    media._log_wakes([Reason.NACK], media._wakes_logged_at + 60)
    [line] = caplog.messages
    assert line.endswith("NACK to a publisher (3), transport-wide feedback (1)")
    assert not media._wakes


async def test_deadlines_close_together_are_served_by_one_turn(engine):
    done, ended = [], asyncio.Event()
    now = time.monotonic()
    engine.media._woke_at = now
    for i in range(5):
        engine.media._deadlines.set(i, Reason.NACK, now + i / 1000, done.append)
    engine.media._deadlines.set(5, Reason.NACK, now + 0.005, lambda _now: ended.set())
    async with asyncio.timeout(5):
        await ended.wait()
    assert len(done) == 5
    assert len(set(done)) == 1
    assert done[0] >= now + MIN_WAKE_INTERVAL_S
