/* What may go wrong while one speaks, or while what was said waits to be sent. */
import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { expect, passing, signIn, test, watch } from "./app";
import { draftsOf, enter, messages, onDevice, only, pending, record, recorder, recordLive, send, sendWhole, spoken } from "./speaking";
import { prompt } from "./speech";

/** Has a page count the bytes that its recorder gives. */
const countRecorded = (page: Page) =>
  page.addInitScript(() => {
    const counted = { recorded: 0 };
    window.MediaRecorder = class extends MediaRecorder {
      constructor(stream: MediaStream, options?: MediaRecorderOptions) {
        super(stream, options);
        this.addEventListener("dataavailable", ({ data }) => Object.assign(window, { recorded: (counted.recorded += data.size) }));
      }
    };
  });

const goOn = (page: Page) => recorder(page).getByRole("button", { name: "Resume" });

/** Has a page show us its audio contexts, microphones and wake locks. */
const uncover = (page: Page) =>
  page.addInitScript(() => {
    const seen = { contexts: [] as AudioContext[], tracks: [] as MediaStreamTrack[], awake: 0 };
    Object.assign(window, { seen });
    window.AudioContext = class extends AudioContext {
      constructor(options?: AudioContextOptions) {
        super(options);
        seen.contexts.push(this);
      }
    };
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wish) => {
      const stream = await open(wish);
      seen.tracks.push(...stream.getTracks());
      return stream;
    };
    if (navigator.wakeLock) {
      navigator.wakeLock.request = () => {
        seen.awake++;
        return Promise.reject(new DOMException("not here", "NotAllowedError"));
      };
    }
  });

interface Seen {
  seen: { contexts: AudioContext[]; tracks: MediaStreamTrack[]; awake: number };
}

test("the microphone is pulled out: it pauses, says so, and goes on with another", async ({ app, hark }) => {
  await uncover(app);
  const conversation = await enter(app, hark, "Pulled out");
  await record(app).click();
  await spoken(app, 3);
  await app.evaluate(() => {
    const track = (window as unknown as Seen).seen.tracks.at(-1)!;
    track.stop();
    track.dispatchEvent(new Event("ended"));
  });
  await expect(recorder(app).getByRole("alert")).toContainText("Microphone disconnected");
  await goOn(app).click();
  await expect(recorder(app).getByRole("alert")).toHaveCount(0);
  await spoken(app, 6);
  await sendWhole(app, hark, conversation);
});

interface Asked {
  asked: { allow: () => void; track?: MediaStreamTrack }[];
}

/** Has a page hold back each answer to who asks for the microphone, until it is allowed. */
const askFirst = (page: Page) =>
  page.addInitScript(() => {
    const asked: Asked["asked"] = [];
    Object.assign(window, { asked });
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wish) => {
      const one: Asked["asked"][number] = { allow: () => {} };
      await new Promise<void>((allow) => {
        one.allow = allow;
        asked.push(one);
      });
      const stream = await open(wish);
      one.track = stream.getAudioTracks()[0]!;
      return stream;
    };
  });

test("begun, cancelled and begun again while the browser asks: the second is heard, and what comes too late is closed", async ({ app, hark }) => {
  await hark.conversation("Beside it");
  await askFirst(app);
  const asks = (n: number) => app.waitForFunction((n) => (window as unknown as Asked).asked.length > n, n);
  const allow = async (n: number) => {
    await asks(n);
    await app.evaluate((n) => (window as unknown as Asked).asked[n]!.allow(), n);
  };
  const track = (n: number) => app.evaluate((n) => (window as unknown as Asked).asked[n]?.track?.readyState, n);
  const discard = async () => {
    await app.keyboard.press("Escape");
    await app.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
    await expect(record(app)).toBeVisible();
  };
  await enter(app, hark, "Asked twice");
  await record(app).click();
  await asks(0);
  await discard();
  await record(app).click();
  await allow(1);
  await spoken(app, 1);
  await allow(0);
  await expect.poll(() => track(0)).toBe("ended");
  await spoken(app, 2);
  expect(await track(1)).toBe("live");
  await discard();

  // Who left does not see that it records: it does not.
  await record(app).click();
  await asks(2);
  await app.getByRole("link", { name: /^Beside it/ }).click();
  await expect(record(app)).toBeVisible();
  await allow(2);
  await expect.poll(() => track(2)).toBe("ended");
});

test("the system takes the sound, as for a call: it pauses, says so, and goes on", async ({ app, hark }) => {
  await uncover(app);
  const conversation = await enter(app, hark, "A call");
  await record(app).click();
  await spoken(app, 3);
  await app.evaluate(() => (window as unknown as Seen).seen.contexts.at(-1)!.suspend());
  await expect(recorder(app).getByRole("alert")).toContainText("Your device interrupted the recording");
  await goOn(app).click();
  await expect(recorder(app).getByRole("alert")).toHaveCount(0);
  await spoken(app, 6);
  await sendWhole(app, hark, conversation);
});

test("the screen is kept awake, again when the page was out of sight, and only while one speaks", async ({ app, hark }) => {
  await uncover(app);
  await enter(app, hark, "Awake");
  const asked = () => app.evaluate(() => (window as unknown as Seen).seen.awake);
  const seenAgain = () => app.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  expect(await asked()).toBe(0);
  await record(app).click();
  await spoken(app, 1);
  await expect.poll(asked).toBe(1);
  await seenAgain();
  await expect.poll(asked).toBe(2);
  await app.keyboard.press("Escape");
  await app.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(record(app)).toBeVisible();
  await seenAgain();
  expect(await asked()).toBe(2);
});

for (const [what, breakIt] of Object.entries({
  "the device is full": () => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, value: unknown, key?: IDBValidKey) {
      if (this.name === "pieces") throw new DOMException("full", "QuotaExceededError");
      return put.call(this, value, key);
    };
  },
  "the browser keeps nothing": () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("forbidden", "SecurityError");
    };
  },
})) {
  test(`${what}, and there is no live connection: it is sent from memory`, async ({ app, hark }) => {
    await app.addInitScript(breakIt);
    await countRecorded(app);
    const conversation = await enter(app, hark, what);
    await app.route("**/whip?*", (route) => route.abort());
    await record(app).click();
    await expect(app.getByText(/This device is out of storage/)).toBeVisible();
    await spoken(app, 6);
    await send(app);
    const { id } = await only(hark, conversation);
    const { original } = await hark.json<{ original: { bytes: number } }>(`/v1/messages/${id}`);
    expect(original.bytes).toBe(await app.evaluate(() => (window as unknown as { recorded: number }).recorded));
    await expect(pending(app)).toBeHidden();

    await app.locator("input[type=file]").setInputFiles(prompt("vm-record-prepend"));
    await expect.poll(async () => (await messages(hark, conversation)).length).toBe(2);
  });
}

test("deleted elsewhere while one speaks: what was said stays here, and can be sent", async ({ app, hark }) => {
  const conversation = await enter(app, hark, "Deleted elsewhere");
  await recordLive(app, hark, conversation);
  await spoken(app, 4);
  const [live] = await draftsOf(hark, conversation);
  await fetch(`${hark.url}/v1/messages/${live!.id}`, { method: "DELETE", headers: { Authorization: `Bearer ${hark.token}` } });
  await expect(recorder(app).getByRole("alert")).toContainText("This was deleted on the server");
  await send(app);
  const message = await only(hark, conversation);
  expect(message.id).not.toBe(live!.id);
  expect(message.duration_ms).toBeGreaterThan(2000);
});

const wav = { name: "vm-record-prepend.wav", mimeType: "audio/wav", buffer: Buffer.alloc(0) };
const file = () => ({ ...wav, buffer: readFileSync(prompt("vm-record-prepend")) });

test("two tabs have one outbox: what waits is sent by one of them, once", async ({ app, context, hark }) => {
  const conversation = await enter(app, hark, "Two tabs");
  const other = await context.newPage();
  const wrong = watch(other);
  await other.goto(`${hark.url}/c/${conversation}`);
  await expect(other.getByRole("button", { name: "Microphone" })).toBeVisible();
  let posts = 0; // that arrived: without a connection it may be tried in vain
  context.on("response", (response) => {
    if (response.request().method() === "POST" && response.url().includes("/messages?")) posts++;
  });
  await context.setOffline(true);
  await app.locator("input[type=file]").setInputFiles(file());
  for (const page of [app, other]) await expect(pending(page).getByRole("listitem")).toHaveCount(1);
  await expect(pending(app).getByText(/Waiting for a connection/)).toBeVisible();
  await context.setOffline(false);
  for (const page of [app, other]) {
    await expect(page.getByRole("article")).toHaveCount(1, { timeout: 20_000 });
    await expect(pending(page)).toBeHidden();
  }
  expect(posts).toBe(1);
  await only(hark, conversation);
  expect(wrong).toEqual([]);
});

test("signed out while something waits: it is sent after the next sign-in", async ({ app, context, hark }) => {
  const conversation = await enter(app, hark, "Signed out");
  await context.setOffline(true);
  await record(app).click();
  await spoken(app, 3);
  await send(app);
  await expect(pending(app).getByText(/Waiting for a connection/)).toBeVisible({ timeout: 15_000 });
  await context.clearCookies(); // as a session that was ended elsewhere
  await context.setOffline(false);
  await expect(app.getByRole("heading", { name: "Say it once." })).toBeVisible({ timeout: 20_000 });
  expect(await onDevice(app)).toBe(1);
  await signIn(app, hark.signInAddress());
  expect((await only(hark, conversation)).duration_ms).toBeGreaterThan(1000);
  await expect.poll(() => onDevice(app)).toBe(0);
});

test("signed out elsewhere in mid-recording: the microphone is let go, and what was said is a draft after the next sign-in", async ({ app, context, hark }) => {
  await app.addInitScript(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const tracks: MediaStreamTrack[] = [];
    Object.assign(window, { tracks });
    navigator.mediaDevices.getUserMedia = async (wish) => {
      const stream = await open(wish);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
  const heard = () => app.evaluate(() => (window as unknown as { tracks: MediaStreamTrack[] }).tracks.map((track) => track.readyState));
  await enter(app, hark, "Cut short");
  await record(app).click();
  await spoken(app, 3);
  expect(await heard()).toContain("live");
  const other = await context.newPage();
  await other.goto(`${hark.url}/settings`);
  await other.getByRole("button", { name: "Sign out" }).click();
  await other.getByRole("dialog", { name: "You have an unsent recording" }).getByRole("button", { name: "Sign out" }).click();
  await expect(app.getByRole("heading", { name: "Say it once." })).toBeVisible({ timeout: 20_000 });
  await expect.poll(heard).not.toContain("live");
  await signIn(other, hark.signInAddress());
  await expect(app.getByRole("region", { name: "Not sent yet" }).getByText(/Unfinished recording/)).toBeVisible({ timeout: 20_000 });
});

test("signing out while something waits asks first, and keeps it", async ({ app, hark }) => {
  await enter(app, hark, "Asked first");
  await app.route("**/v1/conversations/*/*", (route) => (route.request().method() === "POST" ? route.abort() : route.fallback()));
  await record(app).click();
  await spoken(app, 3);
  await send(app);
  await expect(pending(app)).toBeVisible({ timeout: 15_000 });
  await app.goto(`${hark.url}/settings`);
  const signOut = app.getByRole("button", { name: "Sign out" });
  const asked = app.getByRole("dialog", { name: "You have an unsent recording" });
  await signOut.click();
  await asked.getByRole("button", { name: "Cancel" }).click();
  await expect(asked).toBeHidden();
  await signOut.click();
  await asked.getByRole("button", { name: "Sign out" }).click();
  await expect(app.getByRole("heading", { name: "Say it once." })).toBeVisible();
  expect(await onDevice(app)).toBe(1);
});

test("its conversation is deleted while it waits: that is said, and it can be saved or thrown away", async ({ app, context, hark }) => {
  const conversation = await enter(app, hark, "Not for long");
  await context.setOffline(true);
  await record(app).click();
  await spoken(app, 3);
  await send(app);
  await expect(pending(app).getByText(/Waiting for a connection/)).toBeVisible({ timeout: 15_000 });
  await fetch(`${hark.url}/v1/conversations/${conversation}`, { method: "DELETE", headers: { Authorization: `Bearer ${hark.token}` } });
  await context.setOffline(false);
  await app.goto(hark.url);
  await app.getByRole("link", { name: "1 unsent recording" }).click();
  await expect(pending(app).getByRole("alert")).toBeVisible({ timeout: 20_000 });
  const saved = app.waitForEvent("download");
  await pending(app).getByRole("button", { name: /^Save as file/ }).click();
  expect((await saved).suggestedFilename()).toMatch(/^Recording \d{4}-\d\d-\d\d\.webm$/);
  await pending(app).getByRole("button", { name: /^Discard/ }).click();
  await app.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect.poll(() => onDevice(app)).toBe(0);
  await expect(app.getByRole("link", { name: /unsent recording/ })).toHaveCount(0);
});

test("a server that has no time is asked again when it said", async ({ app, hark }) => {
  const conversation = await enter(app, hark, "Busy");
  let asked = 0;
  await app.route("**/messages?*", (route) => {
    if (route.request().method() !== "POST" || ++asked > 1) return route.fallback();
    return route.fulfill({ status: 429, headers: { "Retry-After": "4" }, json: { detail: "Too many at once." } });
  });
  const said = passing(app, /^Too many at once\. It’s only on this device until then/m); // in its own words
  await app.locator("input[type=file]").setInputFiles(file());
  await said;
  await only(hark, conversation);
  expect(asked).toBe(2);
  await expect(pending(app)).toBeHidden();
});
