import pytest

from signaling.daily.rest.domains import Domains
from signaling.daily.rooms import DailyRooms


@pytest.fixture
def built(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("the lesson's page")
    (tmp_path / "sessions.html").write_text("the home page")
    (tmp_path / "room.html").write_text("the room's page")
    monkeypatch.setattr("signaling.app.find_page", lambda: tmp_path)


async def ask(world, path):
    async with world.http.get(world.url + path) as answer:
        return answer.status, answer.headers, await answer.text()


async def test_a_room_has_a_page_that_other_sites_may_frame(built, world):
    rooms = DailyRooms(world.server.store, world.server.services.rooms)
    await rooms.create(next(iter(Domains({"devkey": "secret"}))), "maths", "public", {}, 0.0)
    status, headers, text = await ask(world, "/maths?t=abc&emb=1")
    assert (status, text) == (200, "the room's page")
    assert "frame-ancestors *" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in headers
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["Referrer-Policy"] == "no-referrer"


async def test_a_room_that_is_not_there_says_so_on_its_page(built, world):
    status, headers, text = await ask(world, "/nowhere")
    assert (status, text) == (404, "the room's page")
    assert "frame-ancestors *" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(("path", "page"), [("/", "the home page"), ("/join/maths", "the lesson's page")])
async def test_the_other_pages_are_framed_by_nobody(built, world, path, page):
    status, headers, text = await ask(world, path)
    assert (status, text) == (200, page)
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


async def test_without_a_built_page_there_is_none(world, monkeypatch, tmp_path):
    monkeypatch.setattr("signaling.app.find_page", lambda: tmp_path)
    status, _, _ = await ask(world, "/maths")
    assert status == 404
