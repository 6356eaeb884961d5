from signaling.livekit.connections.registry import Connections


async def test_a_connection_is_found_by_its_participant_until_it_is_removed(harness):
    ada = await harness.join("ada")
    connections = Connections()
    assert connections.get(ada.sid) is None
    connections.add(ada.connection)
    assert connections.get(ada.sid) is ada.connection
    assert connections.remove(ada.sid) is ada.connection
    assert connections.remove(ada.sid) is None
    assert connections.get(ada.sid) is None


async def test_a_room_is_its_own_connections_that_have_a_websocket(harness):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    await harness.join("eve", room="other")
    connections = harness.livekit.connections
    room = ada.connection.participant.room
    assert connections.in_room(room) == [ada.connection, bob.connection]
    harness.livekit.lifecycle.socket_closed(bob.connection, bob.outbox)
    assert connections.in_room(room) == [ada.connection]
    assert connections.get(bob.sid) is bob.connection
