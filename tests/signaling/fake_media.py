"""A media engine that sends nothing: the facade's methods, a record of the commands, and events by hand.

It negotiates by a toy description: an offer is a list of words. `a2 v1` are free receiving sections (two for
audio, one for video), `cam=mid4` says that the track id `cam` is sent in section mid4. The answer is real SDP
as far as `livekit.validate` looks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sfu.values import (
    COMMON_TRAITS,
    Answer,
    BandwidthExplanation,
    Channel,
    Event,
    OfferNeeded,
    Preferences,
    PublicationBound,
    PublicationEnded,
    PublicationSpec,
    ReceiverTraits,
    RecordedTrack,
    RecordingStopped,
    SdpError,
    SectionsNeeded,
    UnknownPeerError,
)

ANSWER = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ice-ufrag:abcd\r\n"
    "a=ice-pwd:0123456789012345678901\r\n"
    "a=fingerprint:sha-256 AA:BB\r\na=setup:passive\r\n"
)


@dataclass
class FakePeer:
    room_id: str
    publications: dict[str, PublicationSpec] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)
    "publication id -> mid"
    subscriptions: dict[str, str] = field(default_factory=dict)
    "publication id -> stream id"
    sections: dict[str, str] = field(default_factory=dict)
    "publication id -> mid, of those received"
    preferences: dict[str, Preferences] = field(default_factory=dict)
    offer: str = ""
    "The last one."
    asked: bool = False
    "Sections were asked for since the last offer."
    dual: bool = False
    "It receives on a connection of its own."
    traits: ReceiverTraits = COMMON_TRAITS
    "How it receives."
    offers: int = 0
    "Made by the server."


class FakeMedia:
    """Records `commands` as (name, arguments...).

    Events come after the call that causes them, as the engine's do: by `defer` (an event loop's `call_soon`) if
    given, else when a test calls `deliver`.
    """

    def __init__(
        self, on_event: Callable[[Event], None], defer: Callable[[Callable[[], None]], Any] | None = None
    ) -> None:
        self.emit = on_event
        self.defer = defer
        self.queued: list[Event] = []
        self.peers: dict[str, FakePeer] = {}
        self.muted: dict[str, bool] = {}
        self.sent: list[tuple[tuple[str, ...], str, bytes]] = []
        self.flows: list[str] = []
        "Of each in `sent`."
        self.commands: list[tuple[Any, ...]] = []
        self.recording_keys: dict[str, bytes] = {}
        self.forwards = True
        self.fail_with: Exception | None = None
        self.udp_port = 7882
        self.workers = 1

    def deliver(self) -> None:
        while self.queued:
            self.emit(self.queued.pop(0))

    def _later(self, event: Event) -> None:
        self.queued.append(event)
        if self.defer is not None:
            self.defer(self.deliver)

    async def start(self) -> None:
        self.commands.append(("start",))

    async def stop(self) -> None:
        self.commands.append(("stop",))

    def open_peer(
        self,
        peer_id: str,
        room_id: str,
        *,
        dual: bool = False,
        channels: tuple[Channel, ...] = (),
        traits: ReceiverTraits = COMMON_TRAITS,
    ) -> None:
        labels = [channel.label for channel in channels]
        self.commands.append(("open_peer", peer_id, room_id, *labels))
        self.peers[peer_id] = FakePeer(room_id, dual=dual, traits=traits)

    def move_peer(self, peer_id: str, room_id: str) -> None:
        self.commands.append(("move_peer", peer_id, room_id))
        peer = self.peers.get(peer_id)
        if peer is None:
            return
        peer.room_id = room_id
        peer.subscriptions.clear()
        peer.sections.clear()
        for other in self.peers.values():
            for publication_id in peer.publications:
                other.subscriptions.pop(publication_id, None)

    def forward_peer(self, peer_id: str, room_id: str) -> bool:
        self.commands.append(("forward_peer", peer_id, room_id))
        return peer_id in self.peers and self.forwards

    def stop_forwarding(self, peer_id: str, room_id: str) -> None:
        self.commands.append(("stop_forwarding", peer_id, room_id))

    def close_peer(self, peer_id: str) -> None:
        self.commands.append(("close_peer", peer_id))
        self.peers.pop(peer_id, None)

    async def offer(self, peer_id: str, *, restart: bool = False) -> str:
        self.commands.append(("offer", peer_id, "restart" if restart else ""))
        if peer_id not in self.peers:
            raise UnknownPeerError(peer_id)
        self.peers[peer_id].offers += 1
        return ANSWER.replace("passive", "actpass")

    async def answer(self, peer_id: str, answer: str) -> dict[str, str]:
        self.commands.append(("answer", peer_id, answer))
        if self.fail_with is not None:
            raise self.fail_with
        if peer_id not in self.peers:
            raise UnknownPeerError(peer_id)
        if answer == "garbage":
            raise SdpError("garbage")
        peer = self.peers[peer_id]
        peer.asked = False
        peer.sections = {sid: str(number) for number, sid in enumerate(peer.subscriptions, start=1)}
        return {mid: sid for sid, mid in peer.sections.items()}

    async def negotiate(self, peer_id: str, offer: str) -> Answer:
        if self.fail_with is not None:
            raise self.fail_with
        peer = self.peers.get(peer_id)
        if peer is None:
            raise UnknownPeerError(peer_id)
        if offer == "garbage":
            raise SdpError("garbage")
        words = offer.split()
        sent = dict(word.split("=") for word in words if "=" in word)
        free = {word[0]: int(word[1:]) for word in words if "=" not in word and word[0] in "av"}
        peer.offer, peer.asked = offer, False
        for publication in tuple(peer.publications.values()):
            if publication.id in peer.bound and peer.bound[publication.id] not in sent.values():
                self._forget(publication.id)
                self._later(PublicationEnded(peer_id, publication.id))
        for publication in peer.publications.values():
            self._bind(peer_id, peer, publication)
        peer.sections.clear()
        for publication_id in peer.subscriptions:
            kind = self._kind(publication_id)[0]
            if free.get(kind, 0) > 0:
                free[kind] -= 1
                peer.sections[publication_id] = f"{kind}{free[kind]}"
        self._ask_for_sections(peer_id, peer)
        return Answer(
            ANSWER,
            {mid: sid for sid, mid in peer.bound.items()},
            {mid: sid for sid, mid in peer.sections.items()},
        )

    def _bind(self, peer_id: str, peer: FakePeer, publication: PublicationSpec) -> None:
        sent = dict(word.split("=") for word in peer.offer.split() if "=" in word)
        for track_id in publication.track_ids:
            if publication.id not in peer.bound and track_id in sent:
                peer.bound[publication.id] = sent[track_id]
                codec = publication.codec or ("opus" if publication.kind == "audio" else "vp8")
                self._later(PublicationBound(peer_id, publication.id, sent[track_id], codec))

    def _ask_for_sections(self, peer_id: str, peer: FakePeer) -> None:
        # as the engine: what has ended before the front end has heard of it is no fault
        kinds = [kind for sid in peer.subscriptions if sid not in peer.sections and (kind := self._kind(sid))]
        if kinds and peer.dual and peer.offers and not peer.asked:
            peer.asked = True
            self._later(OfferNeeded(peer_id))
        elif kinds and peer.offer and not peer.dual and not peer.asked:
            peer.asked = True
            self._later(SectionsNeeded(peer_id, kinds.count("audio"), kinds.count("video")))

    def _forget(self, publication_id: str) -> None:
        for peer in self.peers.values():
            peer.publications.pop(publication_id, None)
            peer.bound.pop(publication_id, None)
            peer.subscriptions.pop(publication_id, None)

    def _kind(self, publication_id: str) -> str:
        kinds = (
            peer.publications[publication_id].kind
            for peer in self.peers.values()
            if publication_id in peer.publications
        )
        return next(kinds, "")

    def publish(self, peer_id: str, publication: PublicationSpec) -> None:
        self.commands.append(("publish", peer_id, publication))
        peer = self.peers.get(peer_id)
        if peer is not None:
            peer.publications[publication.id] = publication
            self._bind(peer_id, peer, publication)

    def unpublish(self, peer_id: str, publication_id: str) -> None:
        self.commands.append(("unpublish", peer_id, publication_id))
        self._forget(publication_id)

    def set_muted(self, publication_id: str, muted: bool) -> None:
        self.commands.append(("set_muted", publication_id, muted))
        self.muted[publication_id] = muted

    def subscribe(self, peer_id: str, publication_id: str, stream_id: str) -> None:
        self.commands.append(("subscribe", peer_id, publication_id, stream_id))
        peer = self.peers.get(peer_id)
        if peer is not None and self._kind(publication_id):
            peer.subscriptions[publication_id] = stream_id
            self._ask_for_sections(peer_id, peer)

    def unsubscribe(self, peer_id: str, publication_id: str) -> None:
        self.commands.append(("unsubscribe", peer_id, publication_id))
        if peer_id in self.peers:
            self.peers[peer_id].subscriptions.pop(publication_id, None)

    def set_preferences(self, peer_id: str, publication_id: str, preferences: Preferences) -> None:
        self.commands.append(("set_preferences", peer_id, publication_id, preferences))
        if peer_id in self.peers:
            self.peers[peer_id].preferences[publication_id] = preferences

    def send_data(self, peer_ids: Iterable[str], label: str, payload: bytes, *, flow: str = "") -> None:
        self.sent.append((tuple(peer_ids), label, payload))
        self.flows.append(flow)

    def start_recording(self, recording_id: str, room_id: str, key: bytes) -> None:
        self.commands.append(("start_recording", recording_id, room_id))
        self.recording_keys[recording_id] = key

    def record_track(self, recording_id: str, publication_id: str, track: RecordedTrack) -> None:
        self.commands.append(("record_track", recording_id, publication_id, track))

    def stop_recording_track(self, recording_id: str, publication_id: str) -> None:
        self.commands.append(("stop_recording_track", recording_id, publication_id))

    def pause_recording(self, recording_id: str, paused: bool) -> None:
        self.commands.append(("pause_recording", recording_id, paused))

    def stop_recording(self, recording_id: str) -> None:
        self.commands.append(("stop_recording", recording_id))
        self._later(RecordingStopped(recording_id))

    async def explain(self, peer_id: str) -> BandwidthExplanation:
        if peer_id not in self.peers:
            raise UnknownPeerError(peer_id)
        published = ("camera: h, 2 viewers",)
        return BandwidthExplanation(None, 32_000.0, 32_000.0, (), published=published)

    def metrics(self) -> dict[str, float]:
        return {"peers": len(self.peers), "workers": self.workers}

    def worker_metrics(self) -> list[dict[str, float]]:
        return [{"peers": float(len(self.peers)), "packets_forwarded": 7.0, "dropped_malformed": 2.0}]
