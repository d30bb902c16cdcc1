/*
 * A WHIP client that was written elsewhere, on a page of another origin:
 * @eyevinn/whip-web-client, with trickle ICE.
 */
import { readFileSync } from "node:fs";

import { expect, test } from "./hark";
import { cache, spokenSeconds, spokenText, wordErrorRate } from "./speech";

interface Client {
  ingest(stream: MediaStream): Promise<void>;
  getResourceUrl(): Promise<string>;
  destroy(): Promise<void>;
}

test("@eyevinn/whip-web-client records from another origin", async ({ page, hark }) => {
  const conversation = await hark.conversation("Elsewhere");
  await page.route("http://localhost:9/**", (route) =>
    route.request().url().endsWith("/whip-client.js")
      ? route.fulfill({ contentType: "text/javascript", body: readFileSync(`${cache}/page/whip-client.js`, "utf8") })
      : route.fulfill({ contentType: "text/html", body: "<!doctype html><title>Elsewhere</title>" }),
  );
  await page.goto("http://localhost:9/");
  const posted = page.waitForResponse((answer) => answer.url().endsWith("/whip") && answer.request().method() === "POST");
  await page.evaluate(
    async ({ endpoint, token, seconds }) => {
      const { WHIPClient } = (await import("http://localhost:9/whip-client.js" as string)) as {
        WHIPClient: new (options: object) => Client;
      };
      const client = new WHIPClient({ endpoint, opts: { authkey: `Bearer ${token}`, iceServers: [] } });
      await client.ingest(await navigator.mediaDevices.getUserMedia({ audio: true }));
      await new Promise((wake) => setTimeout(wake, seconds * 1000));
      await client.destroy();
    },
    { endpoint: `${hark.url}/v1/conversations/${conversation}/whip`, token: hark.token, seconds: spokenSeconds() + 0.5 },
  );
  const message = await hark.ready((await posted).headers()["hark-message-id"]!);
  const heard = await hark.transcript(message.id);
  expect(wordErrorRate(spokenText(), heard), heard).toBeLessThanOrEqual(0.05);
});
