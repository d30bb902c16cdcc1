/*
 * A WHIP client that was written elsewhere, on a page of another origin:
 * @eyevinn/whip-web-client, with trickle ICE.
 */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, Hark, test } from "./hark";
import { cache, countCaptured, lead, shareCaptured, spokenSeconds, spokenText, steadily, wordErrorRate } from "./speech";

interface Client {
  peer: RTCPeerConnection;
  ingest(stream: MediaStream): Promise<void>;
  destroy(): Promise<void>;
}

/** Another site: a page, and the client's script. */
async function elsewhere(): Promise<{ origin: string; server: Server }> {
  const server = createServer((request, answer) => {
    if (request.url === "/whip-client.js") {
      answer.setHeader("Content-Type", "text/javascript").end(readFileSync(`${cache}/page/whip-client.js`));
    } else {
      answer.setHeader("Content-Type", "text/html").end("<!doctype html><title>Elsewhere</title>");
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return { origin: `http://localhost:${(server.address() as AddressInfo).port}`, server };
}

test("@eyevinn/whip-web-client records from another origin", async ({ page }) => {
  const { origin, server } = await elsewhere();
  const hark = await Hark.start({ HARK_CORS_ORIGINS: origin });
  try {
    const conversation = await hark.conversation("Elsewhere");
    await countCaptured(page);
    await page.goto(origin);
    const seconds = spokenSeconds(1);
    const { spoken: { id }, steady } = await steadily(
      async () => {
        const posted = page.waitForResponse((answer) => answer.url().endsWith("/whip") && answer.request().method() === "POST");
        const silent = await page.evaluate(
          async ({ script, endpoint, token, seconds }) => {
            const { WHIPClient } = (await import(script)) as { WHIPClient: new (options: object) => Client };
            const client = new WHIPClient({ endpoint, opts: { authkey: token, iceServers: [] } });
            const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
            const opened = performance.now();
            await client.ingest(stream);
            while (client.peer.connectionState !== "connected") await new Promise((changed) => client.peer.addEventListener("connectionstatechange", changed, { once: true }));
            const silent = (performance.now() - opened) / 1000;
            await new Promise((wake) => setTimeout(wake, (seconds - silent) * 1000));
            Object.assign(window, { client });
            return silent;
          },
          { script: `${origin}/whip-client.js`, endpoint: `${hark.url}/v1/conversations/${conversation}/whip`, token: hark.token, seconds },
        );
        const share = Math.min(await shareCaptured(page), lead / silent); // what is said before it is connected nobody hears
        await page.evaluate(() => (window as unknown as { client: Client }).client.destroy());
        return { id: (await posted).headers()["hark-message-id"]!, share };
      },
      ({ share }) => share,
    );
    await hark.ready(id);
    const heard = await hark.transcript(id);
    expect(heard.length).toBeGreaterThan(40);
    if (steady) expect(wordErrorRate(spokenText(1), heard), heard).toBeLessThanOrEqual(0.05);
  } finally {
    await hark.stop();
    server.close();
  }
});
