"""The page of administrators in a browser: the server now, the event log, accounts, webhooks, audit."""

import pytest

from tests.e2e.conftest import person
from tests.e2e.test_session_home import is_accessible
from tests.e2e.test_session_page import sign_in, visitor
from tests.signaling.receiver import receiving

pytestmark = pytest.mark.timeout(120)


async def see_the_server(boss, chromium, server):
    """Somebody joins a room: it is in the list with their link, in the figures, and in the event log."""
    await person(chromium, server, "Ada <b>", "maths")
    await boss.get_by_test_id("admin-now").click()
    room = boss.locator('[data-testid=admin-room][data-name="maths"]')
    await room.locator("summary").click()
    await room.get_by_role("row").filter(has_text="Ada <b>").get_by_text("Good").wait_for()
    await boss.locator(".admin-chart polyline[points*=' ']").first.wait_for(state="attached")
    await is_accessible(boss)
    await boss.get_by_test_id("admin-log").click()
    await boss.locator('[data-testid=admin-meeting][data-room="maths"] summary').first.click()
    await boss.get_by_test_id("admin-entries").get_by_text("participant_joined").first.wait_for()


async def manage_people(boss, address):
    """An invitation gives a link; the account can be disabled; both are in the audit log."""
    await boss.get_by_test_id("admin-users").click()
    await boss.get_by_test_id("invite-email").fill(address)
    await boss.get_by_test_id("invite-name").fill("Grace")
    await boss.get_by_test_id("invite-role").select_option("tutor")
    await boss.get_by_test_id("invite-submit").click()
    user = boss.locator(f'[data-testid=admin-user][data-email="{address}"]')
    await user.get_by_text("invited").wait_for()
    assert "/sessions/password#invitation=" in await boss.get_by_test_id("invite-link").input_value()
    await user.get_by_test_id("user-toggle").click()
    await user.get_by_text("disabled").wait_for()
    await is_accessible(boss)
    await boss.get_by_test_id("admin-audit").click()
    await boss.get_by_test_id("audit-row").filter(has_text="user.invited").first.wait_for()


async def watch_webhooks(boss, tia, server):
    """A webhook that failed is shown with its answer, and sent again."""
    async with receiving() as receiver:
        receiver.answers = [500]
        await boss.get_by_test_id("admin-webhooks").click()
        await boss.get_by_test_id("hook-url").fill(receiver.url)
        await boss.get_by_test_id("hook-add").click()
        assert (await boss.get_by_test_id("hook-secret").input_value()).startswith("whsec_")
        await sign_in(tia, server, "Tia", "tutor")
        await tia.get_by_test_id("new-title").fill("Logic")
        await tia.get_by_test_id("new-start").click()
        await receiver.has(1)
        hook = boss.locator(f'[data-testid=hook][data-url="{receiver.url}"]')
        await hook.get_by_test_id("hook-deliveries").click()
        failed = hook.locator("[data-testid=attempt][data-result=failed]")
        await failed.get_by_text("500").wait_for()
        await hook.get_by_test_id("waiting").first.get_by_test_id("send-again").click()
        await receiver.has(2)
        first, second = (body for _, body in receiver.received[:2])
        assert first == second
        await is_accessible(boss)


async def test_an_administrator_watches_the_server(server, chromium):
    boss, tia = await visitor(chromium, 360), await visitor(chromium)
    await sign_in(boss, server, "Grete", "admin")
    await boss.get_by_test_id("admin-link").click()
    await see_the_server(boss, chromium, server)
    await manage_people(boss, f"grace-{server.http_port}@school.example")
    await watch_webhooks(boss, tia, server)
    await boss.get_by_test_id("admin-keys").click()
    await boss.get_by_test_id("admin-key").get_by_text("devkey").wait_for()
    assert boss.complaints == []
    await tia.goto(f"{server.page}/sessions/admin")
    await tia.get_by_role("heading", name="Hello, Tia").wait_for()
    assert await tia.get_by_test_id("admin-link").count() == 0
