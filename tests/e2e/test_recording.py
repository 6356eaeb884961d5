"""What the recorder wrote, played and sought in Chromium by media source extensions: each codec in its container."""

import base64

from recording.containers.cutter import Append, CloseSegment, OpenPart, Patch
from recording.media.track import Resume
from recording.state import RecordingState, TrackChange
from sfu.wire.tap import OpenStream, OpenTrack
from tests.recording.encoders import MS, PAYLOADS, STAMP, Sender, encode, tones

FRAMES, INTERVAL_NS = 75, 40 * MS
# The later keyframe begins a segment; sought is a picture behind it.
KEYFRAMES, SOUGHT = (0, 50), 62

PLAY = """
async ([tracks, soughtS, stamp]) => {
  const video = document.createElement("video");
  video.muted = true;
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((done) => source.addEventListener("sourceopen", done, {once: true}));
  const event = (target, name) => new Promise((done, fail) => {
    target.addEventListener(name, done, {once: true});
    video.addEventListener("error", () => fail(new Error(video.error.message)), {once: true});
  });
  const buffers = tracks.map(({mime}) => {
    if (!MediaSource.isTypeSupported(mime)) throw new Error("unsupported: " + mime);
    return source.addSourceBuffer(mime);
  });
  for (const [i, {segments}] of tracks.entries()) {
    const track = buffers[i];
    for (const segment of segments) {
      const done = event(track, "updateend");
      track.appendBuffer(Uint8Array.from(atob(segment), (c) => c.charCodeAt(0)));
      await done;
    }
  }
  const buffered = [...source.sourceBuffers].map(
    ({buffered}) => [...Array(buffered.length).keys()].map((i) => [buffered.start(i), buffered.end(i)]));
  source.endOfStream();
  const canvas = new OffscreenCanvas(160, 96);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const number = () => {
    context.drawImage(video, 0, 0);
    const {data} = context.getImageData(0, 0, 160, 96);
    let found = 0;
    for (let bit = 0; bit < 8; bit++) {
      const at = 4 * (160 * (stamp / 2) + bit * stamp + stamp / 2);
      if (data[at] > 128) found |= 1 << bit;
    }
    return found;
  };
  const numberAt = async (timeS) => {
    const seeked = event(video, "seeked");
    video.currentTime = timeS;
    await seeked;
    return number();
  };
  const [sought, last, first] = [
    await numberAt(soughtS), await numberAt(buffered[0][0][1] - 0.02), await numberAt(buffered[0][0][0])];
  const ended = event(video, "ended");
  video.playbackRate = 4;
  await video.play();
  await ended;
  return {buffered, sought, first, last, size: [video.videoWidth, video.videoHeight]};
}
"""


def segments(kind, packets):
    """(MIME type, initialisation segment and segments in base64) of a track that was recorded from these packets."""
    state = RecordingState(0)
    state.open_track(OpenTrack("r", "t", kind, "", 0), Resume())
    state.handle(OpenStream(1, "r", "t", "p", 48_000 if kind == "audio" else 90_000, 0))
    outputs = [
        output for packet in packets for output in (*state.handle(packet), *state.tick(packet.arrived_ns))
    ]
    outputs += state.finish(FRAMES * INTERVAL_NS + 20 * MS)
    mime, part, cuts = "", bytearray(), []
    for output in outputs:
        change = output.change if isinstance(output, TrackChange) else None
        if isinstance(change, OpenPart):
            mime = f'{kind}/{change.suffix}; codecs="{change.config.mime_codec}"'
            part += change.data
            cuts.append((0, len(part)))
        elif isinstance(change, Append):
            part += change.data
        elif isinstance(change, Patch):
            part[change.offset : change.offset + 4] = change.data
        elif isinstance(change, CloseSegment):
            cuts.append((change.record.offset, change.record.offset + change.record.length))
    return {"mime": mime, "segments": [base64.b64encode(part[start:end]).decode() for start, end in cuts]}


async def test_every_codec_plays_and_seeks_in_chromium(chromium):
    audio = Sender(1, "opus", rate=48_000)
    sound = [
        packet
        for i, data in enumerate(tones(FRAMES * INTERVAL_NS / 1e9))
        for packet in audio.packets([data], i * 20 * MS, i * 20 * MS + 20 * MS)
    ]
    page = await chromium.new_page()
    await page.goto("about:blank")
    for codec in PAYLOADS:
        frames = Sender(1, codec).frames(encode(codec, FRAMES, keyframes=KEYFRAMES), interval_ns=INTERVAL_NS)
        tracks = [segments("video", [p for packets in frames for p in packets]), segments("audio", sound)]
        assert all(len(track["segments"]) > 1 for track in tracks)
        # Each picture is shown from 20 ms, the delay of the first packet, on; the middle of one is sought.
        played = await page.evaluate(PLAY, [tracks, (SOUGHT * 40 + 40) / 1000, STAMP])
        assert played["sought"] == SOUGHT, codec
        assert (played["first"], played["last"]) == (0, FRAMES - 1), codec
        assert played["size"] == [160, 96]
        for buffered in played["buffered"]:  # no hole: a player would stop there
            assert len(buffered) == 1, codec
            assert abs(buffered[0][1] - FRAMES * 0.04 - 0.02) < 0.05, (codec, buffered)
