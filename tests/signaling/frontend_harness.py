"""The domain and the LiveKit front end without sockets, on a clock that stands still until a test moves it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from livekit.protocol import models, rtc

from sfu.values import PeerConnected
from signaling.access import tokens
from signaling.livekit.backlog import Backlog
from signaling.livekit.connections.connection import Connection
from signaling.livekit.connections.lifecycle import LiveKitSettings
from signaling.livekit.frontend import LiveKitFrontend
from signaling.livekit.handlers import handle
from signaling.livekit.messages.wire import EncodedResponse
from signaling.rooms.media import MediaEvents
from signaling.rooms.permissions import Permissions
from signaling.rooms.services import build_services
from signaling.timers import Timers
from tests.signaling.fake_media import FakeMedia

START = 1_795_000_000.0


class FakeOutbox:
    """Keeps what was sent, decoded from the very bytes."""

    def __init__(self) -> None:
        self.messages: list[rtc.SignalResponse] = []
        self.finished = False
        self.dropped = False

    def put(self, outgoing: EncodedResponse) -> None:
        assert not self.finished
        self.messages.append(rtc.SignalResponse.FromString(outgoing.binary()))

    def put_urgent(self, outgoing: EncodedResponse) -> None:
        self.put(outgoing)

    def put_state(self, messages: Iterator[EncodedResponse]) -> None:
        for outgoing in messages:
            self.put(outgoing)

    def finish(self) -> None:
        self.finished = True

    def drop(self) -> None:
        self.dropped = True


class SlowOutbox(FakeOutbox):
    """The outbox of a client that reads nothing until `read`."""

    def __init__(self) -> None:
        super().__init__()
        self.backlog = Backlog()

    def put(self, outgoing: EncodedResponse) -> None:
        self.backlog.put(outgoing)

    def put_urgent(self, outgoing: EncodedResponse) -> None:
        self.backlog.put_urgent(outgoing)

    def put_state(self, messages: Iterator[EncodedResponse]) -> None:
        self.backlog.put_state(messages)

    def read(self) -> list[rtc.SignalResponse]:
        while (frame := self.backlog.pop()) is not None:
            assert isinstance(frame, bytes)
            self.messages.append(rtc.SignalResponse.FromString(frame))
        return self.messages


class Person:
    """One client of the harness."""

    def __init__(self, harness: "FrontendHarness", connection: Connection, outbox: FakeOutbox) -> None:
        self.harness = harness
        self.connection = connection
        self.outbox = outbox

    @property
    def sid(self) -> str:
        return self.connection.participant.sid

    async def send(self, **request: Any) -> None:
        await handle(self.harness.livekit, self.connection, rtc.SignalRequest(**request))
        self.harness.media.deliver()

    async def offer(self, sdp: str, number: int = 1) -> None:
        await self.send(offer=rtc.SessionDescription(type="offer", sdp=sdp, id=number))

    async def publish(self, cid: str, kind: Any = models.TrackType.VIDEO, **extra: Any) -> str:
        """Announce and negotiate a track; returns its sid."""
        await self.send(add_track=rtc.AddTrackRequest(cid=cid, type=kind, **extra))
        sid = self.last("track_published").track.sid
        tracks = self.connection.participant.tracks.values()
        sent = [f"{track.spec.client_id}={track.mid}" for track in tracks]
        await self.offer(f"a3 v3 {' '.join(sent)} {cid}=mid-{cid}")
        return sid

    def kinds(self) -> list[str]:
        return [message.WhichOneof("message") for message in self.outbox.messages]

    def all(self, kind: str) -> list[Any]:
        return [getattr(message, kind) for message in self.outbox.messages if message.HasField(kind)]

    def last(self, kind: str) -> Any:
        return self.all(kind)[-1]

    def clear(self) -> None:
        self.outbox.messages.clear()

    def infos(self) -> list[models.ParticipantInfo]:
        """Everybody in all updates received since `clear`."""
        return [info for update in self.all("update") for info in update.participants]


class FrontendHarness:
    """Everything but HTTP."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.media_events = MediaEvents()
        self.media = FakeMedia(self.media_events.dispatch)
        self.timers = Timers(lambda: self.now)
        self._numbers: Counter[str] = Counter()
        self.services = services = build_services(
            self.media, self.media_events, self.timers, self.wall_clock, self.new_sid
        )
        self.rooms = services.rooms
        self.publishing = services.publishing
        self.subscribing = services.subscribing
        self.forwarding = services.forwarding
        self.events: list[Any] = []
        self.hub = services.hub
        self.hub.observe(self.events.append)
        signer = tokens.Signer("devkey", "secret")
        self.livekit = LiveKitFrontend(
            services, LiveKitSettings(lambda _key: signer, "ND_test", lambda _sid: ())
        )

    def wall_clock(self) -> float:
        return START + self.now

    def new_sid(self, prefix: str) -> str:
        self._numbers[prefix] += 1
        return f"{prefix}{self._numbers[prefix]}"

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at each deadline on the way."""
        end = self.now + seconds
        while (next_at := self.timers.next_at) is not None and next_at <= end:
            self.now = max(self.now, next_at)
            self.timers.run_due()
        self.now = end

    def claims(self, identity: str, room: str = "lesson", **fields: Any) -> tokens.Claims:
        fields.setdefault("permissions", Permissions())
        fields.setdefault("expires_at", self.wall_clock() + 3600)
        return tokens.Claims(identity=identity, room=room, room_join=True, **fields)

    def enter(
        self,
        identity: str,
        *,
        auto_subscribe: bool = True,
        auto_data: bool = False,
        client: Any = None,
        outbox: FakeOutbox | None = None,
        **fields: Any,
    ) -> Person:
        """Join without an offer, as Firefox does."""
        outbox = outbox or FakeOutbox()
        request = rtc.JoinRequest(
            client_info=client,
            connection_settings=rtc.ConnectionSettings(
                auto_subscribe=auto_subscribe, auto_subscribe_data_track=auto_data
            ),
        )
        return Person(
            self, self.livekit.lifecycle.join(self.claims(identity, **fields), request, outbox), outbox
        )

    async def join(self, identity: str, **fields: Any) -> Person:
        """Join, offer, and connect media."""
        person = self.enter(identity, **fields)
        await person.offer("a3 v3")
        self.connect_media(person)
        return person

    def connect_media(self, person: Person) -> None:
        self.media.emit(PeerConnected(person.sid))
