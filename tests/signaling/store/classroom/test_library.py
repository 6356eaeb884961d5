from dataclasses import replace

from signaling.store.classroom.library import Shelved

ITEM = Shelved("tutor", "li_1", "exercise", "Sums", 1, "{}", 5.0, 5.0)


async def test_items_are_paged_by_age_and_kind(store):
    shelf = store.classroom.of("north").library
    for number in range(5):
        kind = "poll" if number == 3 else "exercise"
        assert await shelf.add(replace(ITEM, id=f"li_{number}", kind=kind, created_at=number // 2), 5)
    first = await shelf.page("tutor", "", None, 2)
    rest = await shelf.page("tutor", "", (first[-1].created_at, first[-1].id), 9)
    assert [each.id for each in [*first, *rest]] == ["li_4", "li_3", "li_2", "li_1", "li_0"]
    assert [each.id for each in await shelf.page("tutor", "poll", None, 9)] == ["li_3"]
    assert await store.classroom.of("south").library.page("tutor", "", None, 9) == []
    assert await shelf.page("eve", "", None, 9) == []


async def test_a_library_has_a_limit_and_a_repeated_call_adds_once(store):
    shelf = store.classroom.of("north").library
    assert await shelf.add(ITEM, 1)
    assert await shelf.add(ITEM, 1)
    assert not await shelf.add(replace(ITEM, id="li_2"), 1)
    assert await shelf.add(replace(ITEM, id="li_2", owner="eve"), 1)


async def test_of_two_changes_of_one_version_the_first_holds(store):
    shelf = store.classroom.of("north").library
    await shelf.add(ITEM, 1)
    second = replace(ITEM, version=2, title="More sums")
    assert await shelf.change(second)
    assert not await shelf.change(replace(second, title="Other sums"))
    assert not await store.classroom.of("south").library.change(replace(second, version=3))
    assert await shelf.get("tutor", "li_1") == second


async def test_a_file_is_named_by_items_of_its_owner_alone(store):
    shelf = store.classroom.of("north").library
    named = '{"kind":"set","items":[{"kind":"exercise","text":"","file":"lf_1"}]}'
    quoted = '{"kind":"exercise","text":"\\"file\\":\\"lf_2\\"","file":""}'
    for number, data in enumerate((named, quoted)):
        await shelf.add(replace(ITEM, id=f"li_{number}", data=data), 9)
    assert [await shelf.is_named("tutor", each) for each in ("lf_1", "lf_2", "lf%1")] == [True, False, False]
    assert not await shelf.is_named("eve", "lf_1")
    assert not await store.classroom.of("south").library.is_named("tutor", "lf_1")


async def test_items_and_libraries_are_deleted(store):
    shelf = store.classroom.of("north").library
    for number in range(3):
        await shelf.add(replace(ITEM, id=f"li_{number}"), 9)
    assert not await store.classroom.of("south").library.delete("tutor", "li_0")
    assert [await shelf.delete("tutor", "li_0") for _ in range(2)] == [True, False]
    assert await shelf.erase("tutor") == 2
    assert await shelf.get("tutor", "li_1") is None
