// Runs in a page before its scripts: notes its connections, and once told to, what arrives and what is shown.
(() => {
  const connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options);
      connections.push(this);
    }
  };
  const kept = { samples: [], pictures: [] };
  const video = (source) => document.querySelector(`[data-testid=tile][data-source=${source}] video`);
  const trackOf = (source) => video(source)?.srcObject?.getVideoTracks()[0]?.id;

  const look = async () => {
    const at = Date.now() / 1000;
    const alive = connections.filter((each) => each.connectionState !== 'closed');
    const reports = await Promise.all(alive.map((each) => each.getStats()));
    const row = { at, audio: null, screen: null, camera: null };
    const ids = { screen: trackOf('screen_share'), camera: trackOf('camera') };
    for (const report of reports) {
      for (const each of report.values()) {
        if (each.type !== 'inbound-rtp') continue;
        if (each.kind === 'audio' && (row.audio === null || each.packetsReceived > row.audio.packets)) {
          row.audio = {
            packets: each.packetsReceived, lost: each.packetsLost, bytes: each.bytesReceived,
            concealed: each.concealedSamples, silent: each.silentConcealedSamples,
            samples: each.totalSamplesReceived,
            delay: each.jitterBufferDelay, emitted: each.jitterBufferEmittedCount,
          };
        }
        for (const source of ['screen', 'camera']) {
          if (each.kind === 'video' && each.trackIdentifier === ids[source]) {
            row[source] = {
              frames: each.framesDecoded ?? 0, width: each.frameWidth ?? 0, bytes: each.bytesReceived,
              plis: each.pliCount ?? 0, nacks: each.nackCount ?? 0, lost: each.packetsLost,
              again: each.retransmittedPacketsReceived ?? 0, keys: each.keyFramesDecoded ?? 0,
            };
          }
        }
      }
    }
    kept.samples.push(row);
  };

  // What the screen's video shows, at most every 200 ms, and always its newest picture.
  const canvas = new OffscreenCanvas(1, 1);
  let busy = false;
  let again = false;
  let watched = null;
  const take = async ([left, top, width, height]) => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    const at = Date.now() / 1000;
    const full = watched.videoWidth;
    canvas.width = width;
    canvas.height = height;
    // a picture of another size than the slide's is judged as the viewer sees it: scaled
    const scale = full / 1920;
    const drawing = canvas.getContext('2d');
    drawing.drawImage(watched, left * scale, top * scale, width * scale, height * scale, 0, 0, width, height);
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
    const bytes = new Uint8Array(await blob.arrayBuffer());
    let text = '';
    for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    kept.pictures.push({ at, width: full, jpeg: btoa(text) });
    setTimeout(() => {
      busy = false;
      if (again) {
        again = false;
        void take([left, top, width, height]);
      }
    }, 200);
  };
  const follow = (area) => {
    const now = video('screen_share');
    if (now === null || now === undefined || now === watched) return;
    watched = now;
    const next = () => {
      if (watched !== now) return;
      if (now.videoWidth > 0) void take(area);
      now.requestVideoFrameCallback(next);
    };
    now.requestVideoFrameCallback(next);
  };

  window.weakLinks = {
    begin: (area) => {
      setInterval(look, 100);
      if (area !== null) setInterval(() => follow(area), 100);
    },
    take: () => {
      const taken = { ...kept };
      kept.samples = [];
      kept.pictures = [];
      return taken;
    },
    // What a publisher sends, by layer.
    sent: async () => {
      const rows = [];
      for (const connection of connections) {
        if (connection.connectionState === 'closed') continue;
        for (const each of (await connection.getStats()).values()) {
          if (each.type !== 'outbound-rtp') continue;
          rows.push({
            kind: each.kind, rid: each.rid ?? '', width: each.frameWidth ?? 0, active: each.active,
            bytes: each.bytesSent, frames: each.framesEncoded ?? 0, keys: each.keyFramesEncoded ?? 0,
            qp: each.qpSum ?? 0, plis: each.pliCount ?? 0, content: each.contentType ?? '', ssrc: each.ssrc,
          });
        }
      }
      return rows;
    },
    notices: () => [...document.querySelectorAll('.notice, [data-testid=link-notice]')].map((each) => each.innerText),
  };
})();
