import inspect

from sfu.facade import MediaEngine
from sfu.shell.server import MediaServer
from sfu.values import PeerConnected, SpeakersChanged
from signaling.rooms.media import MediaEvents
from tests.signaling.fake_media import FakeMedia


def test_events_go_to_those_who_asked_and_a_failing_listener_stops_nobody(caplog):
    events = MediaEvents()
    heard = []
    events.on(PeerConnected, lambda _event: 1 / 0)
    events.on(PeerConnected, heard.append)
    events.dispatch(PeerConnected("PA_1"))
    events.dispatch(SpeakersChanged("RM_1", ()))
    assert heard == [PeerConnected("PA_1")]
    assert "a listener failed on the media event PeerConnected" in caplog.text


def test_the_fake_has_the_engines_commands():
    for name in [name for name in vars(MediaEngine) if not name.startswith("_") and name != "udp_port"]:
        real = inspect.signature(getattr(MediaServer, name)).parameters
        fake = inspect.signature(getattr(FakeMedia, name)).parameters
        assert list(fake) == list(real), name
