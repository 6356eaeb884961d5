import asyncio
import gzip
import json
import time

import aiohttp
import pytest

from signaling.access import tokens
from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.http.headers import CONTENT_SECURITY_POLICY
from signaling.rooms.media import MediaEvents
from tests.signaling.fake_media import FakeMedia

LONG = {"key": "k" * 40}
SESSIONS = '<!doctype html><base href="/" /><meta name="lectern-refusal" content="" />sessions'
# What Chromium sends when a person opens an address.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A page as the build leaves it."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html>the page")
    (dist / "assets" / "app-1a2b.js").write_text("let x")
    (dist / "sessions.html").write_text(SESSIONS)
    (dist / "replay.html").write_text("<!doctype html>replay")
    (dist / "components.html").write_text("<!doctype html>all components")
    (dist / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (dist / "assets" / "link").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setattr("signaling.app.find_page", lambda: dist)
    return dist


@pytest.fixture
async def serve(store):
    servers = []
    async with aiohttp.ClientSession() as http:

        async def start(**config):
            events = MediaEvents()
            config = {"http_port": 0, "dev": True, "keys": dict(DEV_KEYS), **config}
            server = Server(
                ServerConfig(**config),
                FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon),
                events,
                store,
            )
            servers.append(server)
            await server.start()
            base = f"http://127.0.0.1:{server.http_port}"

            async def ask(path, method="GET", **kwargs):
                async with http.request(method, base + path, **kwargs) as response:
                    return response.status, response.headers, await response.text()

            ask.port = server.http_port
            return ask

        yield start
        for server in servers:
            await server.stop()


@pytest.mark.parametrize("path", ["/join/", "/join/maths", "/join/a%20room?x=1"])
async def test_the_page_is_there_under_a_strict_policy(serve, built, path):
    ask = await serve()
    status, headers, text = await ask(path)
    assert (status, text) == (200, "<!doctype html>the page")
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-cache"


async def test_the_address_itself_answers_health_checks_of_clients(serve, built):
    ask = await serve()
    status, headers, _ = await ask("/", "HEAD")
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == "*"


async def test_no_script_of_a_page_may_turn_text_into_markup_or_code(serve, built):
    ask = await serve()
    policy = (await ask("/"))[1]["Content-Security-Policy"]
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/sessions", "/sessions/ses_1", "/sessions/code/K7M4PQ"])
async def test_the_page_of_sessions_is_there_under_the_same_policy(serve, built, path):
    ask = await serve()
    status, headers, text = await ask(path)
    assert (status, text) == (200, SESSIONS)
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/recordings/rec_1/download?token=expired", 403, "bad_link"),
        ("/api/v1/sessions/ses_1", 401, "no_credentials"),
        ("/sessions/code/a/b", 404, "no_such_page"),
        ("/no/such/page", 404, "no_such_page"),
    ],
)
async def test_a_person_whose_link_is_refused_gets_a_page_that_says_why(serve, built, path, status, code):
    ask = await serve()
    found, headers, text = await ask(path, headers=BROWSER)
    assert (found, headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert text == SESSIONS.replace('content=""', f'content="{code}"')
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["Cache-Control"] == "no-store"


async def test_a_program_gets_the_refusal_itself(serve, built):
    ask = await serve()
    status, headers, text = await ask("/api/v1/sessions/ses_1")
    assert (status, headers["Content-Type"]) == (401, "application/problem+json")
    assert json.loads(text)["code"] == "no_credentials"
    assert (await ask("/no/such/page"))[::2] == (404, "not found")
    # a form of another site is no link, and this path takes none
    status, headers, _ = await ask("/api/v1/sessions/ses_1", "POST", headers=BROWSER)
    assert (status, headers["Content-Type"]) == (405, "application/problem+json")


async def test_a_page_of_a_refusal_finds_its_files_under_the_prefix_of_a_proxy(serve, built):
    ask = await serve(public_url="https://school.example/lectern")
    text = (await ask("/no/such/page", headers=BROWSER))[2]
    assert '<base href="/lectern/" />' in text


async def test_the_page_of_recordings_is_there_under_the_same_policy(serve, built):
    ask = await serve()
    status, headers, text = await ask("/replay/rec_1")
    assert (status, text) == (200, "<!doctype html>replay")
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


async def test_the_page_of_all_components_is_there_in_dev_mode_only(serve, built):
    ask = await serve()
    assert (await ask("/dev/components"))[::2] == (200, "<!doctype html>all components")
    assert (await ask("/components.html"))[0] == 404
    ask = await serve(dev=False, keys=LONG, host="127.0.0.1")
    assert (await ask("/dev/components"))[0] == 404


async def test_assets_are_cached_for_ever_and_other_files_are_not(serve, built):
    ask = await serve()
    status, headers, text = await ask("/assets/app-1a2b.js")
    assert (status, text) == (200, "let x")
    assert "immutable" in headers["Cache-Control"]
    assert "javascript" in headers["Content-Type"]
    assert (await ask("/icon.svg"))[1]["Cache-Control"] == "no-cache"


async def test_browsers_that_accept_gzip_get_scripts_compressed(serve, built):
    (built / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(b"let x"))
    ask = await serve()
    status, headers, text = await ask("/assets/app-1a2b.js", headers={"Accept-Encoding": "gzip"})
    assert (status, text, headers["Content-Encoding"]) == (200, "let x", "gzip")
    assert (headers["Vary"], "javascript" in headers["Content-Type"]) == ("Accept-Encoding", True)
    assert "immutable" in headers["Cache-Control"]
    status, headers, text = await ask("/assets/app-1a2b.js", headers={"Accept-Encoding": "identity"})
    assert (status, text, "Content-Encoding" in headers) == (200, "let x", False)


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/assets",
        "/assets/",
        "/assets/../../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/assets/link",
        "/a%00b",
        "/" + "a/" * 5000,
        "/" + "a" * 5000,
        "/%ff",
    ],
)
async def test_nothing_else_is_served(serve, built, path):
    ask = await serve()
    status, text = await raw(ask.port, path)
    assert status in {400, 404}, path[:40]
    assert "secret" not in text


async def raw(port, path):
    """A request whose path no client library has tidied."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    content = (await asyncio.wait_for(reader.read(), 5)).decode()
    writer.close()
    head, _, body = content.partition("\r\n\r\n")
    return int(head.split(" ")[1]), body


async def test_a_page_that_is_not_built_is_said_so(serve, monkeypatch):
    monkeypatch.setattr("signaling.app.find_page", lambda: None)
    ask = await serve()
    status, headers, text = await ask("/join/maths")
    assert status == 200
    assert "make setup" in text
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert (await ask("/assets/x.js"))[0] == 404


async def test_the_page_learns_what_it_is_served_by(serve):
    ask = await serve()
    status, _, text = await ask("/page/config")
    assert (status, json.loads(text)["dev"]) == (200, True)
    assert json.loads(text)["version"]
    ask = await serve(dev=False, keys=LONG, host="127.0.0.1")
    config = json.loads((await ask("/page/config"))[2])
    assert (config["dev"], config["oidc"], config["mail"]) == (False, False, False)
    provider = {"issuer": "https://school.example", "oidc_client_id": "lectern", "oidc_client_secret": "s"}
    ask = await serve(dev=False, keys=LONG, host="127.0.0.1", **provider)
    assert json.loads((await ask("/page/config"))[2])["oidc"] is True


async def test_in_dev_mode_the_page_gets_a_token(serve):
    ask = await serve()
    status, headers, text = await ask("/page/token", "POST", json={"room": "maths", "name": "Ada"})
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    body = json.loads(text)
    assert body["url"] == ""
    claims = tokens.verify(body["token"], DEV_KEYS, time.time())
    tokens.check_join(claims)
    assert (claims.room, claims.name) == ("maths", "Ada")
    again = json.loads((await ask("/page/token", "POST", json={"room": "maths"}))[2])
    assert tokens.verify(again["token"], DEV_KEYS, time.time()).identity != claims.identity


async def test_elsewhere_the_page_gets_none(serve):
    ask = await serve(dev=False, keys=LONG, host="127.0.0.1")
    status, _, text = await ask("/page/token", "POST", json={"room": "maths"})
    assert status == 403
    assert "error" in text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:7880"}, 200),
        ({"Host": "[::1]:7880"}, 200),
        ({"Host": "192.168.1.5:7880"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": "localhost:7880", "Origin": "http://localhost:7880"}, 200),
        ({"Host": "localhost:7880", "Origin": "http://localhost:3000"}, 403),
        ({"Host": "localhost:7880", "Origin": "https://evil.example"}, 403),
        ({"Host": "localhost:7880", "Origin": "null"}, 403),
    ],
)
async def test_other_sites_cannot_have_tokens_made(serve, headers, status):
    ask = await serve()
    assert (await ask("/page/token", "POST", json={"room": "maths"}, headers=headers))[0] == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"1",
        b'{"room": 1}',
        b'{"room": ""}',
        b'{"room": "r", "name": 1}',
        b'{"room": "\\ud800"}',
        b'{"room": "' + b"r" * 257 + b'"}',
        b"[" * 8000,
        b"\xff",
    ],
)
async def test_bad_token_requests_are_answered(serve, body):
    ask = await serve()
    status, _, text = await ask("/page/token", "POST", data=body)
    assert status == 400
    assert "error" in text
