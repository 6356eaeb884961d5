"""Files of libraries: kept with a tutor, copied into sessions, bounded like the files of sessions."""

import io

import pytest

from classroom import limits
from signaling.errors import StoreError
from signaling.sessions_api.desk import Desk
from tests.signaling.session_files import PDF, PNG, Files, on_disk


async def add(caller, content, name, status=201, **query):
    headers = {"Authorization": f"Bearer {caller.token}"}
    url, query = f"{caller.url}/api/v1/library/files", {"name": name, **query}
    async with caller.http.post(url, data=content, params=query, headers=headers) as response:
        answer = await response.json(content_type=None)
        assert response.status == status, answer
        return answer["id"] if status == 201 else answer["code"]


async def load(caller, file, status=200, query=""):
    headers = {"Authorization": f"Bearer {caller.token}"}
    url = f"{caller.url}/api/v1/library/files/{file}{query}"
    async with caller.http.get(url, headers=headers) as response:
        assert response.status == status, await response.text()
        return await response.read(), response.headers


def exercise(file):
    return {"content": {"kind": "exercise", "title": "Sums", "file": file}}


async def test_a_file_is_copied_into_a_session_with_its_exercise(school, world):
    tutor, session = school.person("tutor", "tutor"), await school.lesson()
    sheet = await add(tutor, PDF, "sheet.pdf")
    assert (await load(tutor, sheet))[0] == PDF
    item = (await tutor.post("/library", exercise(sheet), 201))["id"]
    sam = school.person("sam")
    await sam.post(f"/sessions/{session}/join")
    used = await tutor.post(f"/sessions/{session}/from-library", {"item": item, "assign": True}, 201)
    (mine,) = (await sam.get(f"/sessions/{session}/exercises"))["mine"]
    detail = await sam.get(f"/sessions/{session}/exercises/{mine['exercise']}")
    (copied,) = used["files"]
    assert detail["exercise"]["file"] == copied
    refused = await tutor.call("DELETE", f"/library/files/{sheet}", status=409)
    assert refused["code"] == "file_in_use"
    await tutor.call("DELETE", f"/library/{item}")
    await tutor.call("DELETE", f"/library/files/{sheet}")
    content, headers = await Files(school, session).load(sam, copied)
    assert content == PDF
    assert headers["Content-Disposition"].startswith('attachment; filename="sheet.pdf"')
    assert len(on_disk(world)) == 1


async def test_the_application_puts_files_into_a_session_for_its_owner(school):
    tutor, session = school.person("tutor", "tutor"), await school.lesson(live=False)
    item = (await tutor.post("/library", exercise(await add(tutor, PNG, "a.png"))))["id"]
    body = {"item": item, "owner": "tutor"}
    (copied,) = (await school.application.post(f"/sessions/{session}/from-library", body, 201))["files"]
    (listed,) = (await school.application.get(f"/sessions/{session}/files"))["files"]
    assert (listed["id"], listed["by"], listed["kind"]) == (copied, "tutor", "image/png")


async def test_files_and_exercises_of_others_are_not_found(school):
    tutor, eve = school.person("tutor", "tutor"), school.person("eve", "tutor")
    sheet = await add(tutor, PDF, "sheet.pdf")
    stranger = school.person("tutor", "tutor", tenant="other")
    for other in (eve, stranger):
        await load(other, sheet, 404)
        assert (await other.call("DELETE", f"/library/files/{sheet}", status=404))["code"] == "file_not_found"
        assert (await other.post("/library", exercise(sheet), 404))["code"] == "file_not_found"
        assert (await other.get("/library/files"))["data"] == []
    await load(eve, sheet, 403, "?owner=tutor")
    assert await add(school.person("sam"), PDF, "a.pdf", 403) == "not_allowed"
    assert await add(school.application, PDF, "a.pdf", 400) == "owner_missing"
    own = await add(school.application, PDF, "b.pdf", owner="tutor")
    listed = await tutor.get("/library/files")
    assert [each["id"] for each in listed["data"]] == [sheet, own]
    assert (listed["bytes"], listed["quota"]) == (2 * len(PDF), limits.LIBRARY_QUOTA)


REFUSED = [
    (b"PK\3\4" + bytes(30), "script.pdf", 400, "file_type_refused"),
    (PNG, "script.pdf", 400, "file_name_mismatch"),
    (b"<svg onload='alert(1)'/>", "a.svg", 400, "file_type_refused"),
    (b"<svg onload='alert(1)'/>", "a.txt", 400, "file_type_refused"),
    (PDF, "../../a.pdf", 400, "bad_text"),
    (io.BytesIO(bytes(limits.IMAGE_SIZE + 1)), "a.png", 413, "too_large"),
]


async def test_content_that_is_not_accepted_leaves_nothing(school, world):
    tutor = school.person("tutor", "tutor")
    for content, name, status, code in REFUSED:
        assert await add(tutor, content, name, status) == code, name
        assert on_disk(world) == [], name
    assert (await tutor.get("/library/files"))["data"] == []


@pytest.mark.parametrize(
    ("limit", "value", "status", "code"),
    [("LIBRARY_QUOTA", len(PDF) + 10, 413, "quota_exceeded"), ("LIBRARY_FILES", 1, 409, "too_many")],
)
async def test_a_library_has_a_quota(school, world, monkeypatch, limit, value, status, code):
    monkeypatch.setattr(limits, limit, value)
    tutor = school.person("tutor", "tutor")
    first = await add(tutor, PDF, "a.pdf")
    assert await add(tutor, PDF, "b.pdf", status) == code
    assert len(on_disk(world)) == 1
    await tutor.call("DELETE", f"/library/files/{first}")
    assert on_disk(world) == []
    await add(tutor, PDF, "b.pdf")


async def test_a_session_takes_all_files_of_a_set_or_none(school, world, monkeypatch):
    tutor, session = school.person("tutor", "tutor"), await school.lesson()
    sheets = [await add(tutor, PDF, f"{name}.pdf") for name in "ab"]
    items = [exercise(sheet)["content"] for sheet in sheets]
    item = (await tutor.post("/library", {"content": {"kind": "set", "title": "Both", "items": items}}))["id"]
    monkeypatch.setattr(limits, "PERSON_QUOTA", 2 * len(PDF) - 1)
    path = f"/sessions/{session}/from-library"
    assert (await tutor.post(path, {"item": item}, 413))["code"] == "quota_exceeded"
    assert len(on_disk(world)) == 2
    monkeypatch.setattr(limits, "PERSON_QUOTA", 2 * len(PDF))
    assert len((await tutor.post(path, {"item": item}, 201))["files"]) == 2


async def test_a_repetition_copies_each_file_once(school, world, monkeypatch):
    tutor, session = school.person("tutor", "tutor"), await school.lesson()
    item = (await tutor.post("/library", exercise(await add(tutor, PDF, "a.pdf"))))["id"]
    carry_out, count = Desk.carry_out, iter(range(9))

    async def breaks(*arguments):
        if next(count) == 1:
            raise StoreError("the disk is full")
        return await carry_out(*arguments)

    monkeypatch.setattr(Desk, "carry_out", breaks)
    path, body = f"/sessions/{session}/from-library", {"item": item}
    await tutor.post(path, body, 503, Idempotency_Key="k1")
    used = await tutor.post(path, body, 201, Idempotency_Key="k1")
    listed = (await tutor.get(f"/sessions/{session}/files"))["files"]
    assert [each["id"] for each in listed] == used["files"]
    assert len(on_disk(world)) == 2
    assert (await Files(school, session).load(tutor, used["files"][0]))[0] == PDF


async def test_erasure_deletes_a_tutors_files(school, world):
    await add(school.person("tutor", "tutor"), PDF, "a.pdf")
    exported = await school.application.get("/privacy/tutor")
    assert [each["name"] for each in exported["library_files"]] == ["a.pdf"]
    assert (await school.application.post("/privacy/tutor/erase"))["files"] == 1
    assert (await school.application.get("/library/files?owner=tutor"))["data"] == []
    assert on_disk(world) == []
