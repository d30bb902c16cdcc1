/* What is kept on this device: it opens without a connection, and goes when it should. */
import type { Page } from "@playwright/test";

import { passing, playerClock } from "./app";
import { expect, installed, list, test } from "./shell";
import { prompt } from "./speech";
import { tone } from "./wav";

const keptBytes = (page: Page) =>
  page.evaluate(async () => {
    const name = (await indexedDB.databases()).map((one) => one.name!).find((one) => one.startsWith("hark-offline"));
    return { database: name ?? "", listed: Object.keys(localStorage).filter((key) => key.startsWith("hark.offline")) };
  });

test("a conversation that was kept opens without a connection, with its words and its sound; one that was not says so", async ({ app, context, fronted: { hark } }) => {
  const kept = await hark.conversation("On the train");
  const other = await hark.conversation("Left at home");
  const { id } = await hark.send(kept, prompt("vm-record-prepend"), { title: "For the tunnel" });
  await hark.send(other, tone(1), { title: "Not here" });
  await hark.ready(id);
  const words = (await hark.transcript(id)).trim().split(/\s+/).slice(0, 3).join(" ");
  await app.goto(`${hark.url}/c/${kept}`);
  await installed(app);
  const menu = app.getByRole("button", { name: "Conversation menu" });
  await menu.click();
  const said = passing(app, /Kept on this device: 1 message, \d+ kB/);
  await app.getByRole("menuitem", { name: "Keep offline" }).click();
  await said;
  // What is said later is kept by itself.
  const later = await hark.send(kept, tone(2), { title: "Said later" });
  await hark.ready(later.id);
  await expect.poll(() => app.evaluate(() => Object.entries(localStorage).find(([key]) => key.startsWith("hark.offline"))?.[1] ?? ""), { timeout: 20_000 }).toContain('"messages":2');

  await context.setOffline(true);
  await app.goto(`${hark.url}/c/${kept}`);
  await expect(app.getByText(/This is the offline copy from/)).toBeVisible();
  await expect(app.getByRole("article", { name: /Said later/ })).toBeVisible();
  const card = app.getByRole("article", { name: /For the tunnel/ });
  await expect(card.getByText(words)).toBeVisible();
  await card.getByRole("button", { name: "Play For the tunnel" }).click();
  await expect.poll(() => playerClock(app)).toBeGreaterThanOrEqual(1);
  await app.goto(`${hark.url}/m/${id}`);
  await expect(app.locator("[data-w='0']")).toBeVisible();
  await list(app).getByRole("link", { name: /^Left at home/ }).click();
  await expect(app.getByText(/isn’t kept on this device/)).toBeVisible();
  await context.setOffline(false);

  // With a connection it is what the server has; and it can be let go of.
  await app.goto(`${hark.url}/c/${kept}`);
  await expect(app.getByRole("article", { name: /For the tunnel/ })).toBeVisible();
  await expect(app.getByText(/This is the offline copy from/)).toHaveCount(0);
  await menu.click();
  const removed = passing(app, /Offline copy removed\./);
  await app.getByRole("menuitem", { name: /Remove offline copy \(\d+ kB\)/ }).click();
  await removed;
  await context.setOffline(true);
  await app.goto(`${hark.url}/c/${kept}`);
  await expect(app.getByText(/isn’t kept on this device/)).toBeVisible();
  await context.setOffline(false);
});

test("who signs out leaves no copy behind", async ({ app, context, fronted: { hark } }) => {
  const kept = await hark.conversation("To be wiped");
  await hark.send(kept, tone(1), { title: "Gone with me" });
  await app.goto(`${hark.url}/c/${kept}`);
  await installed(app);
  await app.getByRole("button", { name: "Conversation menu" }).click();
  const said = passing(app, /Kept on this device/);
  await app.getByRole("menuitem", { name: "Keep offline" }).click();
  await said;
  await expect.poll(() => keptBytes(app)).toEqual({ database: `hark-offline/voice/hark`, listed: ["hark.offline/voice/hark"] });
  const beside = await context.newPage(); // a second tab, which has it open
  await beside.goto(`${hark.url}/c/${kept}`);
  await expect(beside.getByRole("article", { name: /Gone with me/ })).toBeVisible();
  await app.goto(`${hark.url}/settings`);
  await app.getByRole("button", { name: "Sign out" }).click();
  await expect(app.getByRole("heading", { name: "Say it once." })).toBeVisible();
  await expect.poll(() => keptBytes(app)).toEqual({ database: "", listed: [] });
  await context.setOffline(true);
  await app.goto(`${hark.url}/c/${kept}`);
  await expect(app.getByText(/reach Hark/)).toBeVisible();
  expect(await app.locator("html").innerText()).not.toMatch(/Gone with me|wiped/);
  await context.setOffline(false);
});
