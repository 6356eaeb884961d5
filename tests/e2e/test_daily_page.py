"""Rooms embedded by Daily's unchanged browser SDK (npm `@daily-co/daily-js`, iframe mode)."""

import io

import aiohttp
import av
import pytest

from tests.e2e.conftest import eventually, serving
from tests.e2e.embedding import VERSIONS, school, visitor
from tests.e2e.native import Viewer, joined, publishing
from tests.e2e.test_page import frames_grow

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def site():
    async with school() as address:
        yield address


class Application:
    """What an application's backend does, by Daily's REST API."""

    def __init__(self, server, http):
        self.server = server
        self.http = http

    async def ask(self, method, path, body=None):
        headers = {"Authorization": "Bearer secret"}  # the secret of the development key
        async with self.http.request(
            method, f"{self.server.page}/v1{path}", json=body, headers=headers
        ) as answer:
            content = await answer.json()
            assert answer.status == 200, content
            return content

    async def room(self, **room):
        properties = {"enable_prejoin_ui": False, **room.pop("properties", {})}
        made = await self.ask("POST", "/rooms", {"name": "maths", **room, "properties": properties})
        assert made["url"].endswith("/maths")
        return f"{self.server.page}/maths"

    async def token(self, **properties):
        properties = {"room_name": "maths", **properties}
        return (await self.ask("POST", "/meeting-tokens", {"properties": properties}))["token"]


@pytest.fixture
async def application(server):
    async with aiohttp.ClientSession() as http:
        yield Application(server, http)


@pytest.mark.parametrize(
    "version",
    [VERSIONS[0], *(pytest.param(each, marks=pytest.mark.long) for each in VERSIONS[1:-1]), VERSIONS[-1]],
)
async def test_two_pages_meet(application, chromium, site, version):
    room = await application.room(privacy="private")
    tutor, student = await visitor(chromium, site, version), await visitor(chromium, site, version)
    ada = await tutor.join(
        room, token=await application.token(user_name="Ada", is_owner=True, user_id="teacher-1")
    )
    assert (ada["user_name"], ada["owner"], ada["user_id"]) == ("Ada", True, "teacher-1")
    ben = await student.join(room, token=await application.token(user_name="Ben"))
    assert (ben["user_name"], ben["owner"], ben["user_id"]) == ("Ben", False, ben["session_id"])

    await tutor.event("participant-joined")
    for who, other in ((tutor, ben), (student, ada)):
        await who.sees(other["session_id"], "video", "playable")
        await frames_grow(who.frame, "camera")
    assert await student.call("call.meetingState()") == "joined-meeting"

    await tutor.call("call.setLocalVideo(false) && null")
    await student.sees(ada["session_id"], "video", "off")

    await tutor.call("call.leave()")
    assert await tutor.call("call.meetingState()") == "left-meeting"
    await student.event("participant-left")
    await student.call("call.destroy()")
    assert await student.call("call.isDestroyed()")
    assert tutor.problems == student.problems == []


@pytest.fixture
async def lesson(application, chromium, site):
    """Ada, an owner, and Ben in a private room."""
    room = await application.room(privacy="private", properties={"enable_chat": True})
    tutor, student = await visitor(chromium, site), await visitor(chromium, site)
    frame = {"showLeaveButton": True, "theme": {"colors": {"accent": "#aa3366"}}}
    token = await application.token(user_name="Ada", is_owner=True)
    ada = await tutor.join(room, token=token, frame=frame)
    ben = await student.join(room, token=await application.token(user_name="Ben"), frame=frame)
    await tutor.sees(ben["session_id"], "audio", "playable")
    yield tutor, ada["session_id"], student, ben["session_id"]
    assert tutor.problems == student.problems == []


async def test_people_talk_and_change_themselves(lesson, application):
    tutor, ada, student, ben = lesson
    assert await tutor.call("call.participantCounts()") == {"present": 2, "hidden": 0}
    assert await tutor.call("call.accessState === undefined") is False
    await student.call("call.sendAppMessage({hand: 'up'}) && null")
    assert (await tutor.event("app-message", fromId=ben))["data"] == {"hand": "up"}
    await tutor.call("call.sendAppMessage({hand: 'seen'}, args[0]) && null", ben)
    assert (await student.event("app-message", fromId=ada))["data"] == {"hand": "seen"}
    await application.ask("POST", "/rooms/maths/send-app-message", {"data": {"from": "school"}})
    assert (await student.event("app-message", fromId=""))["data"] == {"from": "school"}
    assert (await student.call("call.setUserName('Benjamin')"))["userName"] == "Benjamin"
    assert (await student.call("call.setUserData({seat: 4})"))["userData"] == {"seat": 4}

    async def changed():
        person = (await tutor.call("call.participants()"))[ben]
        return (person["user_name"], person.get("userData")) == ("Benjamin", {"seat": 4})

    await eventually(changed, "Ada's page shows Ben's new name and data")
    room = await student.call("call.room()")
    assert (room["name"], room["config"]["enable_chat"]) == ("maths", True)
    summary = await student.call("call.meetingSessionSummary()")
    assert summary["id"]
    presence = await application.ask("GET", "/rooms/maths/presence")
    assert {person["id"] for person in presence["data"]} == {ada, ben}


async def test_an_owner_mutes_changes_permissions_and_ejects(lesson):
    tutor, ada, student, ben = lesson
    await student.call("call.updateParticipant(args[0], {setAudio: false}) && null", ada)
    await student.frame.get_by_test_id("notice").wait_for()
    await tutor.call("call.updateParticipant(args[0], {setAudio: false}) && null", ben)
    await tutor.sees(ben, "audio", "off")
    await student.sees("local", "audio", "off")
    await student.call("call.setLocalAudio(true) && null")
    await tutor.sees(ben, "audio", "playable")
    await tutor.call(
        "call.updateParticipants({'*': {updatePermissions: {canSend: new Set(['audio'])}}}) && null"
    )
    await tutor.sees(ben, "video", "off")
    assert await tutor.call("[...call.participants()[args[0]].permissions.canSend]", ben) == ["audio"]
    await tutor.call("call.updateParticipant(args[0], {updatePermissions: {canAdmin: true}}) && null", ben)

    async def administers():
        return (await student.call("call.participants().local.permissions.canAdmin")) is True

    await eventually(administers, "Ben's page knows that he may administer")
    # Somebody with the right, but no owner, cannot send an owner out.
    await student.call("call.updateParticipant(args[0], {eject: true}) && null", ada)
    await tutor.call("call.updateParticipant(args[0], {eject: true}) && null", ben)
    assert (await student.event("error"))["error"]["type"] == "ejected"
    await student.event("left-meeting")
    await student.frame.get_by_test_id("over").get_by_text("You were removed").wait_for()
    assert await student.call("call.meetingState()") == "error"
    await tutor.event("participant-left")
    assert await tutor.call("call.meetingState()") == "joined-meeting"


async def test_a_screen_is_shared_from_the_page_and_from_the_frame(lesson):
    tutor, ada, student, _ = lesson
    await tutor.frame.get_by_test_id("toggle-screen").click()
    await tutor.event("local-screen-share-started")
    await student.sees(ada, "screenVideo", "playable")
    await frames_grow(student.frame, "screen_share")
    await tutor.call("call.stopScreenShare() && null")
    await tutor.event("local-screen-share-stopped")
    await student.sees(ada, "screenVideo", "off")
    await tutor.call("call.startScreenShare() ?? null")
    await student.sees(ada, "screenVideo", "playable")


async def test_what_is_said_of_the_network_and_the_devices(lesson):
    tutor, *_ = lesson

    async def figures():
        stats = await tutor.call("call.getNetworkStats()")
        latest = stats["stats"]["latest"]
        return stats if latest.get("videoSendBitsPerSecond") and latest["audioRecvBitsPerSecond"] else None

    stats = await eventually(figures, "figures of the network")
    assert stats["networkState"] in {"good", "warning", "bad"}
    assert 0 <= stats["stats"]["latest"]["networkRoundTripTime"] < 5
    assert stats["stats"]["worstVideoSendPacketLoss"] >= 0
    devices = (await tutor.call("call.enumerateDevices()"))["devices"]
    assert {"videoinput", "audioinput"} <= {device["kind"] for device in devices}
    assert (await tutor.call("call.getInputDevices()"))["camera"]["deviceId"]
    mic = next(d["deviceId"] for d in reversed(devices) if d["kind"] == "audioinput")
    chosen = await tutor.call("call.setInputDevicesAsync({audioDeviceId: args[0]})", mic)
    assert chosen["mic"]["deviceId"] == mic
    assert "device" in await tutor.call("call.cycleMic()")
    assert await tutor.call("call.getNetworkTopology()") == {"topology": "sfu"}
    assert (await tutor.call("call.getCpuLoadStats()"))["cpuLoadState"] in {"low", "high"}
    settings = {"video": "bandwidth-optimized"}
    assert await tutor.call("call.updateSendSettings(args[0])", settings) == settings
    await tutor.event("send-settings-updated")
    await tutor.call("call.setBandwidth({kbs: 200}) && null")
    await tutor.call("call.startRemoteParticipantsAudioLevelObserver(100)")
    await tutor.event("remote-participants-audio-level")


async def test_an_application_decides_how_the_page_looks(lesson):
    tutor, ada, student, ben = lesson
    frame = tutor.frame
    colour = "getComputedStyle(document.documentElement).getPropertyValue('--accent')"
    assert await frame.evaluate(colour) == "#aa3366"
    await tutor.call("call.setTheme({colors: {accent: '#112233'}}).then(() => null)")
    await eventually(lambda: _is(frame.evaluate(colour), "#112233"), "the frame has the new colour")
    await tutor.call("call.setShowLocalVideo(false) && null")
    own = frame.locator(f"[data-testid=tile][data-identity='{ada}']")
    await own.wait_for(state="detached")
    await tutor.call("call.setShowLocalVideo(true) && null")
    await own.wait_for()
    await tutor.call("call.setActiveSpeakerMode(true) && null")
    await tutor.event("active-speaker-mode-change", enabled=True)
    await tutor.call("call.setSidebarView('people') && null")
    await frame.get_by_test_id("people-panel").wait_for()
    await tutor.event("sidebar-view-changed", view="people")
    assert await tutor.call("call.getSidebarView()") == "people"
    await tutor.call("call.setActiveSpeakerMode(false) && null")
    await frame.locator(".stage-grid").wait_for()
    pin = frame.locator(f"[data-testid=person][data-identity='{ben}']").get_by_test_id("pin-person")
    await pin.click()
    await frame.locator(f".stage > [data-identity='{ben}']").wait_for()
    await pin.click()
    await frame.locator(".stage-grid").wait_for()
    await frame.get_by_test_id("toggle-people").click()
    await tutor.event("sidebar-view-changed", view=None)
    button = {"help": {"iconPath": "https://school.example/i.png", "label": "Help", "tooltip": "Call us"}}
    await tutor.call("call.updateCustomTrayButtons(args[0]) && null", button)
    await frame.get_by_test_id("tray-help").click()
    await tutor.event("custom-button-click", button_id="help")
    await tutor.call("call.loadCss({cssText: '.lesson-header { display: none }'}) && null")
    await frame.locator(".lesson-header").wait_for(state="hidden")
    assert (await tutor.call("call.getDailyLang()"))["lang"] == "en"

    await student.call("call.sendAppMessage(args[0]) && null", chat_message("From outside"))
    await frame.get_by_test_id("toggle-chat").click()
    await frame.get_by_test_id("chat-line").get_by_text("From outside").wait_for()
    await frame.get_by_test_id("chat-input").fill("From inside")
    await frame.get_by_test_id("chat-send").click()
    said = await student.event("app-message", fromId=ada)
    assert (said["data"]["event"], said["data"]["message"]) == ("chat-msg", "From inside")

    await frame.get_by_test_id("leave").click()
    await tutor.event("left-meeting")
    await student.event("participant-left")
    assert ben in {person["session_id"] for person in (await student.call("call.participants()")).values()}


def chat_message(text):
    return {"event": "chat-msg", "message": text, "name": "Ben", "date": "2026-11-21T09:00:00Z"}


async def _is(answer, expected):
    return await answer == expected


async def test_somebody_with_a_livekit_client_is_in_the_same_room(application, server, chromium, site):
    room = await application.room(privacy="private", properties={"enable_chat": True})
    tutor = await visitor(chromium, site)
    ada = await tutor.join(room, token=await application.token(user_name="Ada"))
    lee = await joined(server, "lee")
    viewer = Viewer(lee)
    async with publishing(lee):
        seen = await tutor.sees("lee", "video", "playable")
        assert (seen["user_name"], seen["user_id"], seen["owner"]) == ("Lee", "lee", False)
        await tutor.event("active-speaker-change", activeSpeaker={"peerId": "lee"})
        await tutor.call("call.setActiveSpeakerMode(true) && null")
        await tutor.frame.locator(".stage > [data-identity='lee']").wait_for()
        await eventually(lambda: viewer.frames >= 5, "Lee decodes Ada's picture")
        assert lee.remote_participants[ada["session_id"]].name == "Ada"
    await lee.disconnect()
    await tutor.event("participant-left")


async def test_whoever_allows_no_camera_is_in_without_one(application, chromium, site):
    room = await application.room(privacy="public")
    ada = await visitor(chromium, site, permissions=[])
    me = await ada.join(room, userName="Ada")
    assert me["user_name"] == "Ada"
    refused = await ada.event("camera-error")
    assert (refused["error"]["type"], refused["error"]["blockedBy"]) == ("permissions", "user")
    blocked = await ada.sees("local", "video", "blocked")
    assert blocked["tracks"]["video"]["blocked"] == {"byPermissions": True}
    assert blocked["tracks"]["audio"]["state"] == "blocked"


async def test_an_owner_records_the_meeting_and_gets_one_file(chromium, site, tmp_path):
    options = ("--recordings", str(tmp_path), "--recordings-reserve-mb", "0", "--workers", "1")
    async with serving(*options) as server, aiohttp.ClientSession() as http:
        application = Application(server, http)
        room = await application.room(privacy="private")
        tutor, student = await visitor(chromium, site), await visitor(chromium, site)
        await tutor.join(room, token=await application.token(is_owner=True, user_name="Ada"))
        await student.join(room, token=await application.token(user_name="Ben"))
        await student.call("call.startRecording() ?? null")
        await student.event("recording-error")
        await tutor.call("call.startRecording({type: 'cloud'}) ?? null")
        for person in (tutor, student):
            await person.event("recording-started")
            await person.frame.get_by_test_id("recording").wait_for()

        def octets():
            return sum(path.stat().st_size for path in tmp_path.rglob("*.webm"))

        await eventually(lambda: octets() > 200_000, "some seconds have been recorded")
        await tutor.call("call.stopRecording() ?? null")
        await student.event("recording-stopped")

        async def finished():
            [made] = (await application.ask("GET", "/recordings?room_name=maths"))["data"]
            assert made["status"] != "canceled"
            return made if made["status"] == "finished" else None

        made = await eventually(finished, "the file is composed")
        assert made["max_participants"] == 2
        link = await application.ask("GET", f"/recordings/{made['id']}/access-link")
        async with http.get(link["download_link"]) as answer:
            film = await answer.read()
        with av.open(io.BytesIO(film)) as container:
            names = [stream.codec_context.name for stream in container.streams]
            assert names == ["h264", "aac"]
            assert sum(1 for _ in container.decode(video=0)) > 10


async def test_what_is_not_offered_is_said_plainly(lesson):
    tutor, *_ = lesson
    await tutor.call("call.startRecording() ?? null")
    assert "recording" in (await tutor.event("recording-error"))["errorMsg"]
    await tutor.call("call.startTranscription() ?? null")
    await tutor.event("transcription-error")
    await tutor.call("call.startLiveStreaming({rtmpUrl: 'rtmp://x'}) ?? null")
    await tutor.event("live-streaming-error")
    refused = await tutor.call("call.setNetworkTopology({topology: 'peer'}).catch((e) => e.error)")
    assert "sfu" in refused


async def test_a_reload_of_the_frame_keeps_the_token_that_the_address_lost(application, chromium):
    room = await application.room(privacy="private")
    context = await chromium.new_context(permissions=["camera", "microphone"])
    page = await context.new_page()
    token = await application.token(user_name="Ada")
    await page.goto(f"{room}?t={token}")
    await page.get_by_test_id("meeting").wait_for()
    assert page.url == room
    assert token not in await page.evaluate("JSON.stringify({...localStorage})")
    await page.reload()
    await page.get_by_test_id("meeting").wait_for()
    await page.get_by_test_id("leave").click()
    await page.get_by_test_id("again").click()
    await page.get_by_test_id("meeting").wait_for()
    # in another tab the link alone opens nothing
    other = await context.new_page()
    await other.goto(room)
    await other.get_by_test_id("over").get_by_text("You may not enter").wait_for()


@pytest.mark.parametrize(
    ("room", "token", "kind"),
    [
        ({"properties": {"nbf": 4_000_000_000}}, {}, "nbf-room"),
        ({"privacy": "private"}, None, "not-allowed"),
        (None, None, "no-room"),
    ],
)
async def test_refusals_reach_the_application_and_its_user(application, chromium, site, room, token, kind):
    url = await application.room(**room) if room is not None else f"{application.server.page}/maths"
    token = await application.token(**token) if token is not None else None
    ada = await visitor(chromium, site)
    await ada.call("create(args[0])", {"url": url})
    properties = {} if token is None else {"token": token}
    refused = await ada.call("call.join(args[0]).catch((error) => error)", properties)
    assert (refused["error"]["type"], await ada.call("call.meetingState()")) == (kind, "error")
    assert refused["errorMsg"]
    await ada.frame.get_by_test_id("over").wait_for()


async def test_somebody_knocks_in_a_frame_and_an_owner_opens(application, chromium, site):
    room = await application.room(privacy="private", properties={"enable_knocking": True})
    tutor, guest = await visitor(chromium, site), await visitor(chromium, site)
    await tutor.join(room, token=await application.token(user_name="Ada", is_owner=True))
    await guest.call("create(args[0])", {"url": room, "userName": "Cleo"})
    await guest.call("void call.join()")
    await guest.frame.get_by_test_id("knocking").wait_for()
    await guest.event("access-state-updated")
    await tutor.frame.get_by_test_id("waiting-people").get_by_text("Cleo").wait_for()
    await tutor.frame.get_by_test_id("admit").click()
    await guest.event("joined-meeting")
    await tutor.event("participant-joined")
