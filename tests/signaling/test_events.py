from signaling.events import EventHub, RoomStarted
from signaling.model import Room, RoomConfig


def test_a_failing_listener_stops_neither_the_others_nor_the_caller(caplog):
    hub = EventHub()
    heard = []
    hub.listen(lambda _event: 1 / 0)
    hub.listen(heard.append)
    event = RoomStarted(Room("RM_1", "lesson", RoomConfig(), 0.0))
    hub.emit(event)
    assert heard == [event]
    assert "RoomStarted was not handled" in caplog.text
