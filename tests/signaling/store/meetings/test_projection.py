import random
from dataclasses import replace

import pytest

from signaling.store import Attendance
from signaling.store.meetings import entries
from signaling.store.meetings.projection import _STEPS, _WITHOUT_EFFECT, fold
from tests.signaling.entries import finished, joined, left, log, logged, moved_in, moved_out, started

PEOPLE = ("ada", "ben")


def test_every_type_of_entry_has_an_effect_or_is_known_to_have_none():
    assert _STEPS.keys() | _WITHOUT_EFFECT == entries.TYPES
    assert not _STEPS.keys() & _WITHOUT_EFFECT


def test_one_who_joins_and_leaves_in_a_batch_is_one_row():
    changes = fold([logged(1, started()), logged(2, joined()), logged(3, left())])
    assert changes.begun["RM_1"]["ended_at"] is None
    (row,) = changes.arrived.values()
    assert (row["joined_at"], row["left_at"], row["user_id"]) == (2.0, 3.0, "")
    assert (changes.left, changes.ended) == ({}, {})


def test_what_began_before_the_batch_is_ended_by_it():
    changes = fold([logged(8, left()), logged(9, finished())])
    assert changes.left == {("RM_1", "PA_ada"): 8.0}
    assert changes.ended == {"RM_1": 9.0}
    assert (changes.begun, changes.arrived) == ({}, {})


def test_who_leaves_and_comes_back_has_not_left():
    changes = fold([logged(8, moved_out()), logged(9, moved_in())])
    assert changes.left == {}
    assert changes.arrived["RM_1", "PA_ada"]["left_at"] is None


def test_a_session_within_a_batch_is_one_row():
    changes = fold([logged(1, started()), logged(2, finished())])
    assert (changes.begun["RM_1"]["ended_at"], changes.ended) == (2.0, {})


def lesson(steps):
    """People come and go at random, each in turn; and what their stays have to be."""
    chance = random.Random(steps)
    happened, stays = [logged(1, started())], {}
    for seq in range(2, steps + 2):
        person = chance.choice(PEOPLE)
        stay = stays.get(person)
        if stay is None:
            happens, stays[person] = joined, [float(seq), None]
        elif stay[1] is None:
            happens, stay[1] = chance.choice([left, moved_out]), float(seq)
        else:
            happens, stay[1] = moved_in, None
        happened.append(logged(seq, happens(person)))
    return happened, stays


async def test_the_batches_do_not_matter(store):
    happened, stays = lesson(40)
    expected = {
        Attendance("RM_1", f"PA_{person}", person, person.title(), *times) for person, times in stays.items()
    }
    for size in (1, 3, 7, 100):
        copy = [replace(each, session_sid=f"RM_{size}") for each in happened]
        for start in range(0, len(copy), size):
            await store.events.append(copy[start : start + size])
        found = await store.sessions.stays(f"RM_{size}")
        assert {(stay.identity, stay.joined_at, stay.left_at) for stay in found} == {
            (stay.identity, stay.joined_at, stay.left_at) for stay in expected
        }


@pytest.mark.parametrize("batch", [1, 2, 5])
async def test_no_stay_outlasts_its_session(store, batch):
    lost = entries.Unstorable("participant_left")
    happened = log(started(), joined("ada"), joined("ben"), left("ben"), lost, finished())
    await store.events.append(log(started("logic"), joined("eve"), sid="RM_2"))
    for start in range(0, len(happened), batch):
        await store.events.append(happened[start : start + batch])
    stays = {stay.identity: stay.left_at for stay in await store.sessions.stays("RM_1", "RM_2")}
    assert stays == {"ada": 6.0, "ben": 4.0, "eve": None}
