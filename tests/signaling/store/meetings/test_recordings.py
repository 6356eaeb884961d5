from dataclasses import replace

import pytest

from signaling.errors import StoreError
from signaling.store import NewDelivery, Recording, WebhookEndpoint
from signaling.store.records import RecordingFilter

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


async def test_deliveries_are_stored_with_the_row_and_a_deleted_row_is_not_replaced(store):
    await store.endpoints.put(WebhookEndpoint("e1", "daily", "https://school.example", {}, 1.0))
    asked = []

    def deliveries(endpoints):
        asked.append([each.id for each in endpoints])
        return [NewDelivery("e1", "r1", "EV_1", "recording.started", "{}")]

    def failing(_endpoints):
        raise StoreError("for a test")

    with pytest.raises(StoreError):
        await store.recordings.add(FIRST, failing)
    assert await store.recordings.get("r1") is None
    await store.recordings.add(FIRST, deliveries, 3.0)
    assert (asked, await store.outbox.count()) == ([["e1"]], 1)
    assert await store.outbox.next_at("e1") == 3.0
    with pytest.raises(StoreError):
        await store.recordings.replace(replace(FIRST, status="finished"), failing)
    assert await store.recordings.get("r1") == FIRST
    gone = replace(FIRST, status="deleted")
    assert await store.recordings.replace(gone, deliveries, unless_status="deleted")
    assert not await store.recordings.replace(FIRST, deliveries, unless_status="deleted")
    assert await store.recordings.get("r1") == gone
    assert await store.outbox.count() == 2


async def test_recordings_are_found_newest_first(store):
    for at, room in enumerate(["algebra", "logic", "algebra"], 1):
        await store.recordings.add(replace(FIRST, id=f"r{at}", room=room, started_at=float(at)))
    assert [each.id for each in await store.recordings.find()] == ["r3", "r2", "r1"]
    assert [each.id for each in await store.recordings.find("algebra")] == ["r3", "r1"]
    assert [each.id for each in await store.recordings.find(limit=1)] == ["r3"]


async def test_pages_are_of_one_tenant_and_one_api(store):
    for at in range(1, 5):
        details = {"tenant": "school" if at < 4 else "other", "daily": {"type": "cloud"}}
        await store.recordings.add(replace(FIRST, id=f"r{at}", started_at=float(at), details=details))
    await store.recordings.add(replace(FIRST, id="r5", details={"tenant": "school"}))
    await store.recordings.add(replace(FIRST, id="r6", status="deleted", details=details))
    wanted = RecordingFilter("school", "daily", "deleted")
    rows = await store.recordings.page(wanted, 10)
    assert [each.id for each in rows] == ["r3", "r2", "r1"]
    assert await store.recordings.count(wanted) == 3
    assert await store.recordings.count(replace(wanted, room="logic")) == 0
    older = await store.recordings.page(replace(wanted, older_than=rows[0]), 1)
    newer = await store.recordings.page(replace(wanted, newer_than=rows[2]), 1, oldest=True)
    assert [each.id for each in (*older, *newer)] == ["r2", "r2"]
    assert [each.id for each in await store.recordings.page(wanted, 2, oldest=True)] == ["r2", "r1"]
