"""The commands of the media engine as a type; the engine, the workers and the fake of the tests implement it.

Apart from the engine, so that a process which only sends commands does not load it.
"""

from collections.abc import Iterable
from typing import Protocol

from sfu.values import (
    COMMON_TRAITS,
    Answer,
    BandwidthExplanation,
    Channel,
    Mid,
    PeerId,
    Preferences,
    PublicationId,
    PublicationSpec,
    ReceiverTraits,
    RecordedTrack,
    RecordingId,
    RoomId,
)


class MediaEngine(Protocol):
    """The commands of the facade; `sfu.shell.server.MediaServer` describes each of them."""

    @property
    def udp_port(self) -> int: ...  # noqa: D102 - documented at the engine, as are the others

    async def start(self) -> None: ...  # noqa: D102

    async def stop(self) -> None: ...  # noqa: D102

    def open_peer(  # noqa: D102
        self,
        peer_id: PeerId,
        room_id: RoomId,
        *,
        dual: bool = False,
        channels: tuple[Channel, ...] = (),
        traits: ReceiverTraits = COMMON_TRAITS,
    ) -> None: ...

    def move_peer(self, peer_id: PeerId, room_id: RoomId) -> None: ...  # noqa: D102

    def forward_peer(self, peer_id: PeerId, room_id: RoomId) -> bool: ...  # noqa: D102

    def stop_forwarding(self, peer_id: PeerId, room_id: RoomId) -> None: ...  # noqa: D102

    def close_peer(self, peer_id: PeerId) -> None: ...  # noqa: D102

    async def negotiate(self, peer_id: PeerId, offer: str) -> Answer: ...  # noqa: D102

    async def offer(self, peer_id: PeerId, *, restart: bool = False) -> str: ...  # noqa: D102

    async def answer(self, peer_id: PeerId, answer: str) -> dict[Mid, PublicationId]: ...  # noqa: D102

    def publish(self, peer_id: PeerId, publication: PublicationSpec) -> None: ...  # noqa: D102

    def unpublish(self, peer_id: PeerId, publication_id: PublicationId) -> None: ...  # noqa: D102

    def set_muted(self, publication_id: PublicationId, muted: bool) -> None: ...  # noqa: D102

    def subscribe(self, peer_id: PeerId, publication_id: PublicationId, stream_id: str) -> None: ...  # noqa: D102

    def unsubscribe(self, peer_id: PeerId, publication_id: PublicationId) -> None: ...  # noqa: D102

    def set_preferences(  # noqa: D102
        self, peer_id: PeerId, publication_id: PublicationId, preferences: Preferences
    ) -> None: ...

    def send_data(  # noqa: D102
        self, peer_ids: Iterable[PeerId], label: str, payload: bytes, *, flow: str = ""
    ) -> None: ...

    def start_recording(self, recording_id: RecordingId, room_id: RoomId, key: bytes) -> None: ...  # noqa: D102

    def record_track(  # noqa: D102
        self, recording_id: RecordingId, publication_id: PublicationId, track: RecordedTrack
    ) -> None: ...

    def stop_recording_track(self, recording_id: RecordingId, publication_id: PublicationId) -> None: ...  # noqa: D102

    def pause_recording(self, recording_id: RecordingId, paused: bool) -> None: ...  # noqa: D102

    def stop_recording(self, recording_id: RecordingId) -> None: ...  # noqa: D102

    async def explain(self, peer_id: PeerId) -> BandwidthExplanation: ...  # noqa: D102

    def metrics(self) -> dict[str, float]: ...  # noqa: D102

    def worker_metrics(self) -> list[dict[str, float]]: ...  # noqa: D102
