import base64

import pypdfium2

from tests.signaling.pictures import picture
from tests.signaling.school_client import School
from tests.signaling.session_files import Files
from tests.signaling.teaching.boards.test_board_pdf import colour, image, item, picture_item, update


async def test_a_whiteboard_is_exported_for_those_who_see_it(school):
    session, tutor, sam = await school.lesson(), school.person("tutor", "tutor"), school.person("sam")
    path = f"/sessions/{session}/whiteboards"
    await sam.post(f"/sessions/{session}/join")
    assert (await sam.get(f"{path}.pdf", 404))["code"] == "page_not_found"
    for number in range(2):
        page = (await tutor.post(path))["id"]
        drawn = update(item("text", 100, 100, text=f"Page {number}"))
        await tutor.post(f"{path}/{page}/draw", {"update": base64.b64encode(drawn).decode()})
    url = f"{school.url}/api/v1{path}.pdf"
    async with school.http.get(url, headers={"Authorization": f"Bearer {sam.token}"}) as response:
        assert (response.status, response.content_type) == (200, "application/pdf")
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response.headers["Content-Disposition"] == 'attachment; filename="whiteboard.pdf"'
        document = pypdfium2.PdfDocument(await response.read())
    assert [page.get_textpage().get_text_range() for page in document] == ["Page 0", "Page 1"]
    eve = school.person("eve")
    assert (await eve.get(f"{path}.pdf", 404))["code"] == "session_not_found"


async def test_images_of_a_whiteboard_are_files_of_its_session_that_the_caller_may_load(school):
    session, other = await school.lesson(), await school.lesson()
    tutor, sam, eve = school.person("tutor", "tutor"), school.person("sam"), school.person("eve")
    far_school = School(school.http, school.url, tenant="other")
    far_session, far = await far_school.lesson(), far_school.person("tutor", "tutor")
    for each in (sam, eve):
        await each.post(f"/sessions/{session}/join")
    content = picture("PNG", (10, 10))
    files = [
        await Files(school, session).add(sam, content, "all.png"),
        await Files(school, session).add(sam, content, "staff.png", scope="staff"),
        await Files(school, other).add(tutor, content, "other.png"),
        await Files(far_school, far_session).add(far, content, "far.png"),
        await Files(school, session).add(tutor, picture("GIF"), "a.gif"),
    ]
    page = (await tutor.post(f"/sessions/{session}/whiteboards"))["id"]
    places = [picture_item(file, 100 * at, 0, 100 * at + 90, 90) for at, file in enumerate(files)]
    drawn = {"update": base64.b64encode(update(*places)).decode()}
    await tutor.post(f"/sessions/{session}/whiteboards/{page}/draw", drawn)

    async def shown(caller):
        url = f"{school.url}/api/v1/sessions/{session}/whiteboards.pdf"
        async with school.http.get(url, headers={"Authorization": f"Bearer {caller.token}"}) as response:
            found = image(pypdfium2.PdfDocument(await response.read()))
        return [colour(found, 100 * at + 45, 45) for at in range(len(files))]

    assert await shown(tutor) == ["red", "red", "", "", ""]
    assert await shown(eve) == ["red", "", "", "", ""]
    # The drawing outlives everybody's leaving, and so do the files.
    for each in (sam, eve):
        await each.post(f"/sessions/{session}/leave")
    await eve.post(f"/sessions/{session}/join")
    assert await shown(eve) == ["red", "", "", "", ""]


async def test_a_person_exports_a_few_boards_at_once(school, monkeypatch):
    async def export(_board):
        return b"%PDF"

    monkeypatch.setattr(school.world.server.teaching.board_exporter, "export", export)
    session, tutor = await school.lesson(), school.person("tutor", "tutor")
    await tutor.post(f"/sessions/{session}/whiteboards")
    path = f"/sessions/{session}/whiteboards.pdf"
    for _ in range(5):
        await tutor.get(path)
    await tutor.get(path, 429)
    assert int(tutor.headers["Retry-After"]) > 0
