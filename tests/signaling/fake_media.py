"""A media engine that sends nothing: the facade's methods, a record of the commands, and events by hand.

It negotiates by a toy description: an offer is a list of words. `a2 v1` are free receiving sections (two for
audio, one for video), `cam=mid4` says that the track id `cam` is sent in section mid4. The answer is real SDP
as far as `livekit_validate` looks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sfu.events import (
    Answer,
    Event,
    Preferences,
    Publication,
    PublicationBound,
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
    publications: dict[str, Publication] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)
    "publication id -> mid"
    subscriptions: dict[str, str] = field(default_factory=dict)
    "publication id -> stream id"
    sections: dict[str, str] = field(default_factory=dict)
    "publication id -> mid, of those received"
    preferences: dict[str, Preferences] = field(default_factory=dict)


class FakeMedia:
    """Records `commands` as (name, arguments...)."""

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self.emit = on_event
        self.peers: dict[str, FakePeer] = {}
        self.muted: dict[str, bool] = {}
        self.sent: list[tuple[tuple[str, ...], str, bytes]] = []
        self.commands: list[tuple[Any, ...]] = []
        self.negotiations = 0
        self.fail_with: Exception | None = None
        self.udp_port = 7882

    async def start(self) -> None:
        self.commands.append(("start",))

    async def stop(self) -> None:
        self.commands.append(("stop",))

    def open_peer(self, peer_id: str, room_id: str) -> None:
        self.commands.append(("open_peer", peer_id, room_id))
        self.peers[peer_id] = FakePeer(room_id)

    def close_peer(self, peer_id: str) -> None:
        self.commands.append(("close_peer", peer_id))
        self.peers.pop(peer_id, None)

    async def negotiate(self, peer_id: str, offer: str) -> Answer:
        if self.fail_with is not None:
            raise self.fail_with
        peer = self.peers.get(peer_id)
        if peer is None:
            raise UnknownPeerError(peer_id)
        if offer == "garbage":
            raise SdpError("garbage")
        self.negotiations += 1
        words = offer.split()
        sent = dict(word.split("=") for word in words if "=" in word)
        free = {word[0]: int(word[1:]) for word in words if "=" not in word and word[0] in "av"}
        published = self._bind(peer_id, peer, sent)
        missing = {"audio": 0, "video": 0}
        peer.sections.clear()
        for publication_id in peer.subscriptions:
            kind = self._kind(publication_id)
            if free.get(kind[0], 0) > 0:
                free[kind[0]] -= 1
                peer.sections[publication_id] = f"{kind[0]}{free[kind[0]]}"
            else:
                missing[kind] += 1
        if any(missing.values()):
            self.emit(SectionsNeeded(peer_id, missing["audio"], missing["video"]))
        return Answer(ANSWER, published, {mid: sid for sid, mid in peer.sections.items()})

    def _bind(self, peer_id: str, peer: FakePeer, sent: dict[str, str]) -> dict[str, str]:
        published = {}
        for track_id, mid in sent.items():
            for publication in peer.publications.values():
                if track_id in publication.track_ids:
                    published[mid] = publication.id
                    if publication.id not in peer.bound:
                        peer.bound[publication.id] = mid
                        codec = publication.codec or ("opus" if publication.kind == "audio" else "vp8")
                        self.emit(PublicationBound(peer_id, publication.id, mid, codec))
        return published

    def _kind(self, publication_id: str) -> str:
        return next(
            peer.publications[publication_id].kind
            for peer in self.peers.values()
            if publication_id in peer.publications
        )

    def publish(self, peer_id: str, publication: Publication) -> None:
        self.commands.append(("publish", peer_id, publication))
        self.peers[peer_id].publications[publication.id] = publication

    def unpublish(self, peer_id: str, publication_id: str) -> None:
        self.commands.append(("unpublish", peer_id, publication_id))
        self.peers[peer_id].publications.pop(publication_id, None)
        self.peers[peer_id].bound.pop(publication_id, None)
        for peer in self.peers.values():
            peer.subscriptions.pop(publication_id, None)

    def set_muted(self, publication_id: str, muted: bool) -> None:
        self.commands.append(("set_muted", publication_id, muted))
        self.muted[publication_id] = muted

    def subscribe(self, peer_id: str, publication_id: str, stream_id: str) -> None:
        self.commands.append(("subscribe", peer_id, publication_id, stream_id))
        peer = self.peers[peer_id]
        peer.subscriptions[publication_id] = stream_id
        kinds = [self._kind(sid) for sid in peer.subscriptions if sid not in peer.sections]
        self.emit(SectionsNeeded(peer_id, kinds.count("audio"), kinds.count("video")))

    def unsubscribe(self, peer_id: str, publication_id: str) -> None:
        self.commands.append(("unsubscribe", peer_id, publication_id))
        self.peers[peer_id].subscriptions.pop(publication_id, None)

    def set_preferences(self, peer_id: str, publication_id: str, preferences: Preferences) -> None:
        self.commands.append(("set_preferences", peer_id, publication_id, preferences))
        self.peers[peer_id].preferences[publication_id] = preferences

    def send_data(self, peer_ids: Iterable[str], label: str, payload: bytes) -> None:
        self.sent.append((tuple(peer_ids), label, payload))

    def metrics(self) -> dict[str, float]:
        return {"peers": len(self.peers)}
