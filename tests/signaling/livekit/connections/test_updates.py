from livekit.protocol.models import ParticipantInfo

from signaling.livekit.connections.updates import IMMEDIATE_PER_WINDOW, SeenVersions, UpdateBatch, chunks
from signaling.rooms.model import LeaveReason
from signaling.rooms.rooms import JoinSpec


def people(harness, count):
    return [harness.rooms.join(JoinSpec("lesson", f"p{number}")) for number in range(count)]


def info(sid="PA_1", version=1, state=ParticipantInfo.ACTIVE, **fields):
    return ParticipantInfo(sid=sid, identity=f"id-{sid}", version=version, state=state, **fields)


def test_a_few_changes_go_at_once_and_many_wait(harness):
    batch = UpdateBatch()
    crowd = people(harness, IMMEDIATE_PER_WINDOW + 2)
    at_once = [batch.add(person, None, urgent=False) for person in crowd]
    assert at_once == [True] * IMMEDIATE_PER_WINDOW + [False] * 2
    assert batch.is_open
    assert batch.flush() == [(crowd[-2], None), (crowd[-1], None)]
    # A busy room stays at one batch per window, until a window has nothing.
    assert batch.add(crowd[0], None, urgent=False) is False
    assert batch.flush() == [(crowd[0], None)]
    assert batch.flush() == []
    assert not batch.is_open
    assert batch.add(crowd[0], None, urgent=False) is True


def test_urgent_changes_never_wait_and_replace_those_that_do(harness):
    batch = UpdateBatch()
    crowd = people(harness, IMMEDIATE_PER_WINDOW + 1)
    for person in crowd:
        batch.add(person, None, urgent=False)
    assert batch.add(crowd[-1], None, urgent=True)
    assert batch.flush() == []


def test_a_new_session_replaces_the_end_of_the_old_one(harness):
    batch = UpdateBatch()
    for person in people(harness, IMMEDIATE_PER_WINDOW):
        batch.add(person, None, urgent=False)
    old = harness.rooms.join(JoinSpec("lesson", "ada"))
    batch.add(old, LeaveReason.DUPLICATE_IDENTITY, urgent=False)
    new = harness.rooms.join(JoinSpec("lesson", "ada"))
    batch.add(new, None, urgent=False)
    assert batch.flush() == [(new, None)]


def test_only_newer_versions_are_news():
    seen = SeenVersions()
    assert seen.news(info(version=2))
    assert not seen.news(info(version=2))
    assert not seen.news(info(version=1))
    assert seen.news(info(version=3))
    assert seen.news(info(version=4, state=ParticipantInfo.DISCONNECTED))
    assert not seen.news(info(version=5, state=ParticipantInfo.DISCONNECTED))


def test_starting_over_tells_who_left_meanwhile():
    seen = SeenVersions()
    seen.news(info("PA_1", 3))
    seen.news(info("PA_2", 4))
    gone = seen.start_over(["id-PA_1"])
    assert [(entry.sid, entry.identity, entry.state) for entry in gone] == [
        ("PA_2", "id-PA_2", ParticipantInfo.DISCONNECTED)
    ]
    assert gone[0].version > 4
    assert seen.news(info("PA_1", 3))


def test_ends_that_may_be_lost_are_repeated_unless_the_identity_is_back():
    seen = SeenVersions()
    for sid in ("PA_1", "PA_2", "PA_3"):
        seen.news(info(sid, 1))
        seen.news(info(sid, 2, ParticipantInfo.DISCONNECTED))
    back = info("PA_9", 1)
    back.identity = "id-PA_2"
    seen.news(back)
    gone = seen.start_over(["id-PA_2", "id-PA_3"])
    assert [entry.sid for entry in gone] == ["PA_1"]
    assert [entry.sid for entry in seen.start_over([])] == ["PA_9", "PA_3"]
    assert seen.start_over([]) == []


def test_changes_of_those_whose_state_waits_are_no_news():
    seen = SeenVersions()
    seen.await_turn(["PA_1"])
    assert not seen.news(info(version=2))
    assert seen.take_turn("PA_1")
    assert not seen.take_turn("PA_1")
    assert seen.news(info(version=2))


def test_the_end_of_somebody_whose_state_waits_is_news_to_those_who_may_know_them():
    for known in (False, True):
        seen = SeenVersions()
        if known:
            seen.news(info(version=1))
        assert seen.start_over(["id-PA_1"]) == []
        seen.await_turn(["PA_1"])
        assert seen.news(info(version=2, state=ParticipantInfo.DISCONNECTED)) is known
        assert not seen.take_turn("PA_1")
        assert [entry.sid for entry in seen.start_over([])] == ["PA_1"] * known


def test_who_waited_when_the_client_was_lost_again_may_still_be_known_to_it():
    seen = SeenVersions()
    seen.news(info(version=1))
    seen.start_over(["id-PA_1"])
    seen.await_turn(["PA_1"])
    assert [entry.sid for entry in seen.start_over([])] == ["PA_1"]


def test_repeated_ends_are_limited():
    seen = SeenVersions()
    for number in range(500):
        seen.news(info(f"PA_{number}", 1))
        seen.news(info(f"PA_{number}", 2, ParticipantInfo.DISCONNECTED))
    assert len(seen.start_over([])) == 200


def test_large_updates_are_cut():
    infos = [info(f"PA_{number}", metadata="m" * 50_000) for number in range(5)]
    parts = list(chunks(infos))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [entry.sid for part in parts for entry in part] == [entry.sid for entry in infos]
    huge = [info("PA_1", metadata="m" * 500_000), info("PA_2")]
    assert [len(part) for part in chunks(huge)] == [1, 1]
    assert list(chunks([])) == []
