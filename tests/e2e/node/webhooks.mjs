// LiveKit's unchanged server SDK for Node as a receiver of webhooks: `node webhooks.mjs <api key> <secret>`.
// Prints its port, then a line of JSON for each webhook: the event and the names in it, or why it was refused.
import { createServer } from "node:http";
import { WebhookReceiver } from "livekit-server-sdk";

const receiver = new WebhookReceiver(...process.argv.slice(2));
const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  try {
    const event = await receiver.receive(body, request.headers.authorization);
    const { event: name, id, room, participant, track } = event;
    const type = request.headers["content-type"];
    console.log(JSON.stringify({ name, id, room: room?.name, participant: participant?.identity, mime: track?.mimeType, type }));
    response.writeHead(200).end();
  } catch (error) {
    console.log(JSON.stringify({ refused: String(error) }));
    response.writeHead(401).end();
  }
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
