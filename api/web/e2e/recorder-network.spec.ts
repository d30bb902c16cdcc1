/* The recorder over networks that change, come back, or are not there at all. */
import { createSocket } from "node:dgram";
import { type AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";

import type { Page } from "@playwright/test";

import { expect, signIn, test, watch } from "./app";
import { Hark } from "./hark";
import { draftsOf, enter, expectWhole, onDevice, only, pause, pending, record, recorder, recordLive, send, sendWhole, spoken } from "./speaking";

/** Takes down the requests of live recordings: PATCH and what it says. */
function patches(page: Page): { ifMatch: string; body: string; status: number }[] {
  const all: { ifMatch: string; body: string; status: number }[] = [];
  page.on("response", (answer) => {
    const request = answer.request();
    if (request.method() === "PATCH" && request.url().includes("/v1/whip/")) all.push({ ifMatch: request.headers()["if-match"] ?? "", body: request.postData() ?? "", status: answer.status() });
  });
  return all;
}

test("another network: ICE is restarted, and it goes on in the same message", async ({ app, hark }) => {
  const seen = patches(app);
  const conversation = await enter(app, hark, "Another network");
  await recordLive(app, hark, conversation);
  const [before] = await draftsOf(hark, conversation);
  await spoken(app, 3);
  await app.evaluate(() => dispatchEvent(new Event("online")));
  await expect.poll(() => seen.filter(({ ifMatch }) => ifMatch === "*").map(({ status }) => status)).toContain(200);
  // What is said behind the restart arrives there.
  await spoken(app, 12);
  await expect(recorder(app).getByText(/Saved to server · 0:[1-5]/)).toBeVisible({ timeout: 20_000 });
  const message = await sendWhole(app, hark, conversation);
  expect(message.id).toBe(before!.id);
  expect(await hark.transcript(message.id)).toMatch(/mute/i);
  await expect.poll(() => onDevice(app)).toBe(0);
});

test("the server falls silent and is back: so is the live connection, and what was said meanwhile is not lost", async ({ app, hark }) => {
  const seen = patches(app);
  const conversation = await enter(app, hark, "Silent for a while");
  await recordLive(app, hark, conversation);
  await spoken(app, 3);
  hark.freeze();
  await expect(recorder(app).getByText(/Saved on this device/)).toBeVisible({ timeout: 20_000 });
  hark.thaw();
  await expect(recorder(app).getByText(/Saved to server/)).toBeVisible({ timeout: 30_000 });
  // A notice of what is kept may come through before the answer to the restart does.
  await expect.poll(() => seen.some(({ ifMatch, status }) => ifMatch === "*" && status === 200), { timeout: 20_000 }).toBe(true);
  await spoken(app, 15);
  const message = await sendWhole(app, hark, conversation);
  expect(await hark.transcript(message.id)).toMatch(/mute/i);
  await expect.poll(() => onDevice(app)).toBe(0);
});

test("the page asks the STUN servers that Hark names, and tells of what it finds", async ({ page }) => {
  const stun = createSocket("udp4");
  const outer = Object.values(networkInterfaces()).flatMap((all) => all ?? []).find(({ family, internal }) => family === "IPv4" && !internal);
  await new Promise<void>((listening) => stun.bind(0, outer?.address ?? "127.0.0.1", listening));
  const { address, port } = stun.address() as AddressInfo;
  const asked = new Promise<void>((heard) => stun.on("message", (packet) => packet.readUInt16BE(0) === 0x0001 && heard())); // a Binding request (RFC 8489)
  // With a public address the server itself asks no STUN server.
  const hark = await Hark.start({ HARK_ICE_SERVERS: `stun:${address}:${port}`, HARK_WEBRTC_PUBLIC: "127.0.0.1" });
  try {
    const seen = patches(page);
    const wrong = watch(page);
    await signIn(page, hark.signInAddress());
    await recordLive(page, hark, await enter(page, hark, "Behind a NAT"));
    await asked;
    await expect.poll(() => seen.filter(({ body }) => body.includes("a=candidate:")).map(({ status }) => status)).toContain(204);
    expect(wrong).toEqual([]);
  } finally {
    await hark.stop();
    stun.close();
  }
});

test("opened without a connection one speaks all the same; it is sent when the network is back, once", async ({ app, context, hark }) => {
  const conversation = await enter(app, hark, "In the train");
  await app.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await expect.poll(() => app.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  await context.setOffline(true);
  await app.goto(hark.url);
  await expect(app.getByText(/Offline/)).toBeVisible();
  await app.getByRole("link", { name: /^In the train/ }).click();
  await expect(app.getByText(/Can’t reach Hark/)).toBeVisible();
  await record(app).click();
  await expect(recorder(app).getByText(/Saved on this device/)).toBeVisible();
  await spoken(app, 4);
  const length = await pause(app);
  await send(app);
  await expect(pending(app).getByText(/Waiting for a connection/)).toBeVisible({ timeout: 15_000 });

  await app.reload(); // it waits there, too
  await expect(pending(app)).toBeVisible();
  await context.setOffline(false);
  const message = await only(hark, conversation);
  expectWhole(message.duration_ms, length);
  await expect(pending(app)).toBeHidden();
  await expect(app.getByRole("article")).toHaveCount(1);
});

test("who signs out leaves nothing behind for an app without a connection", async ({ app, context, hark }) => {
  await app.goto(`${hark.url}/settings`);
  await app.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await expect.poll(() => app.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  await app.getByRole("button", { name: "Sign out" }).click();
  await expect(app.getByRole("heading", { name: "Say it once." })).toBeVisible();
  await context.setOffline(true);
  await app.goto(hark.url);
  await expect(app.getByText(/Can’t reach Hark/)).toBeVisible();
  await expect(app.getByRole("navigation", { name: "Conversations" })).toHaveCount(0);
  await context.setOffline(false);
});
