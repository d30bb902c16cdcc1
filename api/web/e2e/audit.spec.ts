/* What owners and admins see of what was done, and of what is taken: the audit log, and usage. */
import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { expect, signIn, test as base, watch } from "./app";
import { accessible } from "./axe";
import { Hark } from "./hark";
import { lost } from "./look";
import { camera, looks } from "./looks";
import { prompt } from "./speech";

/** Nobody transcribes here: what is said is not the subject. */
const test = base.extend<object, { hark: Hark }>({
  hark: [
    async ({}, use) => {
      const hark = await Hark.start({ HARK_ENGINE: "openai", HARK_OPENAI_URL: "http://127.0.0.1:9", HARK_QUOTA_BYTES: "5000000000" });
      await use(hark);
      await hark.stop();
    },
    { scope: "worker" },
  ],
});

const entries = (page: Page) => page.getByRole("list", { name: "Audit log" }).getByRole("listitem");

const patch = (hark: Hark, path: string, body: object) => hark.json(path, { method: "PATCH", body: JSON.stringify(body) });

test("the audit log is read, filtered, brought up to date without a jump, and exported", async ({ app, hark }) => {
  const talk = await hark.conversation("Harbour, field notes");
  const sent = await hark.send(talk, prompt("vm-record-prepend"));
  hark.command("user", "add", "Grace Hopper");
  for (let i = 0; i < 60; i++) await patch(hark, "/v1/workspace", { name: `Hark ${i}` });
  await app.goto(`${hark.url}/settings`);
  await app.getByRole("link", { name: "Audit log" }).click();
  await expect(entries(app)).toHaveCount(50);
  await expect(entries(app).first()).toContainText("Owner renamed the workspace from “Hark 58” to “Hark 59”");
  await expect(entries(app).first()).toContainText("from 127.0.0.1");
  await app.getByRole("button", { name: "Show more" }).click();
  await expect(entries(app).filter({ hasText: "(on the server) added Grace Hopper as a member" })).toHaveCount(1);
  await entries(app).getByRole("link", { name: "Harbour, field notes" }).first().click();
  await expect(app.getByRole("heading", { name: "Harbour, field notes" })).toBeVisible();
  await app.goBack();
  await expect(entries(app)).toHaveCount(50);

  // Playing is recorded once it is asked for, and everybody is told.
  await app.getByRole("switch", { name: "Record who plays and downloads messages" }).click();
  await app.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(app.getByRole("switch")).not.toBeChecked();
  await app.getByRole("switch").click();
  const saved = app.waitForResponse((response) => response.url().endsWith("/v1/audit/settings") && response.request().method() === "PATCH"); // the switch shows it earlier
  await app.getByRole("dialog").getByRole("button", { name: "Record" }).click();
  await saved;
  await expect(app.getByRole("switch")).toBeChecked();
  for (let i = 0; i < 3; i++) await fetch(`${hark.listening}/v1/messages/${sent.id}/audio?format=original`, { headers: { Authorization: `Bearer ${hark.token}` } });

  // What is new comes on top, and what is being read stays where it is.
  const read = entries(app).nth(30);
  await read.scrollIntoViewIfNeeded();
  const text = await read.textContent();
  const before = (await read.boundingBox())!.y;
  await app.getByRole("button", { name: "Show newest" }).click();
  await expect(app.getByText("2 new entries.")).toBeVisible();
  const same = entries(app).nth(32);
  expect(await same.textContent()).toBe(text);
  expect(Math.abs((await same.boundingBox())!.y - before)).toBeLessThan(2);
  await app.getByRole("button", { name: "Show", exact: true }).click();
  await expect(entries(app).first()).toContainText("Owner played a message from Owner in Harbour, field notes");
  await expect(entries(app).first()).toBeInViewport();

  await app.getByLabel("Action").selectOption({ label: "Recording of plays changed" });
  await expect(entries(app)).toHaveText([/Owner started recording who plays/]);
  await app.getByLabel("Person").selectOption({ label: "Grace Hopper" });
  await expect(app.getByRole("heading", { name: "No entries match" })).toBeVisible();
  await app.reload(); // the address has what was asked for
  await expect(app.getByRole("heading", { name: "No entries match" })).toBeVisible();
  await app.getByRole("main").getByRole("button", { name: "Clear filters" }).last().click();
  await expect(entries(app)).toHaveCount(50);
  const today = await app.evaluate(() => new Date().toLocaleDateString("sv"));
  await app.getByLabel("Until").fill("2020-01-01");
  await expect(app.getByRole("heading", { name: "No entries match" })).toBeVisible();
  await app.getByLabel("Until").fill(today);
  await app.getByLabel("Action").selectOption({ label: "Message played" });
  await expect(entries(app)).toHaveCount(1);
  const downloads = app.waitForEvent("download");
  await app.getByRole("link", { name: "Export 1 entry" }).click();
  const download = await downloads;
  expect(download.suggestedFilename()).toBe("audit.jsonl");
  const lines = readFileSync(await download.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line) as { action: string });
  expect(lines.map(({ action }) => action)).toEqual(["message_played"]);

  await app.goto(`${hark.url}/settings`);
  await expect(app.getByText("This workspace records who plays and downloads which message.")).toBeVisible();
  await patch(hark, "/v1/audit/settings", { listening: false });
});

test("owners set limits within the server's, and see what each person takes", async ({ app, hark }) => {
  await hark.send(await hark.conversation("Usage"), prompt("vm-record-prepend"));
  hark.command("user", "add", "Žofie Dvořák");
  await app.goto(`${hark.url}/settings/usage`);
  const main = app.getByRole("main");
  await expect(main).toContainText(/kB of 5 GB/);
  const field = app.getByRole("spinbutton", { name: "Storage (GB)" });
  await field.fill("6");
  await app.keyboard.press("Enter");
  await expect(app.getByRole("alert")).toHaveText("That’s more than the server allows: 5 GB.");
  await expect(field).toBeFocused();
  await field.fill("0.00001");
  await app.getByRole("button", { name: "Save limits" }).click();
  await expect(main).toContainText(/kB of 10 kB/);
  await expect(main.getByText("Full.", { exact: false })).toBeVisible();
  await field.fill("");
  await app.getByRole("button", { name: "Save limits" }).click();
  await expect(main).toContainText(/kB of 5 GB/);
  const people = app.getByRole("list", { name: "By person" }).getByRole("listitem");
  await expect(people.filter({ hasText: "Owner" })).toContainText(/kB stored, 1 min/);
  await app.getByRole("searchbox", { name: "Search people" }).fill("dvor");
  await expect(people).toHaveText([/Žofie Dvořák Nothing stored/]);
});

test("both pages fit, axe finds nothing, and they speak German", async ({ hark, browser }) => {
  await hark.conversation("Zwischenberichtsbesprechungsprotokolle, Donaudampfschifffahrtsgesellschaft");
  hark.command("user", "add", "Maximiliane Wolfeschlegelsteinhausen-Bergerdorff");
  for (const look of looks) {
    const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
    const page = await context.newPage();
    const wrong = watch(page);
    const shot = camera(page, look.colorScheme);
    await signIn(page, hark.signInAddress());
    const fits = async (what: string) => {
      expect((await lost(page)).map((one) => `${what}: ${one}`)).toEqual([]);
      await accessible(page, what);
      if (process.env.HARK_SHOTS) await shot(what);
    };
    const german = look.colorScheme === "dark";
    const [audit, usage] = german ? ["Protokoll", "Nutzung"] : ["Audit log", "Usage"];
    if (german) await page.evaluate(() => localStorage.setItem("hark.prefs", JSON.stringify({ language: "de" })));
    await page.goto(`${hark.url}/settings/audit`);
    await expect(page.getByRole("heading", { name: audit, level: 1 })).toBeVisible();
    await expect(page.getByRole("list", { name: audit }).getByText("Wolfeschlegel", { exact: false }).first()).toBeVisible();
    await fits(`audit-${audit}`);
    await page.goto(`${hark.url}/settings/usage`);
    await expect(page.getByRole("heading", { name: usage, level: 1 })).toBeVisible();
    await expect(page.getByText("Wolfeschlegel", { exact: false }).last()).toBeVisible();
    await fits(`usage-${usage}`);
    for (const [path, call] of german ? [] : ([["audit", "**/v1/audit?*"], ["usage", "**/v1/usage"]] as const)) {
      await page.route(call, (route) => route.abort());
      await page.goto(`${hark.url}/settings/${path}`);
      await expect(page.getByRole("alert").first()).toContainText("Can’t reach Hark");
      await page.unroute(call);
      await page.getByRole("main").getByRole("button", { name: "Try again" }).click();
      await expect(page.getByText("Wolfeschlegel", { exact: false }).last()).toBeVisible();
    }
    expect(wrong).toEqual([]);
    await context.close();
  }
});
