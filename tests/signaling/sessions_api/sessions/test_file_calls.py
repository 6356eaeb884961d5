import asyncio
import hashlib
import re

from classroom import limits
from tests.signaling.pictures import png_bomb
from tests.signaling.school_client import eventually
from tests.signaling.session_files import PDF, PNG, Files, on_disk


async def test_a_file_comes_back_as_it_was_sent_but_never_as_a_page(school, lesson, world):
    files, tutor, sam = Files(school, lesson), school.person("tutor", "tutor"), school.person("sam")
    file = await files.add(tutor, PDF, "Übung 1.pdf")
    listed = (await sam.get(f"/sessions/{lesson}/files"))["files"][0]
    assert listed["id"] == file
    assert (listed["size"], listed["kind"]) == (len(PDF), "application/pdf")
    assert listed["digest"] == hashlib.sha256(PDF).hexdigest()
    content, headers = await files.load(sam, file, inline="true")
    assert content == PDF
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"] == (
        "attachment; filename=\"_bung_1.pdf\"; filename*=UTF-8''%C3%9Cbung%201.pdf"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Cache-Control"] == "private, no-cache"
    assert len(on_disk(world)) == 1
    image = await files.add(sam, PNG, "board.png")
    assert (await files.load(tutor, image, inline="true"))[1]["Content-Disposition"].startswith("inline;")
    assert (await files.load(tutor, image))[1]["Content-Disposition"].startswith("attachment;")


async def test_ranges_of_a_file(school, lesson):
    files, tutor = Files(school, lesson), school.person("tutor", "tutor")
    file = await files.add(tutor, PDF, "a.pdf")
    content, headers = await files.load(tutor, file, 206, {"Range": "bytes=10-19"})
    assert content == PDF[10:20]
    assert headers["Content-Range"] == f"bytes 10-19/{len(PDF)}"
    await files.load(tutor, file, 416, {"Range": f"bytes={len(PDF) + 1}-"})
    etag = headers["ETag"]
    await files.load(tutor, file, 304, {"If-None-Match": etag})


REFUSED = [
    (b"PK\3\4" + bytes(30), "script.pdf", 400, "file_type_refused"),
    (PNG, "script.pdf", 400, "file_name_mismatch"),
    (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.txt", 400, "file_type_refused"),
    (b"<svg onload='alert(1)'/>", "a.svg", 400, "file_type_refused"),
    (b"<svg onload='alert(1)'/>", "a.png", 400, "file_type_refused"),
    (PDF, "a.png", 400, "file_name_mismatch"),
    (b"\x89PNG\r\n\x1a\n" + bytes(1000), "a.png", 400, "file_type_refused"),
    (png_bomb(), "a.png", 413, "too_large"),
    (b"<html>", "a.html", 400, "file_type_refused"),
    (PDF, "../../a.pdf", 400, "bad_text"),
    (PDF, ".pdf", 400, "file_type_refused"),
    (PDF, "a\u202efdp.exe", 400, "file_type_refused"),
]


async def test_content_that_is_not_taken_is_refused_and_leaves_nothing(school, lesson, world):
    files = Files(school, lesson)
    for content, name, status, code in REFUSED:
        assert await files.add(school.person("tutor", "tutor"), content, name, status) == code, name
        assert on_disk(world) == [], name
    assert (await school.application.get(f"/sessions/{lesson}/files"))["files"] == []


async def test_a_file_is_refused_by_its_declared_length_before_it_is_read(school, lesson):
    """Otherwise each refusal would cost the network and the disk 100 MiB."""
    tutor = school.person("tutor", "tutor")
    host, port = re.fullmatch(r"http://(.+):(\d+)", school.url).groups()
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /api/v1/sessions/{lesson}/files?name=a.pdf HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tutor.token}"
    writer.write(f"{head}\r\nContent-Length: {limits.FILE_SIZE + 1}\r\n\r\n".encode())
    assert b" 413 " in await reader.readline()
    writer.close()

    async def chunks():
        yield PDF

    assert await Files(school, lesson).add(tutor, chunks(), "a.pdf", 411) == "length_required"


async def test_an_upload_that_is_cut_off_leaves_nothing(school, lesson, world):
    tutor = school.person("tutor", "tutor")
    host, port = re.fullmatch(r"http://(.+):(\d+)", school.url).groups()
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /api/v1/sessions/{lesson}/files?name=a.pdf HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tutor.token}"
    writer.write(f"{head}\r\nContent-Length: 100000\r\n\r\n%PDF-1.4".encode())
    uploads = world.server.teaching.files._uploads

    async def under_way():
        return uploads and on_disk(world)

    await eventually(under_way)
    writer.close()

    async def gone():
        return not uploads and not on_disk(world)

    await eventually(gone)


async def test_a_file_is_loaded_by_its_readers_alone(school, lesson):
    files, tutor = Files(school, lesson), school.person("tutor", "tutor")
    sam, eve, stranger = (school.person(name) for name in ("sam", "eve", "mallory"))
    private = await files.add(tutor, PDF, "for-sam.pdf", scope="person", target="sam")
    staff = await files.add(sam, PNG, "homework.png", scope="staff")
    assert [(await files.load(each, private))[0] for each in (tutor, sam)] == [PDF, PDF]
    assert [(await files.load(each, staff))[0] for each in (tutor, sam)] == [PNG, PNG]
    for file in (private, staff, "f_unknown"):
        await files.load(eve, file, 404)
        await files.load(stranger, file, 404)
        await files.load(school.person("sam", tenant="other"), file, 404)
    assert await files.add(stranger, PDF, "a.pdf", 403) == "not_a_participant"
    assert await files.add(school.application, PDF, "a.pdf", 403) == "not_allowed"


async def test_bytes_go_with_the_file_and_with_the_session(school, lesson, world):
    files, tutor, sam = Files(school, lesson), school.person("tutor", "tutor"), school.person("sam")
    first, second = await files.add(tutor, PDF, "a.pdf"), await files.add(sam, PNG, "b.png")
    await sam.call("DELETE", f"/sessions/{lesson}/files/{first}", status=403)
    await tutor.call("DELETE", f"/sessions/{lesson}/files/{first}")
    await files.load(tutor, first, 404)

    async def remaining(count):
        return len(on_disk(world)) == count

    await eventually(lambda: remaining(1))
    await files.load(tutor, second)
    await tutor.post(f"/sessions/{lesson}/end")
    await tutor.call("DELETE", f"/sessions/{lesson}")
    await eventually(lambda: remaining(0))


async def test_a_repeated_upload_is_one_file(school, lesson, world):
    files, tutor = Files(school, lesson), school.person("tutor", "tutor")
    key = {"Idempotency-Key": "upload-1"}
    assert await files.add(tutor, PDF, "a.pdf", headers=key) == await files.add(
        tutor, PDF, "a.pdf", headers=key
    )
    assert len(on_disk(world)) == 1


async def test_the_quota_of_a_person_counts_before_the_upload(school, lesson, monkeypatch):
    monkeypatch.setattr(limits, "PERSON_QUOTA", len(PDF) + 10)
    files, tutor = Files(school, lesson), school.person("tutor", "tutor")
    await files.add(tutor, PDF, "a.pdf")
    assert await files.add(tutor, PDF, "b.pdf", 413) == "quota_exceeded"
