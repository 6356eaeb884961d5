// LiveKit's unchanged server SDK for Node: `node server_api.mjs <http url> <room>`, with "ada" in the room.
// Prints one line of JSON: what each call brought, and the code of one that has to fail.
import { RoomServiceClient, DataPacket_Kind } from "livekit-server-sdk";

const [url, room] = process.argv.slice(2);
const client = new RoomServiceClient(url, "devkey", "secret");
const made = await client.createRoom({ name: "from-node", emptyTimeout: 60, maxParticipants: 5, metadata: "m" });
const rooms = (await client.listRooms()).map((one) => one.name).sort();
const people = (await client.listParticipants(room)).map((one) => one.identity);
const updated = await client.updateParticipant(room, "ada", { metadata: "from node" });
await client.sendData(room, new TextEncoder().encode("hello"), DataPacket_Kind.RELIABLE, { topic: "t" });
const changed = await client.updateRoomMetadata(room, "changed");
await client.deleteRoom("from-node");
let failure = "";
try {
  await client.getParticipant(room, "nobody");
} catch (error) {
  failure = `${error.status} ${error.code}`;
}
console.log(JSON.stringify({
  made: [made.name, made.emptyTimeout, made.maxParticipants, made.metadata],
  rooms, people, metadata: updated.metadata, changed: changed.metadata, failure,
}));
