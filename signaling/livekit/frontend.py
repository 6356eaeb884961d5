"""LiveKit's front end: connections, their messages, and relayed data."""

from livekit.protocol import models, rtc

from signaling.livekit.connections.broadcast import Broadcast
from signaling.livekit.connections.connection import Connection
from signaling.livekit.connections.lifecycle import Lifecycle, LiveKitSettings
from signaling.livekit.connections.reactions import Reactions
from signaling.livekit.connections.registry import Connections
from signaling.livekit.connections.relay import Relay
from signaling.livekit.connections.state import State
from signaling.rooms.services import Services


class LiveKitFrontend:
    """Requests come in through `handlers` and `server_api`; events go out through `connections.reactions`."""

    def __init__(self, services: Services, settings: LiveKitSettings) -> None:
        """Listen to the domain and to the media engine."""
        self.services = services
        self.connections = Connections()
        self.broadcast = Broadcast(self.connections, services.timers)
        self.relay = Relay(self.connections, services)
        state = State(services.rooms, services.demand)
        self.lifecycle = Lifecycle(services, settings, self.connections, self.broadcast, state)
        self.reactions = Reactions(services, state, self.broadcast, self.lifecycle, self.relay)

    def now(self) -> float:
        """Return seconds since 1970."""
        return self.services.wall_clock()

    def now_ms(self) -> int:
        """Return milliseconds since 1970, the unit of pongs."""
        return int(self.now() * 1000)

    def simulate_speaker(self, connection: Connection, seconds: int) -> None:
        """Report a participant to itself as an active speaker for some seconds."""
        sid = connection.participant.sid

        def notify(level: float, *, active: bool) -> None:
            speaker = models.SpeakerInfo(sid=sid, level=level, active=active)
            connection.send(rtc.SignalResponse(speakers_changed=rtc.SpeakersChanged(speakers=[speaker])))

        notify(1.0, active=True)
        self.services.timers.set(sid, "simulated speaker", seconds, lambda: notify(0.0, active=False))
