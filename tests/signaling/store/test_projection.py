import random

from signaling.store import LogEntry, Stay
from signaling.store.projection import fold

PEOPLE = ("ada", "ben")


def entry(seq, kind, person="ada", sid="RM_1"):
    values = {"sid": f"PA_{person}", "identity": person, "name": person.title()}
    data = {"room": {"name": "algebra"}, "participant": values}
    return LogEntry(sid, seq, kind, data, float(seq))


def test_one_who_joins_and_leaves_in_a_batch_is_one_row():
    changes = fold([entry(1, "room_started"), entry(2, "participant_joined"), entry(3, "participant_left")])
    assert changes.begun["RM_1"]["ended_at"] is None
    (row,) = changes.arrived.values()
    assert (row["joined_at"], row["left_at"], row["user_id"]) == (2.0, 3.0, "")
    assert (changes.left, changes.ended) == ({}, {})


def test_what_began_before_the_batch_is_ended_by_it():
    changes = fold([entry(8, "participant_left"), entry(9, "room_finished")])
    assert changes.left == {("RM_1", "PA_ada"): 8.0}
    assert changes.ended == {"RM_1": 9.0}
    assert (changes.begun, changes.arrived) == ({}, {})


def test_who_leaves_and_comes_back_has_not_left():
    changes = fold([entry(8, "participant_moved_out"), entry(9, "participant_moved_in")])
    assert changes.left == {}
    assert changes.arrived["RM_1", "PA_ada"]["left_at"] is None


def test_a_session_within_a_batch_is_one_row():
    changes = fold([entry(1, "room_started"), entry(2, "room_finished")])
    assert (changes.begun["RM_1"]["ended_at"], changes.ended) == (2.0, {})


def lesson(steps):
    """People come and go at random, each in turn; and what their stays have to be."""
    chance = random.Random(steps)
    log, stays = [entry(1, "room_started")], {}
    for seq in range(2, steps + 2):
        person = chance.choice(PEOPLE)
        stay = stays.get(person)
        if stay is None:
            kind, stays[person] = "participant_joined", [float(seq), None]
        elif stay[1] is None:
            kind, stay[1] = chance.choice(["participant_left", "participant_moved_out"]), float(seq)
        else:
            kind, stay[1] = "participant_moved_in", None
        log.append(entry(seq, kind, person))
    return log, stays


async def test_the_batches_do_not_matter(store):
    log, stays = lesson(40)
    expected = {
        Stay("RM_1", f"PA_{person}", person, person.title(), *times) for person, times in stays.items()
    }
    for size in (1, 3, 7, 100):
        copy = [LogEntry(f"RM_{size}", each.seq, each.kind, each.data, each.at) for each in log]
        for start in range(0, len(copy), size):
            await store.events.append(copy[start : start + size])
        found = await store.sessions.stays(f"RM_{size}")
        assert {(stay.identity, stay.joined_at, stay.left_at) for stay in found} == {
            (stay.identity, stay.joined_at, stay.left_at) for stay in expected
        }
