// Verifies Daily's webhooks as its documented sample does: the body is parsed, written again, and the signature
// checked over that. Takes one JSON object a line on standard input, and answers each with true or false.
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, timestamp, signature, body } = JSON.parse(line);
  const signed = `${timestamp}.${JSON.stringify(JSON.parse(body))}`;
  const expected = createHmac("sha256", Buffer.from(secret, "base64")).update(signed).digest("base64");
  console.log(expected === signature);
}
