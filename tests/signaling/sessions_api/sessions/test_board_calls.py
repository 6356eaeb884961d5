import base64

import pypdfium2

from tests.signaling.teaching.boards.test_board_pdf import item, update


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


async def test_a_person_exports_a_few_boards_at_once(school, monkeypatch):
    async def export(_pages):
        return b"%PDF"

    monkeypatch.setattr(school.world.server.teaching.board_exporter, "export", export)
    session, tutor = await school.lesson(), school.person("tutor", "tutor")
    await tutor.post(f"/sessions/{session}/whiteboards")
    path = f"/sessions/{session}/whiteboards.pdf"
    for _ in range(5):
        await tutor.get(path)
    await tutor.get(path, 429)
    assert int(tutor.headers["Retry-After"]) > 0
