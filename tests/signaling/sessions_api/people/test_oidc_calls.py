import aiohttp
import pytest

from signaling.sessions_api.people.oidc_calls import _pending_cookie
from signaling.sessions_api.people.sign_in_calls import session_cookie
from tests.signaling.oidc_provider import CLIENT, SECRET, running
from tests.signaling.school_world import serving


@pytest.fixture
async def provider():
    async with running() as provider:
        yield provider


@pytest.fixture
async def world(template, tmp_path, provider):
    options = {"issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    async with serving(template, tmp_path, **options) as world:
        yield world


@pytest.fixture
async def browser():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield http


async def test_a_person_comes_back_from_the_provider_signed_in(school, browser):
    api = f"{school.url}/api/v1"
    async with browser.get(f"{api}/oidc/sign-in", params={"return_to": "/api/v1/me"}) as response:
        # The whole round trip: to the provider, back to the callback, and on to the address that was wanted.
        assert [each.status for each in response.history] == [303, 302, 303]
        me = await response.json()
    assert (me["person"], me["name"], me["role"], me["tenant"]) == ("p-7", "Emmy", "tutor", "devkey")
    async with browser.post(f"{api}/sessions", json={"title": "Algebra"}) as response:
        assert response.status == 201
    async with browser.post(f"{api}/sign-out") as response:
        assert response.status == 200
    async with browser.get(f"{api}/me") as response:
        assert response.status == 401


async def test_a_callback_in_another_browser_is_refused(school, browser, provider):
    async with browser.get(f"{school.url}/api/v1/oidc/sign-in", allow_redirects=False) as response:
        location = response.headers["Location"]
        assert "HttpOnly; SameSite=Lax" in response.headers["Set-Cookie"]
    async with aiohttp.ClientSession() as victim:
        async with victim.get(location, allow_redirects=False) as response:
            callback = response.headers["Location"]
        async with victim.get(callback) as response:
            assert (response.status, (await response.json(content_type=None))["code"]) == (400, "bad_state")


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "x", "/a\r\nb", ""]
)
async def test_it_goes_on_at_a_path_of_this_server_alone(school, browser, path):
    async with browser.get(f"{school.url}/api/v1/oidc/sign-in", params={"return_to": path}) as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (400, "invalid")


async def test_somebody_without_a_role_is_not_signed_in(school, browser, provider):
    provider.person = {"sub": "p-8", "name": "Eve"}
    async with browser.get(f"{school.url}/api/v1/oidc/sign-in") as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (403, "no_role")
    assert "lectern_session" not in {cookie.key for cookie in browser.cookie_jar}


async def test_a_person_sees_a_page_in_place_of_a_problem(school, browser, provider):
    provider.person = {"sub": "p-8", "name": "Eve"}
    headers = {"Accept": "text/html,*/*;q=0.8"}
    async with browser.get(f"{school.url}/api/v1/oidc/sign-in", headers=headers) as response:
        assert (response.status, response.content_type) == (403, "text/html")


async def test_a_provider_that_refuses(school, browser, provider):
    provider.token_status = 500
    async with browser.get(f"{school.url}/api/v1/oidc/sign-in") as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (502, "provider_failed")


async def test_a_server_without_a_provider_has_no_such_route(template, tmp_path):
    async with (
        serving(template, tmp_path) as world,
        world.http.get(f"{world.url}/api/v1/oidc/sign-in") as response,
    ):
        assert response.status == 404


def test_cookies_are_for_this_servers_own_path_of_a_shared_host():
    assert "; Path=/; " in session_cookie("t", "https://school.example")
    assert "; Path=/lectern; " in session_cookie("t", "https://school.example/lectern")
    assert "; Path=/lectern/api/v1/oidc; " in _pending_cookie("t", "https://school.example/lectern")
    assert session_cookie("t", "https://school.example").endswith("; Secure")
    assert "Secure" not in session_cookie("t", "http://localhost:7880")
