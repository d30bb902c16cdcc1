/*
 * Speaking into Hark from a browser: RTCPeerConnection and WHIP, with no
 * library, as any page would do it.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "@playwright/test";

import { expect, type Hark, type Message, test } from "./hark";
import { cache, spokenSeconds, spokenText, steadily, wordErrorRate } from "./speech";

interface Caption {
  type: string;
  final: boolean;
  end_ms: number;
  text: string;
}

/** What the page knows when it has stopped. */
interface Recording {
  messageID: string;
  sentMS: number;
  tookMS: number;
  captions: Caption[];
  kept: number[];
}

/** Opens an empty page of Hark's own origin, from which one may record. */
async function open(page: Page, hark: Hark) {
  await page.route(`${hark.url}/recorder`, (route) =>
    route.fulfill({ contentType: "text/html", body: "<!doctype html><title>Recorder</title>" }),
  );
  await page.goto(`${hark.url}/recorder`);
}

/** Has the page speak for so long, and stop when the last of it is captioned, or half a minute later: a slow machine hears late. */
function record(page: Page, hark: Hark, conversation: string, seconds: number): Promise<Recording> {
  return page.evaluate(
    async ({ token, conversation, seconds }) => {
      const microphone = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
      const connection = new RTCPeerConnection();
      connection.addTransceiver(microphone.getAudioTracks()[0]!, { direction: "sendonly", streams: [microphone] });
      const captions: Caption[] = [];
      const kept: number[] = [];
      connection.createDataChannel("hark").onmessage = ({ data }) => {
        const news = JSON.parse(data as string) as { type: string; ms: number } & Caption;
        if (news.type === "caption") captions.push(news);
        if (news.type === "kept") Object.assign(window, { kept: kept[kept.push(news.ms) - 1] });
      };
      const connected = new Promise<void>((resolve) => {
        connection.onconnectionstatechange = () => {
          if (connection.connectionState === "connected") resolve();
        };
      });
      await connection.setLocalDescription();
      const authorization = { Authorization: `Bearer ${token}` };
      const answer = await fetch(`/v1/conversations/${conversation}/whip`, {
        method: "POST",
        headers: { ...authorization, "Content-Type": "application/sdp" },
        body: connection.localDescription!.sdp,
      });
      if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
      await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
      await connected;
      const began = performance.now();
      const sleep = (ms: number) => new Promise((wake) => setTimeout(wake, ms));
      await sleep(seconds * 1000);
      const captioned = () => captions.some((caption) => caption.final && caption.end_ms > seconds * 1000 - 2500);
      for (let waited = 0; waited < 30_000 && !captioned(); waited += 100) await sleep(100);
      const tookMS = performance.now() - began;
      microphone.getTracks().forEach((track) => track.stop());
      let packets = 0;
      for (const report of (await connection.getStats()).values()) {
        if (report.type === "outbound-rtp") packets = report.packetsSent as number;
      }
      const stopped = await fetch(answer.headers.get("Location")!, { method: "DELETE", headers: authorization });
      if (!stopped.ok) throw new Error(`DELETE: ${stopped.status}`);
      connection.close();
      return { messageID: answer.headers.get("Hark-Message-Id")!, sentMS: packets * 20, tookMS, captions, kept };
    },
    { token: hark.token, conversation, seconds },
  );
}

/** The length of a file's sound as an independent program sees it, in milliseconds. */
const probe = (file: string) =>
  1000 * Number(execFileSync("ffprobe", ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file]));

/** Expects all that was said to be heard, as long as it was, captioned and found. */
async function expectHeard(hark: Hark, recording: Recording, message: Message, conversation: string) {
  const heard = await hark.transcript(message.id);
  expect(wordErrorRate(spokenText(), heard), heard).toBeLessThanOrEqual(0.05);
  expect(Math.abs(message.duration_ms! - recording.sentMS), `${message.duration_ms} of ${recording.sentMS} ms`).toBeLessThanOrEqual(100);

  expect(recording.captions.some((c) => !c.final), "partial captions").toBe(true);
  const finals = recording.captions.filter((c) => c.final).map((c) => c.text).join(" ");
  expect(wordErrorRate(spokenText(), finals), finals).toBeLessThanOrEqual(0.2);

  const found = await hark.json<{ hits: { message: { id: string } }[] }>(`/v1/search?q=telemarketers&conversation=${conversation}&sort=newest`);
  expect(found.hits[0]?.message.id).toBe(message.id);
}

test("what a browser says is kept, captioned, transcribed, found and played", async ({ page, hark }) => {
  const conversation = await hark.conversation("Spoken");
  await open(page, hark);
  const { spoken: recording, steady } = await steadily(
    () => record(page, hark, conversation, spokenSeconds() + 0.5),
    ({ sentMS, tookMS }) => sentMS / tookMS,
  );
  const message = await hark.ready(recording.messageID);
  expect(recording.kept.length, "notices of what is on the disk").toBeGreaterThan(5);
  if (steady) await expectHeard(hark, recording, message, conversation);

  for (const format of ["", "?format=original"]) {
    const { url } = await hark.json<{ url: string }>(`/v1/messages/${message.id}/audio-url${format}`);
    const file = join(cache, `heard${format ? ".opus" : ".m4a"}`);
    writeFileSync(file, new Uint8Array(await (await fetch(url)).arrayBuffer()));
    expect(Math.abs(probe(file) - message.duration_ms!), `length of ${file}`).toBeLessThanOrEqual(100);
    const played = await page.evaluate(async (src) => {
      const player = new Audio(src);
      const heard = new Promise((resolve) => (player.ontimeupdate = () => player.currentTime > 0.5 && resolve(undefined)));
      await player.play();
      await heard;
      return { length: player.duration, error: player.error?.message };
    }, url);
    expect(played.error).toBeUndefined();
    expect(Math.abs(played.length * 1000 - message.duration_ms!)).toBeLessThanOrEqual(150);
  }
});

test("a tab that closes leaves what was said", async ({ context, hark }) => {
  const conversation = await hark.conversation("Closed");
  const page = await context.newPage();
  await open(page, hark);
  const started = page.waitForResponse((answer) => answer.url().endsWith("/whip") && answer.status() === 201);
  const speaking = record(page, hark, conversation, 60).catch(() => undefined);
  const messageID = (await started).headers()["hark-message-id"]!;
  await page.waitForFunction(() => (window as unknown as { kept?: number }).kept! > 7000, undefined, { timeout: 60_000 });
  await page.close();
  await speaking;
  const message = await hark.ready(messageID);
  expect(message.duration_ms).toBeGreaterThan(7000);
  expect((await hark.transcript(messageID)).length).toBeGreaterThan(10);
});
