"""The page of the REST API, in a real browser: it shows the description, and a call can be tried."""

from livekit import api

from tests.e2e.conftest import eventually


async def test_a_call_is_tried_on_the_page(server, chromium):
    page = await chromium.new_page()
    complaints, elsewhere = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: elsewhere.append(request.url))
    await page.goto(f"{server.page}/docs")
    await page.get_by_role("button", name="Authorize").click()
    grants = api.VideoGrants(room_list=True)
    token = api.AccessToken("devkey", "secret").with_identity("app").with_grants(grants).to_jwt()
    await page.locator(".auth-container input").fill(token)
    await page.locator(".auth-btn-wrapper .authorize").click()
    await page.locator(".btn-done").click()
    await page.locator('.opblock-tag[data-tag="LiveKit\'s server API"]').click()
    await page.locator(".opblock-summary-path[data-path$=ListRooms]").click()
    await page.get_by_role("button", name="Try it out").click()
    await page.locator(".body-param__text").fill("{}")
    await page.get_by_role("button", name="Execute").click()

    async def answered():
        return await page.locator(".live-responses-table .response-col_status").all_inner_texts()

    texts = await eventually(answered, "the answer")
    assert "200" in texts[-1]
    assert not [url for url in elsewhere if not url.startswith((f"{server.page}/", "data:"))]
    # the content security policy's, above all
    assert complaints == []
