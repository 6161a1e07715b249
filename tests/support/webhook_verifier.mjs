// Verifies requests with the official library for JavaScript: one JSON object a line in, and out the word for each.
// The library is found from the working directory.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { cwd } from "node:process";

const { Webhook } = createRequire(`${cwd()}/`)("standardwebhooks");

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  try {
    new Webhook(secret).verify(Buffer.from(body, "base64").toString("utf8"), headers);
    console.log("verified");
  } catch (error) {
    console.log(`refused: ${error.message}`);
  }
}
