from signaling.store import LogEntry, Session, Stay

ADA = {"participant": {"sid": "PA_1", "identity": "ada", "name": "Ada"}}


def line(seq, kind, data):
    return LogEntry("RM_1", seq, kind, data, float(seq))


BEGUN = [line(1, "room_started", {"room": {"name": "algebra"}}), line(2, "participant_joined", ADA)]


async def test_sessions_and_stays_follow_from_the_log(store):
    await store.events.append(BEGUN)
    assert await store.sessions.of_room("algebra") == [Session("RM_1", "algebra", 1.0, None)]
    assert await store.sessions.stays("RM_1") == [Stay("RM_1", "PA_1", "ada", "Ada", 2.0, None)]
    await store.events.append([line(3, "participant_left", ADA), line(4, "room_finished", {})])
    assert await store.sessions.of_room("algebra") == [Session("RM_1", "algebra", 1.0, 4.0)]
    assert (await store.sessions.stays("RM_1"))[0].left_at == 3.0


async def test_who_is_moved_away_and_back_has_one_stay(store):
    moves = [line(3, "participant_moved_out", ADA), line(4, "participant_moved_in", ADA)]
    await store.events.append([*BEGUN, *moves])
    assert await store.sessions.stays("RM_1") == [Stay("RM_1", "PA_1", "ada", "Ada", 2.0, None)]


async def test_what_a_killed_server_left_open_is_ended_and_the_rest_stays(store):
    await store.events.append(BEGUN)
    await store.sessions.close_abandoned(9.0)
    await store.sessions.close_abandoned(20.0)
    assert (await store.sessions.of_room("algebra"))[0].ended_at == 9.0
    assert (await store.sessions.stays("RM_1"))[0].left_at == 9.0
