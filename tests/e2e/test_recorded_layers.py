"""Recordings of streams with several spatial layers (scalable video coding), from Chromium, decoded."""

import asyncio

import av
import pytest
from livekit import api
from livekit.protocol import egress

from tests.e2e.conftest import eventually, serving
from tests.e2e.test_egress import over
from tests.e2e.test_javascript import SVC_WIDTHS, open_page

pytestmark = pytest.mark.timeout(120)

RATE = 10
ROWS, COLUMNS = 4, 8


def read_number(frame):
    """The number that client.js painted: 16 cells with its bits, 16 with their complements; None: they contradict."""
    luma = frame.to_ndarray(format="gray")
    height, width = luma.shape[0] / ROWS, luma.shape[1] / COLUMNS
    bits = [
        luma[int((i // COLUMNS + 0.5) * height), int((i % COLUMNS + 0.5) * width)] > 128
        for i in range(ROWS * COLUMNS)
    ]
    if any(bit == complement for bit, complement in zip(bits[:16], bits[16:], strict=True)):
        return None
    return sum(int(bit) << i for i, bit in enumerate(bits[:16]))


def shown(paths):
    """(number, width) of each picture of a track's parts: of the layers with one timestamp, the last one is shown."""
    found = []
    for path in paths:
        with av.open(path) as container:
            pictures = {frame.pts: (read_number(frame), frame.width) for frame in container.decode(video=0)}
        found += [pictures[pts] for pts in sorted(pictures)]
    return found


@pytest.mark.parametrize(
    ("codec", "mode"),
    [
        ("vp9", "L3T3"),
        pytest.param("vp9", "L3T3_KEY", marks=pytest.mark.long),
        pytest.param("av1", "L3T3", marks=pytest.mark.long),
        pytest.param("av1", "L3T3_KEY", marks=pytest.mark.long),
    ],
)
async def test_the_best_layer_of_one_stream_is_recorded_and_decodes(chromium, tmp_path, codec, mode):
    async with serving(
        "--recordings", str(tmp_path), "--recordings-reserve-mb", "0", "--workers", "1"
    ) as server:
        ada = await open_page(chromium, server, identity="ada")
        ben = await open_page(chromium, server, identity="ben")
        options = {"videoCodec": codec, "scalabilityMode": mode, "backupCodec": False}
        await ada.do("([options, rate]) => publish_pictures(options, rate)", [options, RATE])

        async def best():
            return await ben.received("ada", "camera", "width") == SVC_WIDTHS["HIGH"]

        await eventually(best, "ada sends all layers")
        sid = await ada.do("() => room.localParticipant.getTrackPublication('camera').trackSid")
        client = api.LiveKitAPI(server.page, "devkey", "secret")
        started = await client.egress.start_track_egress(
            api.TrackEgressRequest(room_name="maths", track_id=sid, file=api.DirectFileOutput())
        )
        await asyncio.sleep(5)  # what is recorded
        await client.egress.stop_egress(api.StopEgressRequest(egress_id=started.egress_id))
        done = await over(client.egress, started.egress_id)
        await client.aclose()
    assert done.status == egress.EGRESS_COMPLETE
    found = shown([file.location for file in done.file_results])
    numbers = [number for number, _ in found]
    assert None not in numbers
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 2 * RATE
    assert found[-1][1] == SVC_WIDTHS["HIGH"]
    assert sum(width == SVC_WIDTHS["HIGH"] for _, width in found) > 0.7 * len(found)
