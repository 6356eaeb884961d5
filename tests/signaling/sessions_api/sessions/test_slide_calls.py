import io

from PIL import Image

from tests.signaling.pdfs import pdf
from tests.signaling.session_files import PNG, Files, on_disk


async def test_a_pdf_becomes_slides_that_all_see_and_that_can_be_searched(school, lesson, world):
    files, tutor, sam = Files(school, lesson), school.person("tutor", "tutor"), school.person("sam")
    file = await files.add(tutor, pdf(["Groups", "Rings", "Fields"]), "algebra.pdf")
    deck = (await tutor.post(f"/sessions/{lesson}/slides/from-file", {"file": file}, 201))["id"]
    view = await sam.get(f"/sessions/{lesson}/slides")
    assert [(each["id"], each["title"], each["pages"]) for each in view["decks"]] == [
        (deck, "algebra.pdf", 3)
    ]
    await tutor.post(f"/sessions/{lesson}/slides/{deck}/go-to", {"page": 2})
    assert (await sam.get(f"/sessions/{lesson}/slides"))["decks"][0]["page"] == 2
    url = f"{school.url}/api/v1/sessions/{lesson}/slides/{deck}/pages/2"
    async with school.http.get(url, params={"access_token": sam.token}) as response:
        assert response.content_type == "image/webp"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert Image.open(io.BytesIO(await response.read())).size == (1600, 900)
    found = await sam.get(f"/sessions/{lesson}/slides/{deck}/text?q=rING")
    assert found["pages"] == [{"page": 2, "text": "Rings"}]
    assert len((await sam.get(f"/sessions/{lesson}/slides/{deck}/text"))["pages"]) == 3
    assert (await sam.get(f"/sessions/{lesson}/slides/{deck}/pages/4", 404))["code"] == "page_not_found"
    assert (await sam.get(f"/sessions/{lesson}/slides/{deck}/pages/0", 400))["code"] == "invalid"
    assert len(on_disk(world)) == 5
    await tutor.call("DELETE", f"/sessions/{lesson}/slides/{deck}")
    await sam.get(f"/sessions/{lesson}/slides/{deck}/pages/1", 404)
    await world.server.teaching.files.finish()
    assert len(on_disk(world)) == 1, "the PDF stays among the files"


async def test_what_is_refused_makes_no_deck(school, lesson, world):
    files, tutor, sam = Files(school, lesson), school.person("tutor", "tutor"), school.person("sam")
    good, picture = await files.add(tutor, pdf(["a"]), "a.pdf"), await files.add(tutor, PNG, "a.png")
    broken = await files.add(tutor, b"%PDF-1.7 bomb", "b.pdf")
    path = f"/sessions/{lesson}/slides/from-file"
    assert (await tutor.post(path, {"file": picture}, 400))["code"] == "bad_pdf"
    assert (await tutor.post(path, {"file": broken}, 400))["code"] == "bad_pdf"
    assert (await tutor.post(path, {"file": "f_unknown"}, 404))["code"] == "file_not_found"
    assert (await sam.post(path, {"file": good}, 403))["code"] == "not_allowed"
    secret = await files.add(sam, pdf(["a"]), "c.pdf", scope="person", target="tutor")
    assert (await school.person("eve").post(path, {"file": secret}, 404))["code"] == "file_not_found"
    assert (await tutor.get(f"/sessions/{lesson}/slides"))["decks"] == []
    assert len(on_disk(world)) == 4
    made = (await tutor.post(f"/sessions/{lesson}/slides", {"title": "x", "pages": 2, "file": "own"}, 201))[
        "id"
    ]
    assert (await tutor.get(f"/sessions/{lesson}/slides/{made}/text", 404))["code"] == "page_not_found"
