"""Decoded pictures, compared with those that were sent while a viewer's layers change every second.

Each picture shows its own number, so the one to compare it with is known, whatever was left out. A part that was
decoded from another picture than the encoder meant shows older cells, and differs.
"""

import asyncio
import itertools
import logging
import os
import random
import time
from contextlib import asynccontextmanager

import numpy as np
import pytest
from livekit import rtc

from tests.e2e.conftest import eventually
from tests.e2e.native import joined
from tests.e2e.test_javascript import QUALITY, WIDTHS, open_page

logger = logging.getLogger(__name__)

# The long form, a minute for each codec: LECTERN_PICTURES_S=60, with its figures by `-o log_cli_level=INFO`.
DURATION_S = float(os.environ.get("LECTERN_PICTURES_S", "12"))
pytestmark = pytest.mark.timeout(90 + DURATION_S)

WIDTH, HEIGHT, FRAME_RATE = 960, 540, 15
ROWS, COLUMNS = 4, 8
DARK, BRIGHT = 70, 180
MAX_FREEZE_S = 0.5
# Of a picture that is decoded as it was meant; one wrong cell of 32 alone costs more (about 23 dB).
MIN_PSNR_DB = 26.0
LOW, MEDIUM, HIGH = (
    rtc.VideoQuality.VIDEO_QUALITY_LOW,
    rtc.VideoQuality.VIDEO_QUALITY_MEDIUM,
    rtc.VideoQuality.VIDEO_QUALITY_HIGH,
)


def pattern(number, width=WIDTH, height=HEIGHT):
    """Luma of a picture: 16 cells with the number's bits, and 16 with their complements."""
    bits = [number >> i & 1 for i in range(16)]
    cells = np.array([*bits, *(1 - bit for bit in bits)], np.uint8).reshape(ROWS, COLUMNS)
    rows = np.arange(height) * ROWS // height
    columns = np.arange(width) * COLUMNS // width
    return np.where(cells[rows][:, columns], BRIGHT, DARK).astype(np.uint8)


def number_of(luma):
    """The number that a picture shows; None when it shows none."""
    height, width = luma.shape
    centres = [
        luma[(2 * row + 1) * height // (2 * ROWS), (2 * column + 1) * width // (2 * COLUMNS)]
        for row, column in itertools.product(range(ROWS), range(COLUMNS))
    ]
    bits = [int(value > (DARK + BRIGHT) / 2) for value in centres]
    if any(a == b for a, b in zip(bits[:16], bits[16:], strict=True)):
        return None
    return sum(bit << i for i, bit in enumerate(bits[:16]))


def psnr_db(luma, expected):
    """Peak signal-to-noise ratio, without the cells' blurred borders."""
    height, width = luma.shape
    inner = np.ones((height, width), bool)
    for row in range(1, ROWS):
        inner[row * height // ROWS - 4 : row * height // ROWS + 4] = False
    for column in range(1, COLUMNS):
        inner[:, column * width // COLUMNS - 4 : column * width // COLUMNS + 4] = False
    error = np.mean((luma[inner].astype(float) - expected[inner]) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-9))


class Sender:
    """Paints pictures by the clock, and notes how late this machine was with them."""

    def __init__(self):
        self.source = rtc.VideoSource(WIDTH, HEIGHT)
        self.number = 0
        self.lateness = []
        "(time, s) of each picture."

    async def paint(self):
        begun_at = time.monotonic()
        while True:
            rgba = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
            rgba[..., :3] = pattern(self.number)[..., None]
            self.source.capture_frame(rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, rgba.tobytes()))
            self.number += 1
            due_at = begun_at + self.number / FRAME_RATE
            await asyncio.sleep(due_at - time.monotonic())
            now = time.monotonic()
            self.lateness.append((now, max(now - due_at, 0.0)))
            if now - due_at > 1 / FRAME_RATE:
                begun_at += now - due_at


class Watcher:
    """Compares each picture that it gets."""

    def __init__(self, sender):
        self.sender = sender
        self.shown = []
        "(time, number, width)"
        self.broken = []
        "What was wrong."

    async def watch(self, track):
        async for event in rtc.VideoStream(track, format=rtc.VideoBufferType.RGBA):
            frame = event.frame
            luma = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.width, 4)[..., 1]
            self.look(luma, time.monotonic())

    def look(self, luma, now):
        number, width = number_of(luma), luma.shape[1]
        before = self.shown[-1][1] if self.shown else -1
        if number is None or not before <= number <= self.sender.number:
            self.broken.append(f"{width} wide: number {number} after {before}")
            return
        quality_db = psnr_db(luma, pattern(number, width, luma.shape[0]))
        if quality_db < MIN_PSNR_DB:
            self.broken.append(f"{width} wide: number {number} at {quality_db:.1f} dB")
        self.shown.append((now, number, width))

    def longest_freeze_s(self):
        """The longest time without a new picture, without what this machine itself was late by meanwhile."""
        late = self.sender.lateness
        gaps = [
            later - earlier - max((s for at, s in late if earlier <= at <= later), default=0.0)
            for (earlier, *_), (later, *_) in itertools.pairwise(self.shown)
        ]
        return max(gaps)


@asynccontextmanager
async def watched(server, codec, mode, encryption=None):
    """A publisher of numbered pictures and a viewer who compares them; gives (watcher, the viewer's publication)."""
    options = {"encryption": encryption} if encryption else {}
    ada, ben = await joined(server, "ada", **options), await joined(server, "ben", **options)
    sender = Sender()
    watcher = Watcher(sender)
    publish = rtc.TrackPublishOptions(
        source=rtc.TrackSource.SOURCE_CAMERA, video_codec=codec, simulcast=not mode
    )
    if mode:
        publish.scalability_mode = mode
    camera = rtc.LocalVideoTrack.create_video_track("camera", sender.source)
    await ada.local_participant.publish_track(camera, publish)
    tasks = [asyncio.ensure_future(sender.paint())]
    try:

        def publication():
            found = (
                list(ben.remote_participants["ada"].track_publications.values())
                if ben.remote_participants
                else []
            )
            return found[0] if found and found[0].track else None

        seen = await eventually(publication, "ben has ada's camera")
        tasks.append(asyncio.ensure_future(watcher.watch(seen.track)))
        await eventually(lambda: len(watcher.shown) > FRAME_RATE, "a second of pictures")
        yield watcher, seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ben.disconnect()
        await ada.disconnect()


async def switch_for(duration_s, watcher, seen):
    """Let the viewer want another quality each second; returns the widths that were shown."""
    chance = random.Random(1)
    quality = HIGH
    watcher.shown, watcher.broken = watcher.shown[-1:], []  # its first second has few bits
    for _ in range(round(duration_s)):
        quality = chance.choice([each for each in (LOW, MEDIUM, HIGH) if each != quality])
        seen.set_video_quality(quality)
        await asyncio.sleep(1)  # how long each layer is shown
    return [width for width, _ in itertools.groupby(width for _, _, width in watcher.shown)]


# Not AV1: native clients send no descriptors with it. Chromium's is in test_javascript.
@pytest.mark.parametrize(
    ("codec", "mode"),
    [
        (rtc.VideoCodec.VP8, ""),
        pytest.param(rtc.VideoCodec.H264, "", marks=pytest.mark.long),
        (rtc.VideoCodec.VP9, "L3T3_KEY"),
        pytest.param(rtc.VideoCodec.VP9, "L3T3", marks=pytest.mark.long),
    ],
    ids=["vp8 simulcast", "h264 simulcast", "vp9 keyed", "vp9 full"],
)
async def test_nobody_sees_a_broken_or_standing_picture_while_layers_change(server, codec, mode):
    async with watched(server, codec, mode) as (watcher, seen):
        widths = await switch_for(DURATION_S, watcher, seen)
        freeze_s = watcher.longest_freeze_s()
        logger.info(
            "%d pictures, %d changes of size, longest freeze %.0f ms",
            len(watcher.shown),
            len(widths) - 1,
            1000 * freeze_s,
        )
        assert watcher.broken == []
        assert len(set(widths)) > 1
        assert len(widths) > DURATION_S / 4
        assert freeze_s <= MAX_FREEZE_S


@pytest.mark.parametrize(
    ("codec", "mode"),
    [
        ("vp8", None),
        pytest.param("h264", None, marks=pytest.mark.long),
        pytest.param("vp9", "L3T3_KEY", marks=pytest.mark.long),
        pytest.param("av1", "L3T3_KEY", marks=pytest.mark.long),
        pytest.param("av1", "L3T3", marks=pytest.mark.long),
    ],
    ids=["vp8 simulcast", "h264 simulcast", "vp9 keyed", "av1 keyed", "av1 full"],
)
async def test_nor_does_anybody_with_a_browser(server, chromium, codec, mode):
    ada, ben = [await open_page(chromium, server, identity=name) for name in ("ada", "ben")]
    options = {"videoCodec": codec, "backupCodec": False, "simulcast": mode is None, "scalabilityMode": mode}
    await ada.do("([options, rate]) => publish_pictures(options, rate)", [options, FRAME_RATE])
    await ben.keeps_growing("ada", "camera", by=FRAME_RATE)
    await ben.do("() => watch_pictures('ada')")
    chance = random.Random(1)
    quality = "HIGH"
    for _ in range(round(DURATION_S)):
        quality = chance.choice([each for each in WIDTHS if each != quality])
        await ben.do(QUALITY, quality)
        await asyncio.sleep(1)  # how long each layer is shown
    pictures = await ben.do("() => pictures")
    numbers = [number for number, _ in pictures]
    widths = [width for width, _ in itertools.groupby(width for _, width in pictures)]
    freeze_s = max(later - earlier for earlier, later in itertools.pairwise(numbers)) / FRAME_RATE
    logger.info(
        "%d pictures, %d changes of size, longest freeze %.0f ms",
        len(pictures),
        len(widths) - 1,
        1000 * freeze_s,
    )
    assert -1 not in numbers
    assert numbers == sorted(numbers)
    assert len(widths) > DURATION_S / 4
    assert freeze_s <= MAX_FREEZE_S


async def test_an_encrypted_camera_is_forwarded_in_layers_too(server):
    options = rtc.E2EEOptions(
        key_provider_options=rtc.KeyProviderOptions(shared_key=b"a secret of the class")
    )
    async with watched(server, rtc.VideoCodec.VP8, "", options) as (watcher, seen):
        widths = await switch_for(6, watcher, seen)
        assert watcher.broken == []
        assert len(set(widths)) > 1


class TestComparison:
    """That the test itself would see what it looks for."""

    @staticmethod
    def watcher():
        sender = Sender.__new__(Sender)
        sender.number, sender.lateness = 100, []
        return Watcher(sender)

    @pytest.mark.parametrize("width", [240, 480, 960])
    def test_a_good_picture(self, width):
        watcher = self.watcher()
        luma = pattern(77, width, width * 9 // 16)
        noise = np.random.default_rng(1).normal(0, 5, luma.shape)
        watcher.look((luma + noise).astype(np.uint8), 1.0)
        assert watcher.broken == []
        assert watcher.shown == [(1.0, 77, width)]

    def test_a_cell_of_an_older_picture(self):
        watcher = self.watcher()
        luma = pattern(77).copy()
        luma[:135, :120] = pattern(76)[:135, :120]
        watcher.look(luma, 1.0)
        assert watcher.broken == ["960 wide: number None after -1"]

    def test_part_of_a_cell_of_an_older_picture(self):
        watcher = self.watcher()
        luma = pattern(77).copy()
        luma[:60, :120] = pattern(76)[:60, :120]
        watcher.look(luma, 1.0)
        (broken,) = watcher.broken
        assert "dB" in broken

    def test_an_older_picture(self):
        watcher = self.watcher()
        watcher.look(pattern(77), 1.0)
        watcher.look(pattern(76), 1.1)
        assert watcher.broken == ["960 wide: number 76 after 77"]

    def test_a_freeze(self):
        watcher = self.watcher()
        watcher.shown = [(1.0, 1, WIDTH), (1.1, 2, WIDTH), (1.8, 9, WIDTH)]
        watcher.sender.lateness = [(1.5, 0.2)]
        assert watcher.longest_freeze_s() == pytest.approx(0.5)
