from dataclasses import replace

from signaling.store import Recording

FIRST = Recording("r1", "algebra", "RM_1", "in-progress", 5.0, None, {"tracks": []})


async def test_a_recording_is_added_brought_up_to_date_and_deleted(store):
    await store.recordings.add(FIRST)
    done = replace(FIRST, status="finished", ended_at=9.0, details={"tracks": ["a.opus"]})
    assert await store.recordings.replace(done)
    assert await store.recordings.get("r1") == done
    assert not await store.recordings.replace(replace(done, id="r2"))
    assert await store.recordings.get("r2") is None
    assert await store.recordings.delete("r1")
    assert not await store.recordings.delete("r1")


async def test_recordings_are_found_newest_first(store):
    for at, room in enumerate(["algebra", "logic", "algebra"], 1):
        await store.recordings.add(replace(FIRST, id=f"r{at}", room=room, started_at=float(at)))
    assert [each.id for each in await store.recordings.find()] == ["r3", "r2", "r1"]
    assert [each.id for each in await store.recordings.find("algebra")] == ["r3", "r1"]
    assert [each.id for each in await store.recordings.find(limit=1)] == ["r3"]
