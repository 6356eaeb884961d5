"""LiveKit's unchanged JavaScript SDK (npm `livekit-client`) in Chromium, without the page."""

import asyncio
from functools import partial
from pathlib import Path

import psutil
import pytest

from sfu.dataplane import library
from tests.e2e.conftest import cuttable, eventually, serving
from tests.sfu.stall import stalled
from tests.turn_config.coturn import free_port, machine_address, needs_coturn, running_coturn
from turn_config.coturn import TurnSettings

pytestmark = pytest.mark.timeout(180)

SDK = Path("web/node_modules/livekit-client/dist/livekit-client.esm.mjs")
E2EE_WORKER = SDK.with_name("livekit-client.e2ee.worker.mjs")
CLIENT = Path(__file__).with_name("client.js")
# Three simulcast layers from 960 pixels on; few frames, so that three browsers' encoders fit a small machine.
CAMERA = {"resolution": {"width": 960, "height": 540, "frameRate": 10}}
SMALL = {"resolution": {"width": 320, "height": 180, "frameRate": 10}}
SECRET = "k7Vb2mQx9TgYw4RzLc8NpHs5DfJa3EuK"
WIDTHS = {"LOW": 320, "MEDIUM": 640, "HIGH": 960}
QUALITY = "(quality) => publication('ada', 'camera').setVideoQuality(LiveKit.VideoQuality[quality])"


class Client:
    """The SDK in a page of its own."""

    def __init__(self, page):
        self.page = page

    async def do(self, script, argument=None):
        return await self.page.evaluate(script, argument)

    async def received(self, identity, source, field="frames"):
        stats = await self.do("([who, what]) => received(who, what)", [identity, source])
        return stats[field] if stats else 0

    async def keeps_growing(self, identity, source, field="frames", by=10):
        before = await self.received(identity, source, field)

        async def grown():
            return await self.received(identity, source, field) >= before + by

        await eventually(grown, f"{field} of {identity}'s {source} grow by {by}")

    async def events(self):
        return await self.do("() => window.events")

    async def happened(self, *names):
        async def all_there():
            seen = {event[0] for event in await self.events()}
            return seen >= set(names)

        await eventually(all_there, f"events {names}")


# A browser that cannot take a codec, as far as the other side can tell.
WITHOUT_CODEC = """(codec) => {
    const add = RTCPeerConnection.prototype.addTransceiver;
    RTCPeerConnection.prototype.addTransceiver = function (...arguments_) {
        const transceiver = add.apply(this, arguments_);
        if (arguments_[0] === 'video') {
            const { codecs } = RTCRtpReceiver.getCapabilities('video');
            const named = (one) => one.mimeType.toLowerCase() === `video/${codec}`;
            transceiver.setCodecPreferences(codecs.filter((one) => !named(one)));
        }
        return transceiver;
    };
}"""


async def open_page(
    browser, server, url=None, identity="ada", connect=None, passphrase="", without_codec="", **options
):
    """A page with the SDK that has joined; `options` are those of LiveKit's `Room`, `connect` those of joining."""
    context = await browser.new_context(permissions=["camera", "microphone"], bypass_csp=True)
    page = await context.new_page()
    if without_codec:
        await page.add_init_script(f"({WITHOUT_CODEC})('{without_codec}')")
    for name, file in ((SDK.name, SDK), (E2EE_WORKER.name, E2EE_WORKER), (CLIENT.name, CLIENT)):
        await page.route(f"**/{name}", partial(_serve, file))
    await page.goto(f"{server.page}/healthz")
    await page.add_script_tag(url="/client.js", type="module")
    await page.wait_for_function("() => window.ready")
    client = Client(page)
    client.sid = await client.do(
        "(given) => join(...given)",
        [url or server.url, server.token(identity), options, connect or {}, passphrase],
    )
    return client


async def _serve(file, route):
    await route.fulfill(path=file, content_type="text/javascript")


MODES = pytest.mark.parametrize("single", [True, False], ids=["one connection", "two connections"])


@MODES
async def test_a_lesson_with_all_that_the_sdk_does(server, chromium, single):
    ada = await open_page(chromium, server, identity="ada", singlePeerConnection=single)
    ben = await open_page(chromium, server, identity="ben", singlePeerConnection=single)
    await ada.do("(camera) => room.localParticipant.setCameraEnabled(true, camera)", CAMERA)
    await ada.do("() => room.localParticipant.setMicrophoneEnabled(true)")
    await ben.keeps_growing("ada", "camera")
    await ben.keeps_growing("ada", "microphone", "packets")
    await ben.keeps_growing("ada", "microphone", "energy", 0.000_01)  # Chromium's fake microphone beeps

    await ada.do("() => room.localParticipant.setMicrophoneEnabled(false)")

    async def muted():
        return await ben.do("() => publication('ada', 'microphone').isMuted")

    await eventually(muted, "ben sees the microphone muted")
    await ada.do("() => room.localParticipant.setMicrophoneEnabled(true)")
    await ben.keeps_growing("ada", "microphone", "packets")

    await ada.do("() => room.localParticipant.setName('Ada L')")
    await ada.do("() => room.localParticipant.setMetadata('tutor')")
    await ada.do("() => room.localParticipant.setAttributes({hand: 'up'})")
    profile = {"name": "Ada L", "metadata": "tutor", "attributes": {"hand": "up"}}

    async def told():
        return await ben.do("() => seen('ada')") == profile

    await eventually(told, "ben sees ada's profile")

    await ada.do("() => room.localParticipant.sendText('x'.repeat(50_000), {topic: 'chat'})")
    await ada.do("() => room.localParticipant.publishData(new TextEncoder().encode('hi'), {reliable: true})")
    await ben.happened("text", "data")
    assert ["text", "ada", 50_000] in await ben.events()
    assert ["data", "ada", "hi"] in await ben.events()
    await ben.do("() => room.localParticipant.registerRpcMethod('echo', async (d) => d.payload + '!')")
    call = (
        "() => room.localParticipant.performRpc({destinationIdentity: 'ben', method: 'echo', payload: 'yes'})"
    )
    assert await ada.do(call) == "yes!"

    await ada.do("() => room.disconnect()")

    async def alone():
        return await ben.do("() => room.remoteParticipants.size") == 0

    await eventually(alone, "ada has left")


@MODES
async def test_all_three_layers_arrive_and_a_subscriber_moves_between_them(server, chromium, single):
    ada = await open_page(chromium, server, identity="ada", singlePeerConnection=single)
    ben = await open_page(chromium, server, identity="ben", singlePeerConnection=single)
    await ada.do("(camera) => room.localParticipant.setCameraEnabled(true, camera)", CAMERA)
    await ben.keeps_growing("ada", "camera", by=1)

    async def all_sent():
        return all([(await ada.do("() => sent('camera')")).get(rid, 0) > 20 for rid in "qhf"])

    await eventually(all_sent, "three layers sent")
    for quality in ("LOW", "HIGH", "MEDIUM", "LOW", "MEDIUM", "HIGH"):
        await ben.do(QUALITY, quality)

        async def moved(width=WIDTHS[quality]):
            return await ben.received("ada", "camera", "width") == width

        await eventually(moved, f"ben receives {WIDTHS[quality]} pixels")
        await ben.keeps_growing("ada", "camera", by=5)


async def test_fewer_frames_a_second_can_be_had(server, chromium):
    ada = await open_page(chromium, server, identity="ada")
    ben = await open_page(chromium, server, identity="ben")
    await ada.do("(camera) => room.localParticipant.setCameraEnabled(true, camera)", CAMERA)
    await ben.keeps_growing("ada", "camera", by=30)

    async def frames_in_3_s():
        before = await ben.received("ada", "camera")
        await asyncio.sleep(3)  # a rate is what is looked for
        return await ben.received("ada", "camera") - before

    await ben.do("() => publication('ada', 'camera').setVideoFPS(5)")

    async def fewer():
        return 9 <= await frames_in_3_s() <= 20

    await eventually(fewer, "about half of 30 frames in three seconds")
    await ben.do("() => publication('ada', 'camera').setVideoFPS(30)")

    async def all_of_them():
        return await frames_in_3_s() >= 24

    await eventually(all_of_them, "all frames again")
    assert await ben.received("ada", "camera", "freezes_s") == 0


async def test_layers_that_nobody_wants_are_not_sent(server, chromium):
    ada = await open_page(chromium, server, identity="ada", dynacast=True)
    ben = await open_page(chromium, server, identity="ben")
    await ada.do("(camera) => room.localParticipant.setCameraEnabled(true, camera)", CAMERA)
    await ben.keeps_growing("ada", "camera", by=1)
    await ben.do(QUALITY, "LOW")

    async def only_the_lowest():
        before = await ada.do("() => sent('camera')")
        await ben.keeps_growing("ada", "camera", by=10)
        after = await ada.do("() => sent('camera')")
        return after["q"] > before["q"] and (after["h"], after["f"]) == (before["h"], before["f"])

    await eventually(only_the_lowest, "ada sends the lowest layer alone")
    await ben.do(QUALITY, "HIGH")

    async def moved():
        return await ben.received("ada", "camera", "width") == WIDTHS["HIGH"]

    await eventually(moved, "ben receives the highest layer again")
    await ben.do("() => room.disconnect()")

    async def nothing():
        before = await ada.do("() => sent('camera')")
        await asyncio.sleep(1)  # what is looked for is that nothing happens
        return await ada.do("() => sent('camera')") == before

    await eventually(nothing, "ada sends nothing when nobody is there")
    eve = await open_page(chromium, server, identity="eve")
    await eve.keeps_growing("ada", "camera")


# Scalability modes (W3C webrtc-svc) with three sizes in one stream, each half as wide as the next.
SVC_WIDTHS = {"LOW": 240, "MEDIUM": 480, "HIGH": 960}


@pytest.mark.parametrize(
    ("codec", "mode"),
    [
        ("vp9", "L3T3_KEY"),
        pytest.param("vp9", "L3T3", marks=pytest.mark.long),
        pytest.param("av1", "L3T3_KEY", marks=pytest.mark.long),
        pytest.param("av1", "L3T3", marks=pytest.mark.long),
    ],
)
async def test_a_subscriber_moves_between_the_layers_of_one_stream(server, chromium, codec, mode):
    ada = await open_page(chromium, server, identity="ada")
    ben = await open_page(chromium, server, identity="ben")
    options = {"videoCodec": codec, "scalabilityMode": mode, "backupCodec": False}
    await ada.do(
        "([camera, options]) => room.localParticipant.setCameraEnabled(true, camera, options)",
        [CAMERA, options],
    )
    await ben.keeps_growing("ada", "camera", by=1)
    for quality in ("HIGH", "MEDIUM", "LOW", "MEDIUM"):
        await ben.do(QUALITY, quality)

        async def moved(width=SVC_WIDTHS[quality]):
            return await ben.received("ada", "camera", "width") == width

        await eventually(moved, f"ben receives {SVC_WIDTHS[quality]} pixels")
        await ben.keeps_growing("ada", "camera", by=10)


@pytest.mark.parametrize(
    ("codec", "widths"),
    [("vp8", WIDTHS), pytest.param("vp9", SVC_WIDTHS, marks=pytest.mark.long)],
    ids=["vp8", "vp9"],
)
async def test_an_encrypted_camera_is_seen_in_each_size(server, chromium, codec, widths):
    ada, ben = [
        await open_page(chromium, server, identity=name, passphrase="a secret of the class")
        for name in ("ada", "ben")
    ]
    await ada.do(
        "([camera, options]) => room.localParticipant.setCameraEnabled(true, camera, options)",
        [CAMERA, {"videoCodec": codec}],
    )
    await ben.keeps_growing("ada", "camera")
    for quality in ("HIGH", "LOW", "MEDIUM"):
        await ben.do(QUALITY, quality)

        async def moved(width=widths[quality]):
            return await ben.received("ada", "camera", "width") == width

        await eventually(moved, f"ben receives {widths[quality]} pixels")
        await ben.keeps_growing("ada", "camera", by=5)
    # somebody without the secret gets the packets, and no picture
    eve = await open_page(chromium, server, identity="eve", passphrase="a guess")
    await eve.happened("encryptionError")
    assert await eve.received("ada", "camera") == 0


async def test_a_backup_codec_is_sent_to_those_alone_who_cannot_take_the_first(server, chromium):
    ada = await open_page(chromium, server, identity="ada", dynacast=True)
    ben = await open_page(chromium, server, identity="ben", without_codec="vp9")
    eve = await open_page(chromium, server, identity="eve")
    options = {"videoCodec": "vp9", "backupCodec": {"codec": "vp8"}}
    await ada.do(
        "([camera, options]) => room.localParticipant.setCameraEnabled(true, camera, options)",
        [CAMERA, options],
    )
    await eve.keeps_growing("ada", "camera")
    await ben.keeps_growing("ada", "camera")
    assert await eve.received("ada", "camera", "codec") == "video/VP9"
    assert await ben.received("ada", "camera", "codec") == "video/VP8"
    # the same track, which is muted and comes back as one
    await ada.do("() => room.localParticipant.setCameraEnabled(false)")

    async def muted():
        return all([await each.do("() => publication('ada', 'camera').isMuted") for each in (ben, eve)])

    await eventually(muted, "both see the camera muted")
    await ada.do("() => room.localParticipant.setCameraEnabled(true)")
    await ben.keeps_growing("ada", "camera")
    await eve.keeps_growing("ada", "camera")


@pytest.mark.parametrize("codec", ["vp8", "h264", "vp9", "av1"])
async def test_each_codec_arrives_and_decodes(server, chromium, codec):
    ada = await open_page(chromium, server, identity="ada")
    ben = await open_page(chromium, server, identity="ben")
    options = {"videoCodec": codec, "simulcast": False, "backupCodec": False}
    await ada.do(
        "([camera, options]) => room.localParticipant.setCameraEnabled(true, camera, options)",
        [SMALL, options],
    )
    await ben.keeps_growing("ada", "camera")
    assert (await ben.received("ada", "camera", "codec")).lower() == f"video/{codec}"


@MODES
async def test_frames_of_a_data_track_reach_who_subscribes(server, chromium, single):
    ada = await open_page(chromium, server, identity="ada", singlePeerConnection=single)
    ben = await open_page(chromium, server, identity="ben", singlePeerConnection=single)
    await ben.do("() => read_data_tracks()")
    await ada.do("() => push_frames('sensor', 40_000)")
    await ben.happened("frame")
    assert ["frame", "sensor", 40_000, 7] in await ben.events()
    await ada.do("() => window.pushed.unpublish()")
    await ben.happened("data track ended")


async def test_a_late_joiner_sees_the_slide_without_a_new_keyframe(server, chromium):
    ada = await open_page(chromium, server, identity="ada")
    await ada.do("() => share_slide()")
    ben = await open_page(chromium, server, identity="ben")
    await ben.keeps_growing("ada", "screen_share")
    before = await ada.do("() => keyframes_sent('screen_share')")
    eve = await open_page(chromium, server, identity="eve")
    await eve.keeps_growing("ada", "screen_share")
    await ben.keeps_growing("ada", "screen_share", by=5)
    assert await ada.do("() => keyframes_sent('screen_share')") == before


async def test_a_second_session_of_one_identity_ends_the_first(server, chromium):
    first = await open_page(chromium, server, identity="ada")
    await open_page(chromium, server, identity="ada")
    await first.happened("disconnected")
    reason = await first.do("() => LiveKit.DisconnectReason.DUPLICATE_IDENTITY")
    assert ["disconnected", reason] in await first.events()


@MODES
async def test_media_goes_on_when_signalling_is_lost_and_comes_back(server, chromium, single):
    async with cuttable(server.http_port) as (port, cut):
        url = f"ws://127.0.0.1:{port}"
        ada = await open_page(chromium, server, url, identity="ada", singlePeerConnection=single)
        ben = await open_page(chromium, server, identity="ben", singlePeerConnection=single)
        await ada.do("(camera) => room.localParticipant.setCameraEnabled(true, camera)", CAMERA)
        await ben.do("() => room.localParticipant.setMicrophoneEnabled(true)")
        await ben.keeps_growing("ada", "camera")
        await ada.keeps_growing("ben", "microphone", "packets")
        frozen_s = await ben.received("ada", "camera", "freezes_s")
        cut()
        await ada.happened("reconnected")
        assert await ada.do("() => room.localParticipant.sid") == ada.sid
        await ben.keeps_growing("ada", "camera")
        await ada.keeps_growing("ben", "microphone", "packets")
        # an ICE restart on the way, and still nobody saw the picture stand
        assert await ben.received("ada", "camera", "freezes_s") - frozen_s < 1
        await ada.do("() => room.localParticipant.publishData(new TextEncoder().encode('back'))")
        await ben.happened("data")
        await ada.do("() => room.localParticipant.setName('Ada again')")

        async def told():
            return (await ben.do("() => seen('ada')"))["name"] == "Ada again"

        await eventually(told, "requests work after the resume")


ANSWERED_CHECKS = """async () => {
    const stats = await room.engine.pcManager.publisher.getStats();
    return [...stats.values()].reduce((sum, each) => sum + (each.responsesReceived ?? 0), 0);
}"""


async def test_media_goes_on_while_the_interpreter_of_the_worker_stands_still(chromium):
    """For five seconds the data plane forwards, and answers the consent checks of both browsers."""
    if library.load() is None:
        pytest.skip("the data plane was not built")
    async with serving("--workers", "1") as server:
        ada = await open_page(chromium, server, identity="ada")
        bob = await open_page(chromium, server, identity="bob")
        both = ((ada, "bob"), (bob, "ada"))
        for one, _ in both:
            await one.do("(camera) => room.localParticipant.setCameraEnabled(true, camera)", SMALL)
            await one.do("() => room.localParticipant.setMicrophoneEnabled(true)")
        for one, other in both:
            await one.keeps_growing(other, "camera")
            await one.keeps_growing(other, "microphone", "packets")
        before = [await one.do("([who]) => received(who, 'camera')", [who]) for one, who in both]
        answers = [await one.do(ANSWERED_CHECKS) for one, _ in both]
        with stalled(worker_of(server)):
            await asyncio.sleep(5)  # the stall itself: two checks of Chromium
            for one, first in zip((ada, bob), answers, strict=True):
                assert await one.do(ANSWERED_CHECKS) > first
            during = [await one.do("([who]) => received(who, 'camera')", [who]) for one, who in both]
        for first, last in zip(before, during, strict=True):
            # without the plane: none, and 5 s
            assert last["frames"] - first["frames"] >= 20  # of 50, as three browsers share the machine
            assert last["freezes_s"] - first["freezes_s"] < 1
        for one, other in both:
            await one.keeps_growing(other, "camera")
            assert not {name for name, _ in await one.events()} & {
                "reconnecting",
                "signalReconnecting",
                "disconnected",
            }


def worker_of(server):
    """The process of the only media worker."""
    [worker] = [
        child.pid for child in psutil.Process(server.pid).children() if "sfu.shell.worker" in child.cmdline()
    ]
    return worker


@needs_coturn
async def test_a_browser_that_may_only_use_the_relay_takes_part(chromium):
    address = machine_address()
    relay = TurnSettings(
        secret=SECRET,
        media_addresses=(address,),
        listening_addresses=(address,),
        relay_addresses=(address,),
        listening_port=free_port(address),
    )
    options = ("--turn-url", f"turn:{address}:{relay.listening_port}", "--turn-secret", SECRET)
    with running_coturn(relay):
        async with serving(*options) as server:
            relayed = {"rtcConfig": {"iceTransportPolicy": "relay"}}
            ada = await open_page(chromium, server, identity="ada", connect=relayed)
            ben = await open_page(chromium, server, identity="ben")
            for each, other in ((ada, ben), (ben, ada)):
                await each.do("(camera) => room.localParticipant.setCameraEnabled(true, camera)", SMALL)
                await other.keeps_growing("ada" if each is ada else "ben", "camera")
            assert await ada.do("() => selected()") == ["relay"]
            assert "relay" not in await ben.do("() => selected()")
