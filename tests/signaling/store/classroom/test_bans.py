from signaling.store.classroom.bans import Ban, ListedBan
from signaling.store.classroom.shelf import session_log
from tests.signaling.store.classroom.test_shelf import events, row


async def test_bans_are_put_replaced_and_lifted_with_events(store):
    shelf = store.classroom.of("north")
    log = session_log("ses_1")
    first, second = Ban("sam", "ses_1", 5.0), Ban("sam", "ses_1", 6.0, "Sam")
    await shelf.append(log, events(1, 1), row=row(), bans={"sam": first, "ben": None})
    await shelf.append(log, events(2, 2), row=row(), bans={"sam": second})
    assert await shelf.bans.list("tutor") == [ListedBan(second, "Algebra")]
    assert [await shelf.bans.has("tutor", each) for each in ("sam", "ben")] == [True, False]
    assert not await store.classroom.of("south").bans.has("tutor", "sam")
    assert not await store.classroom.of("south").bans.lift("tutor", "sam")
    await shelf.append(log, events(3, 3), row=row(), bans={"sam": None})
    assert await shelf.bans.list("tutor") == []


async def test_erasure_forgets_banned_people_and_renames_tutors(store):
    shelf = store.classroom.of("north")
    bans = {each: Ban(each, "ses_1", 5.0) for each in ("sam", "ben")}
    await shelf.append(session_log("ses_1"), events(1, 1), row=row(), bans=bans)
    await shelf.bans.erase("sam", "erased-1")
    await shelf.bans.erase("tutor", "erased-2")
    assert [each.ban.person for each in await shelf.bans.list("erased-2")] == ["ben"]
