// One participant by LiveKit's unchanged SDK for Node: `node lesson.mjs <url> <token> [<file to send>]`.
// It publishes a green picture and a tone, tells on stdout what it receives, and leaves when stdin ends.
import { createHash } from "node:crypto";
import {
  AudioFrame, AudioSource, AudioStream, LocalAudioTrack, LocalVideoTrack, Room, RoomEvent, TrackKind,
  TrackPublishOptions, TrackSource, VideoBufferType, VideoFrame, VideoSource, VideoStream, dispose,
} from "@livekit/rtc-node";

const [url, token, file] = process.argv.slice(2);
const WIDTH = 320;
const HEIGHT = 180;
const RATE = 48_000;
const tell = (event, detail) => console.log(JSON.stringify({ event, ...detail }));

async function watch(track) {
  let frames = 0;
  for await (const { frame } of new VideoStream(track)) {
    frames += 1;
    if (frames === 30) tell("frames", { width: frame.width, height: frame.height });
  }
}

async function listen(track) {
  let told = false;
  for await (const frame of new AudioStream(track)) {
    if (!told && frame.data.some((sample) => Math.abs(sample) > 2000)) {
      told = true;
      tell("loud");
    }
  }
}

const room = new Room();
room.on(RoomEvent.TrackSubscribed, (track) => {
  void (track.kind === TrackKind.KIND_VIDEO ? watch(track) : listen(track));
});
room.on(RoomEvent.DataReceived, (payload, from) => {
  tell("data", { from: from?.identity, text: new TextDecoder().decode(payload) });
});
room.registerByteStreamHandler("files", async (reader, from) => {
  const whole = Buffer.concat(await reader.readAll());
  const sha256 = createHash("sha256").update(whole).digest("hex");
  tell("file", { from: from.identity, bytes: whole.length, sha256 });
});
await room.connect(url, token, { autoSubscribe: true, dynacast: false });
tell("connected", { identity: room.localParticipant.identity });

const publish = (track, source) =>
  room.localParticipant.publishTrack(track, new TrackPublishOptions({ source, simulcast: false }));

const camera = new VideoSource(WIDTH, HEIGHT);
await publish(LocalVideoTrack.createVideoTrack("camera", camera), TrackSource.SOURCE_CAMERA);
const picture = new Uint8Array(WIDTH * HEIGHT * 4);
for (let at = 0; at < picture.length; at += 4) picture.set([30, 180, 30, 255], at);
const painting = setInterval(
  () => camera.captureFrame(new VideoFrame(picture, WIDTH, HEIGHT, VideoBufferType.RGBA)), 1000 / 15);

const microphone = new AudioSource(RATE, 1);
await publish(LocalAudioTrack.createAudioTrack("microphone", microphone), TrackSource.SOURCE_MICROPHONE);
let speaking = true;
const speech = (async () => {
  const samples = RATE / 100;
  for (let at = 0; speaking; at += samples) {
    const tone = Int16Array.from({ length: samples }, (_, i) =>
      8000 * Math.sin((2 * Math.PI * 440 * (at + i)) / RATE));
    await microphone.captureFrame(new AudioFrame(tone, RATE, 1, samples));
  }
})();
await room.localParticipant.publishData(new TextEncoder().encode("from node"), { reliable: true });
tell("published");
if (file) await room.localParticipant.sendFile(file, { topic: "files" });

for await (const _ of process.stdin);
speaking = false;
await speech;
clearInterval(painting);
await room.disconnect();
await dispose();
tell("left");
process.exit(0);
