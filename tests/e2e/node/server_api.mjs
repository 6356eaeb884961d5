// LiveKit's unchanged server SDK for Node: `node server_api.mjs <http url> <room> <camera's sid> <microphone's sid>`, with
// "ada" publishing and "bob" watching in the room. Prints one line of JSON: what each call of RoomService brought.
import { RoomServiceClient, DataPacket_Kind } from "livekit-server-sdk";

const [url, room, camera, microphone] = process.argv.slice(2);
const client = new RoomServiceClient(url, "devkey", "secret");
const code = async (call) => {
  try {
    await call;
    return "";
  } catch (error) {
    return `${error.status} ${error.code}`;
  }
};

const made = await client.createRoom({ name: "from-node", emptyTimeout: 60, maxParticipants: 5, metadata: "m" });
const rooms = (await client.listRooms()).map((one) => one.name).sort();
const people = (await client.listParticipants(room)).map((one) => one.identity).sort();
const got = (await client.getParticipant(room, "ada")).tracks.map((track) => track.sid).sort();
const updated = await client.updateParticipant(room, "ada", { metadata: "from node" });
const muted = (await client.mutePublishedTrack(room, "ada", microphone, true)).muted;
const unmuted = await code(client.mutePublishedTrack(room, "ada", microphone, false));
await client.updateSubscriptions(room, "bob", [camera], false);
await client.sendData(room, new TextEncoder().encode("hello"), DataPacket_Kind.RELIABLE, { topic: "t" });
const changed = await client.updateRoomMetadata(room, "changed");
await client.moveParticipant(room, "bob", "from-node");
await client.forwardParticipant(room, "ada", "from-node");
const moved = (await client.listParticipants("from-node")).map((one) => one.identity).sort();
await client.removeParticipant(room, "ada", { revokeTokenTs: BigInt(Math.floor(Date.now() / 1000) + 60) });
const removed = await code(client.getParticipant(room, "ada"));
await client.deleteRoom("from-node");
console.log(JSON.stringify({
  made: [made.name, made.emptyTimeout, made.maxParticipants, made.metadata],
  rooms, people, got, metadata: updated.metadata, muted, unmuted, changed: changed.metadata, moved, removed,
  left: (await client.listRooms()).map((one) => one.name),
}));
