// What the tests drive in the browser: LiveKit's unchanged SDK, and what a page sees of the room.
import * as LiveKit from "/livekit-client.esm.mjs";

window.LiveKit = LiveKit;
window.events = [];

window.join = async (url, token, options, connect, passphrase) => {
  if (passphrase) {
    const keyProvider = new LiveKit.ExternalE2EEKeyProvider();
    await keyProvider.setKey(passphrase);
    options.e2ee = { keyProvider, worker: new Worker("/livekit-client.e2ee.worker.mjs", { type: "module" }) };
  }
  const room = new LiveKit.Room(options);
  window.room = room;
  for (const name of ["reconnecting", "signalReconnecting", "reconnected", "disconnected", "connected"]) {
    room.on(name, (detail) => window.events.push([name, detail ?? null]));
  }
  room.on("trackSubscribed", (track) => {
    const element = track.attach();
    element.muted = track.kind === "video";
    document.body.append(element);
  });
  room.on("encryptionError", () => window.events.push(["encryptionError", null]));
  room.on("dataReceived", (payload, from) => {
    window.events.push(["data", from?.identity, new TextDecoder().decode(payload)]);
  });
  room.registerTextStreamHandler("chat", async (reader, from) => {
    window.events.push(["text", from.identity, (await reader.readAll()).length]);
  });
  await room.connect(url, token, connect);
  if (passphrase) await room.setE2EEEnabled(true);
  return room.localParticipant.sid;
};

window.publication = (identity, source) =>
  room.remoteParticipants.get(identity)?.getTrackPublication(source);

// Of a track that this page receives: what was decoded, how large, how loud.
window.received = async (identity, source) => {
  const track = window.publication(identity, source)?.track;
  const report = await track?.getRTCStatsReport();
  for (const stats of report?.values() ?? []) {
    if (stats.type === "inbound-rtp") {
      return {
        frames: stats.framesDecoded ?? 0,
        width: stats.frameWidth ?? 0,
        packets: stats.packetsReceived,
        codec: report.get(stats.codecId)?.mimeType,
        energy: stats.totalAudioEnergy ?? 0,
        discarded: stats.packetsDiscarded ?? 0,
        freezes_s: stats.totalFreezesDuration ?? 0,
        samples: stats.totalSamplesReceived ?? 0,
        concealed: (stats.concealedSamples ?? 0) - (stats.silentConcealedSamples ?? 0),
      };
    }
  }
  return null;
};

// Of a track that this page sends: packets by rid.
window.sent = async (source) => {
  const stats = await room.localParticipant.getTrackPublication(source).track.getSenderStats();
  return Object.fromEntries(stats.map((layer) => [layer.rid, layer.packetsSent]));
};

// A slide: a picture on which little happens, shared as a screen. Resolves once it is published.
window.share_slide = async () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 360];
  const drawing = canvas.getContext("2d");
  drawing.fillStyle = "white";
  drawing.fillRect(0, 0, 640, 360);
  let ticks = 0;
  setInterval(() => {
    drawing.fillStyle = ticks++ % 2 ? "white" : "black";
    drawing.fillRect(0, 0, 8, 8);
  }, 200);
  const [track] = canvas.captureStream(5).getVideoTracks();
  await room.localParticipant.publishTrack(track, { source: "screen_share", simulcast: false });
};

// Slides full of text that are turned every four seconds, each as large a change as a slide can be.
window.share_slides = async () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1280, 720];
  const drawing = canvas.getContext("2d");
  let ticks = 0;
  const draw = () => {
    if (ticks % 20 === 0) {
      drawing.fillStyle = "white";
      drawing.fillRect(0, 0, 1280, 720);
      drawing.fillStyle = "black";
      drawing.font = "28px sans-serif";
      for (let line = 1; line < 16; line++) {
        drawing.fillText(`slide ${ticks / 20}: the square of ${ticks + line} is ${(ticks + line) ** 2}`, 40, 44 * line);
      }
    }
    drawing.fillStyle = ticks++ % 2 ? "white" : "black";
    drawing.fillRect(0, 0, 8, 8);
  };
  draw();
  setInterval(draw, 200);
  const [track] = canvas.captureStream(5).getVideoTracks();
  const screenShareEncoding = { maxBitrate: 400_000, maxFramerate: 5 };
  await room.localParticipant.publishTrack(track, {
    source: "screen_share",
    simulcast: false,
    screenShareEncoding,
  });
};

window.keyframes_sent = async (source) => {
  const report = await room.localParticipant.getTrackPublication(source).track.getRTCStatsReport();
  for (const stats of report.values()) {
    if (stats.type === "outbound-rtp") return stats.keyFramesEncoded;
  }
  return null;
};

// Pictures that show their own number, as those of test_pictures.py: 16 cells with its bits, 16 with their complements.
const ROWS = 4;
const COLUMNS = 8;
const cell = (number, i) => (i < 16 ? (number >> i) & 1 : 1 - ((number >> (i - 16)) & 1));

window.publish_pictures = async (options, frameRate) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [960, 540];
  const drawing = canvas.getContext("2d");
  const [width, height] = [canvas.width / COLUMNS, canvas.height / ROWS];
  let number = 0;
  setInterval(() => {
    for (let i = 0; i < ROWS * COLUMNS; i++) {
      drawing.fillStyle = cell(number, i) ? "#b4b4b4" : "#464646";
      drawing.fillRect((i % COLUMNS) * width, Math.floor(i / COLUMNS) * height, width, height);
    }
    number++;
  }, 1000 / frameRate);
  const [track] = canvas.captureStream(frameRate).getVideoTracks();
  await room.localParticipant.publishTrack(track, { source: "camera", ...options });
};

// Looks at each picture that is shown: [number, width], number -1 for one that shows none as it was painted.
window.watch_pictures = (identity) => {
  const video = publication(identity, "camera").track.attach();
  document.body.append(video);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [COLUMNS * 12, ROWS * 12];
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  window.pictures = [];
  const look = (_now, frame) => {
    drawing.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = drawing.getImageData(0, 0, canvas.width, canvas.height);
    let number = 0;
    let whole = true;
    for (let i = 0; i < ROWS * COLUMNS; i++) {
      // all of a cell but its border, which is blurred into the next
      let [darkest, brightest] = [255, 0];
      for (let y = 3; y < 9; y++) {
        for (let x = 3; x < 9; x++) {
          const at = ((Math.floor(i / COLUMNS) * 12 + y) * canvas.width + (i % COLUMNS) * 12 + x) * 4;
          darkest = Math.min(darkest, data[at + 1]);
          brightest = Math.max(brightest, data[at + 1]);
        }
      }
      const bit = Number(darkest > 125);
      whole &&= bit || brightest < 125;
      if (i < 16) number |= bit << i;
      else whole &&= bit === cell(number, i);
    }
    window.pictures.push([whole ? number : -1, frame.width]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
};

// Reads all data tracks: each frame's name, size and first byte.
window.read_data_tracks = () => {
  room.on("dataTrackUnpublished", () => window.events.push(["data track ended"]));
  room.on("dataTrackPublished", async (track) => {
    for await (const frame of track.subscribe()) {
      window.events.push(["frame", track.info.name, frame.payload.length, frame.payload[0]]);
    }
  });
};

// Publishes a data track, and pushes a frame ten times a second.
window.push_frames = async (name, size) => {
  const track = await room.localParticipant.publishDataTrack({ name });
  window.pushed = track;
  const timer = setInterval(() => {
    if (track.isPublished()) track.tryPush({ payload: new Uint8Array(size).fill(7) });
    else clearInterval(timer);
  }, 100);
};

window.seen = (identity) => {
  const person = room.remoteParticipants.get(identity);
  return person && { name: person.name, metadata: person.metadata, attributes: person.attributes };
};

// Which kinds of ICE candidates carry the media.
window.selected = async () => {
  const pairs = [];
  const { publisher, subscriber } = room.engine.pcManager;
  for (const transport of [publisher, subscriber]) {
    const report = await transport?.getStats();
    const stats = [...(report?.values() ?? [])];
    const selected = stats.find((one) => one.type === "transport" && one.selectedCandidatePairId);
    const pair = stats.find((one) => one.id === selected?.selectedCandidatePairId);
    const local = stats.find((one) => one.id === pair?.localCandidateId);
    if (local) pairs.push(local.candidateType);
  }
  return pairs;
};

window.ready = true;
