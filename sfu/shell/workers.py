"""Engines in worker processes, behind the facade's interface; each room is on one of them, chosen by load."""

import asyncio
import contextlib
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import msgspec

from sfu import values as events
from sfu.settings import MediaSettings
from sfu.shell import messages
from sfu.shell.recording_places import RecordingPlaces
from sfu.shell.restarts import RestartDelays
from sfu.shell.worker_process import DATA_BACKLOG_BYTES, STOP_TIMEOUT_S, WorkerProcess
from sfu.values import (
    COMMON_TRAITS,
    Answer,
    BandwidthExplanation,
    Channel,
    DataRefused,
    EngineTimeoutError,
    Event,
    MediaError,
    Mid,
    PeerClosed,
    PeerId,
    Preferences,
    PublicationEnded,
    PublicationId,
    PublicationSpec,
    ReceiverTraits,
    RecordedTrack,
    RecordingId,
    RecordingStopped,
    RoomId,
    UnknownPeerError,
)

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0
# Longer than a worker lives that has stalled, so that this ends only what got lost.
REPLY_TIMEOUT_S = 14.0


class MediaWorkers:
    """The facade (see `sfu.server.MediaServer`, whose commands these are) over several processes.

    Worker number i has the UDP port `settings.udp_port` + i. When one dies its peers are told as closed, and another
    takes its place; the others notice nothing.
    """

    def __init__(self, settings: MediaSettings, count: int, on_event: Callable[[Event], None]) -> None:
        """Create it for `count` processes, at least one; `start` starts them."""
        self._settings = settings
        self._count = count
        self._on_event = on_event
        self._workers: list[WorkerProcess] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._by_peer: dict[PeerId, WorkerProcess] = {}
        self._by_publication: dict[PublicationId, WorkerProcess] = {}
        self._publisher: dict[PublicationId, PeerId] = {}
        self._forwarded: dict[tuple[PeerId, RoomId], WorkerProcess] = {}
        "By peer and room: a room to which somebody is forwarded stays on that one's worker."
        self._recordings: RecordingPlaces[WorkerProcess] = RecordingPlaces()
        self._waiting: dict[int, tuple[WorkerProcess, asyncio.Future[Any]]] = {}
        self._numbers = itertools.count(1)
        self._stopping = asyncio.Event()
        self._restarts = 0
        self._dropped_data = 0
        "By workers that have ended."

    # --- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the processes and wait until all have bound their ports. OSError if a port is in use."""
        for index in range(self._count):
            port = self._settings.udp_port + index if self._settings.udp_port else 0
            worker = WorkerProcess(replace(self._settings, udp_port=port), self._notified)
            self._workers.append(worker)
            self._tasks.append(asyncio.create_task(self._keep(index)))
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await asyncio.gather(*(worker.ready for worker in self._workers))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the processes."""
        self._stopping.set()
        for worker in self._workers:
            worker.hang_up()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2 * STOP_TIMEOUT_S)
        for task in self._tasks:
            task.cancel()

    async def _keep(self, index: int) -> None:
        """Run a worker, and replace it when it ends, until `stop`."""
        loop = asyncio.get_running_loop()
        delays = RestartDelays()
        while True:
            worker, started = self._workers[index], loop.time()
            try:
                await worker.run()
            except (OSError, messages.MessageError):
                logger.exception("worker %d", index)
            if not worker.ready.done():
                worker.ready.set_exception(OSError(0, "a worker ended before it was ready"))
            worker.ready.exception()  # looked at: `start` waits for the first ones only
            self._lost(worker)
            if self._stopping.is_set():
                return
            delay_s = delays.next_s(loop.time() - started)
            logger.error("worker %d ended; another starts in %.1f s", index, delay_s)
            self._restarts += 1
            self._dropped_data += worker.dropped_data
            # the port that was taken, or the one that the system gave
            settings = replace(worker.settings, udp_port=worker.udp_port or worker.settings.udp_port)
            self._workers[index] = WorkerProcess(settings, self._notified)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await self._stopping.wait()
                    return

    def _lost(self, worker: WorkerProcess) -> None:
        for number in [n for n, (on, _) in self._waiting.items() if on is worker]:
            _, future = self._waiting.pop(number)
            if not future.done():
                future.set_exception(UnknownPeerError("the worker ended"))
        self._recordings.lost(worker)
        peers, worker.peers = worker.peers, {}
        for peer_id in peers:
            self._forget(peer_id)
            if not self._stopping.is_set():
                self._deliver(PeerClosed(peer_id, "error"))

    @property
    def udp_port(self) -> int:
        """Return the first worker's port."""
        return self._workers[0].udp_port

    def metrics(self) -> dict[str, float]:
        """Return counters and gauges by name, summed over the workers; about a second old at most."""
        total: Counter[str] = Counter()
        for worker in self._workers:
            total.update(worker.metrics)
        return {
            **total,
            "dropped_worker_backlog": self._dropped_data
            + sum(worker.dropped_data for worker in self._workers),
            "workers": sum(worker.answers for worker in self._workers),
            "workers_restarted": self._restarts,
        }

    def worker_metrics(self) -> list[dict[str, float]]:
        """Return the metrics of each worker, in the order of their ports; about a second old at most."""
        return [dict(worker.metrics) for worker in self._workers]

    # --- what workers tell -----------------------------------------------------------------------------------------

    def _notified(self, worker: WorkerProcess, kind: str, content: msgspec.Raw) -> None:
        self._NOTIFICATIONS[kind](self, worker, content)

    def _ready(self, worker: WorkerProcess, content: msgspec.Raw) -> None:
        worker.udp_port = messages.decode(content, int)
        worker.alive = True
        worker.ready.set_result(None)

    def _failed(self, worker: WorkerProcess, content: msgspec.Raw) -> None:
        number, text = messages.decode(content, tuple[int, str])
        worker.ready.set_exception(OSError(number, text))

    def _figures(self, worker: WorkerProcess, content: msgspec.Raw) -> None:
        worker.metrics = messages.decode(content, dict[str, float])

    def _event(self, worker: WorkerProcess, content: msgspec.Raw) -> None:
        name, raw = messages.decode(content, tuple[str, msgspec.Raw])
        event = messages.decode(raw, messages.EVENTS[name])
        if isinstance(event, PeerClosed):
            worker.peers.pop(event.peer_id, None)
            self._forget(event.peer_id)
        elif isinstance(event, RecordingStopped):
            place = self._recordings.get(event.recording_id)
            if place is None or place.worker is not worker:
                return  # another worker continues it
            self._recordings.remove(event.recording_id)
        elif isinstance(event, PublicationEnded):
            self._by_publication.pop(event.publication_id, None)
            self._publisher.pop(event.publication_id, None)
        self._deliver(event)

    def _reply(self, _worker: WorkerProcess, content: msgspec.Raw) -> None:
        number, name, raw = messages.decode(content, tuple[int, str, msgspec.Raw])
        waiting = self._waiting.pop(number, None)
        if waiting is not None and not waiting[1].done():
            waiting[1].set_result(messages.decode(raw, messages.RESULTS[name]))

    def _refusal(self, _worker: WorkerProcess, content: msgspec.Raw) -> None:
        number, name, text = messages.decode(content, tuple[int, str, str])
        waiting = self._waiting.pop(number, None)
        if waiting is not None and not waiting[1].done():
            kind = getattr(events, name, MediaError)
            waiting[1].set_exception(kind(text))

    def _log(self, _worker: WorkerProcess, content: msgspec.Raw) -> None:
        level, name, text = messages.decode(content, tuple[int, str, str])
        logging.getLogger(name).log(level, "%s", text)

    def _pong(self, worker: WorkerProcess, _content: msgspec.Raw) -> None:
        worker.heard()

    _NOTIFICATIONS = {  # noqa: RUF012 - a table, never changed
        "ready": _ready,
        "failed": _failed,
        "metrics": _figures,
        "event": _event,
        "message": _event,
        "reply": _reply,
        "refusal": _refusal,
        "log": _log,
        "pong": _pong,
    }

    def _deliver(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception:
            logger.exception("event not handled: %s", type(event).__name__)

    # --- commands --------------------------------------------------------------------------------------------------

    def open_peer(
        self,
        peer_id: PeerId,
        room_id: RoomId,
        *,
        dual: bool = False,
        channels: tuple[Channel, ...] = (),
        traits: ReceiverTraits = COMMON_TRAITS,
    ) -> None:
        """Create a peer on the room's worker, or on the worker with the fewest peers; it may still be starting."""
        worker = self._room(room_id)
        if not (worker.answers or worker.starts):
            # none does, or the room's does not: whoever came has to come again, when it is replaced
            asyncio.get_running_loop().call_soon(self._deliver, PeerClosed(peer_id, "error"))
            return
        worker.peers[peer_id] = room_id
        self._settle_recordings(room_id, worker)
        self._by_peer[peer_id] = worker
        worker.send_command(0, "open_peer", (peer_id, room_id, dual, channels, traits))

    def _room(self, room_id: RoomId) -> WorkerProcess:
        pinned = self._pinned(room_id)
        if pinned is not None and pinned.alive:
            return pinned
        for worker in self._workers:
            if (worker.alive or worker.starts) and room_id in worker.peers.values():
                return worker
        recording = self._recordings.worker_of_room(room_id)
        if recording is not None and recording.alive:
            return recording
        answering = [worker for worker in self._workers if worker.answers]
        # clients come back at once, and some wait for long before they come again: a worker that starts will do
        starting = [worker for worker in self._workers if worker.starts]
        return min(answering or starting or self._workers, key=lambda worker: len(worker.peers))

    def move_peer(self, peer_id: PeerId, room_id: RoomId) -> None:
        """Close a peer whose new room is on another worker: the client connects there again."""
        worker = self._by_peer.get(peer_id)
        if worker is None:
            return
        self._forget_forwarding(peer_id)
        home = next(
            (other for other in self._workers if room_id in other.peers.values()), self._pinned(room_id)
        )
        home = home or worker
        if home is worker:
            worker.peers[peer_id] = room_id
            worker.send_command(0, "move_peer", (peer_id, room_id))
        else:
            self.close_peer(peer_id)
            asyncio.get_running_loop().call_soon(self._deliver, PeerClosed(peer_id, "error"))

    def _pinned(self, room_id: RoomId) -> WorkerProcess | None:
        return next((worker for (_, room), worker in self._forwarded.items() if room == room_id), None)

    def forward_peer(self, peer_id: PeerId, room_id: RoomId) -> bool:
        """Let a peer's publications be received in another room too; return whether that is possible.

        Where that room is on another worker its peers are told as closed, and come back to this one. Not possible when
        it is bound to another by somebody else who is forwarded to it.
        """
        worker, pinned = self._by_peer.get(peer_id), self._pinned(room_id)
        if worker is None or pinned not in (None, worker):
            return False
        for other in self._workers:
            for moved in [p for p, room in other.peers.items() if room == room_id and other is not worker]:
                self.close_peer(moved)
                asyncio.get_running_loop().call_soon(self._deliver, PeerClosed(moved, "error"))
        self._forwarded[peer_id, room_id] = worker
        worker.send_command(0, "forward_peer", (peer_id, room_id))
        return True

    def stop_forwarding(self, peer_id: PeerId, room_id: RoomId) -> None:
        """End the forwarding of a peer's publications to another room."""
        self._forwarded.pop((peer_id, room_id), None)
        self._tell(peer_id, "stop_forwarding", room_id)

    def close_peer(self, peer_id: PeerId) -> None:
        """End a peer."""
        worker = self._forget(peer_id)
        if worker is not None:
            worker.peers.pop(peer_id, None)
            worker.send_command(0, "close_peer", (peer_id,))

    def _forget(self, peer_id: PeerId) -> WorkerProcess | None:
        for publication_id in [p for p, publisher in self._publisher.items() if publisher == peer_id]:
            del self._publisher[publication_id]
            self._by_publication.pop(publication_id, None)
        self._forget_forwarding(peer_id)
        return self._by_peer.pop(peer_id, None)

    def _forget_forwarding(self, peer_id: PeerId) -> None:
        for forwarded in [each for each in self._forwarded if each[0] == peer_id]:
            del self._forwarded[forwarded]

    async def negotiate(self, peer_id: PeerId, offer: str) -> Answer:
        """Apply an offer and answer it. SdpError, UnknownPeerError."""
        answer: Answer = await self._ask(peer_id, "negotiate", offer)
        return answer

    async def offer(self, peer_id: PeerId, *, restart: bool = False) -> str:
        """Make the next offer. UnknownPeerError."""
        offer: str = await self._ask(peer_id, "offer", restart)
        return offer

    async def answer(self, peer_id: PeerId, answer: str) -> dict[Mid, PublicationId]:
        """Apply the client's answer. SdpError, UnknownPeerError."""
        subscribed: dict[Mid, PublicationId] = await self._ask(peer_id, "answer", answer)
        return subscribed

    async def explain(self, peer_id: PeerId) -> BandwidthExplanation:
        """Return an explanation of a peer's layers. UnknownPeerError."""
        explanation: BandwidthExplanation = await self._ask(peer_id, "explain")
        return explanation

    async def _ask(self, peer_id: PeerId, name: str, *arguments: Any) -> Any:
        worker = self._by_peer.get(peer_id)
        if worker is None:
            raise UnknownPeerError(peer_id)
        number = next(self._numbers)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (worker, future)
        worker.send_command(number, name, (peer_id, *arguments))
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                return await future
        except TimeoutError:
            raise EngineTimeoutError(f"no reply to {name} within {REPLY_TIMEOUT_S} s") from None
        finally:
            self._waiting.pop(number, None)

    def start_recording(self, recording_id: RecordingId, room_id: RoomId, key: bytes) -> None:
        """Begin a recording on the room's worker."""
        worker = self._room(room_id)
        if self._recordings.add(recording_id, room_id, worker if worker.alive else None, key):
            worker.send_command(0, "start_recording", (recording_id, room_id, key))

    def _settle_recordings(self, room_id: RoomId, worker: WorkerProcess) -> None:
        """Let this worker continue the recordings of a room that was opened on it."""
        for place, before in self._recordings.settle(room_id, worker):
            if before is not None:
                before.send_command(0, "stop_recording", (place.recording_id,))
            worker.send_command(0, "start_recording", (place.recording_id, room_id, place.key))
            if place.paused:
                worker.send_command(0, "pause_recording", (place.recording_id, True))

    def record_track(
        self, recording_id: RecordingId, publication_id: PublicationId, track: RecordedTrack
    ) -> None:
        """Record a publication of the room."""
        worker = self._by_publication.get(publication_id)
        if worker is not None:
            worker.send_command(0, "record_track", (recording_id, publication_id, track))

    def stop_recording_track(self, recording_id: RecordingId, publication_id: PublicationId) -> None:
        """Stop recording a publication."""
        worker = self._by_publication.get(publication_id)
        if worker is not None:
            worker.send_command(0, "stop_recording_track", (recording_id, publication_id))

    def pause_recording(self, recording_id: RecordingId, paused: bool) -> None:
        """Pause or resume a recording."""
        place = self._recordings.get(recording_id)
        if place is not None:
            place.paused = paused
            if place.worker is not None:
                place.worker.send_command(0, "pause_recording", (recording_id, paused))

    def stop_recording(self, recording_id: RecordingId) -> None:
        """End a recording; if its worker has ended, it was written up to that time."""
        place = self._recordings.get(recording_id)
        if place is not None and place.worker is not None:
            place.worker.send_command(0, "stop_recording", (recording_id,))
            return
        self._recordings.remove(recording_id)
        asyncio.get_running_loop().call_soon(self._deliver, RecordingStopped(recording_id))

    def _tell(self, peer_id: PeerId, name: str, *arguments: Any) -> None:
        worker = self._by_peer.get(peer_id)
        if worker is not None:
            worker.send_command(0, name, (peer_id, *arguments))

    def publish(self, peer_id: PeerId, publication: PublicationSpec) -> None:
        """Announce a track."""
        worker = self._by_peer.get(peer_id)
        if worker is not None:
            self._by_publication[publication.id] = worker
            self._publisher[publication.id] = peer_id
        self._tell(peer_id, "publish", publication)

    def unpublish(self, peer_id: PeerId, publication_id: PublicationId) -> None:
        """End a publication and its subscriptions."""
        self._by_publication.pop(publication_id, None)
        self._publisher.pop(publication_id, None)
        self._tell(peer_id, "unpublish", publication_id)

    def set_muted(self, publication_id: PublicationId, muted: bool) -> None:
        """Stop or resume the forwarding of a publication."""
        worker = self._by_publication.get(publication_id)
        if worker is not None:
            worker.send_command(0, "set_muted", (publication_id, muted))

    def subscribe(self, peer_id: PeerId, publication_id: PublicationId, stream_id: str) -> None:
        """Send a publication to a peer."""
        self._tell(peer_id, "subscribe", publication_id, stream_id)

    def unsubscribe(self, peer_id: PeerId, publication_id: PublicationId) -> None:
        """Stop sending a publication to a peer."""
        self._tell(peer_id, "unsubscribe", publication_id)

    def set_preferences(
        self, peer_id: PeerId, publication_id: PublicationId, preferences: Preferences
    ) -> None:
        """Set a subscriber's preferences for a publication."""
        self._tell(peer_id, "set_preferences", publication_id, preferences)

    def send_data(self, peer_ids: Iterable[PeerId], label: str, payload: bytes, *, flow: str = "") -> None:
        """Send one message on each peer's channel `label`; it is refused while the worker is too slow."""
        groups: dict[WorkerProcess, list[PeerId]] = {}
        for peer_id in peer_ids:
            worker = self._by_peer.get(peer_id)
            if worker is not None:
                groups.setdefault(worker, []).append(peer_id)
        for worker, members in groups.items():
            if worker.backlog < DATA_BACKLOG_BYTES:
                worker.send_command(0, "send_data", (members, label, payload, flow))
                continue
            worker.dropped_data += len(members)
            for peer_id in members:
                asyncio.get_running_loop().call_soon(self._deliver, DataRefused(peer_id, label, flow))
