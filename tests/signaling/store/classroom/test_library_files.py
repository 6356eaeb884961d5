from dataclasses import replace

from signaling.store.classroom.library_files import LibraryFile

FILE = LibraryFile("tutor", "lf_1", "a.pdf", "application/pdf", 7, "a" * 64, 5.0)


async def test_files_are_counted_and_added_once(store):
    files = store.classroom.of("north").library_files
    assert await files.usage("tutor") == (0, 0)
    for file in (FILE, FILE, replace(FILE, id="lf_2", size=3 * 2**30)):
        await files.add(file)
    assert await files.usage("tutor") == (2, 7 + 3 * 2**30)
    assert [each.id for each in await files.all("tutor")] == ["lf_1", "lf_2"]
    assert await files.get("tutor", "lf_1") == FILE


async def test_files_belong_to_one_tutor_of_one_tenant(store):
    files, south = store.classroom.of("north").library_files, store.classroom.of("south").library_files
    await files.add(FILE)
    assert [await files.all("eve"), await south.all("tutor"), await south.get("tutor", "lf_1")] == [
        [],
        [],
        None,
    ]
    assert not await south.delete("tutor", "lf_1")
    assert [await files.delete("tutor", "lf_1") for _ in range(2)] == [True, False]
    await files.add(FILE)
    assert [await files.erase(each) for each in ("eve", "tutor")] == [0, 1]


async def test_libraries_with_files_are_paged(store):
    for tenant, owner in (("a", "x"), ("a", "y"), ("b", "x")):
        for number in range(2):
            await store.classroom.of(tenant).library_files.add(replace(FILE, id=f"lf_{number}", owner=owner))
    first = await store.classroom.libraries(("", ""), 2)
    assert first == [("a", "x"), ("a", "y")]
    assert await store.classroom.libraries(first[-1], 2) == [("b", "x")]
