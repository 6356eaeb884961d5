// LiveKit's unchanged server SDK for Node: `node egress.mjs <http url> <room> <camera's sid> <microphone's sid>`, with
// somebody publishing in the room. Prints one line of JSON: what each call of the Egress service brought.
import { EgressClient, EncodedFileOutput, EncodedFileType, EgressStatus } from "livekit-server-sdk";

const [url, room, camera, microphone] = process.argv.slice(2);
const client = new EgressClient(url, "devkey", "secret");
const code = async (call) => {
  try {
    await call;
    return "";
  } catch (error) {
    return `${error.status} ${error.code}`;
  }
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const file = new EncodedFileOutput({ fileType: EncodedFileType.MP4, filepath: "node.mp4" });

const started = await client.startTrackCompositeEgress(room, file, { videoTrackId: camera, audioTrackId: microphone });
const active = await client.listEgress({ roomName: room, active: true });
const layout = await code(client.updateLayout(started.egressId, "grid"));
const second = await code(client.startRoomCompositeEgress(room, file));
await pause(2000); // what is recorded
const stopped = await client.stopEgress(started.egressId);
let done = stopped;
while (done.status === EgressStatus.EGRESS_ACTIVE || done.status === EgressStatus.EGRESS_ENDING) {
  await pause(200);
  [done] = await client.listEgress({ egressId: started.egressId });
}
console.log(JSON.stringify({
  id: started.egressId,
  active: active.map((one) => one.egressId),
  layout, second,
  status: EgressStatus[done.status],
  file: done.fileResults[0].filename,
  location: done.fileResults[0].location,
  stream: await code(client.startWebEgress("https://example.com", file)),
}));
