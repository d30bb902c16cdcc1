/* What one has not heard: counted and marked, the same on all devices, and kept where there is no connection. */
import type { Page } from "@playwright/test";

import { expect, signIn, upToDate, watch } from "./app";
import { accessible } from "./axe";
import type { Hark } from "./hark";
import { test } from "./listening";
import { ended } from "./sound";
import { tone } from "./wav";

const line = (page: Page, title: string) => page.getByRole("navigation").getByRole("link", { name: new RegExp(`^${title}`) });
const counted = (page: Page, title: string, n: number) => expect(line(page, title).getByRole("img", { name: `${n} message${n === 1 ? "" : "s"} you haven’t heard` })).toHaveText(String(n));
const nothing = (page: Page, title: string) => expect(line(page, title).getByRole("img")).toHaveCount(0);
const card = (page: Page, title: string) => page.getByRole("article", { name: new RegExp(`: ${title},`) });
const isNew = (page: Page, title: string) => expect(card(page, title).getByText("Not heard yet")).toBeAttached();
const isHeard = (page: Page, title: string) => expect(card(page, title).getByText("Not heard yet")).toHaveCount(0);

/** A conversation of the owner with somebody who speaks by a program. */
async function withBob(hark: Hark, title: string) {
  hark.command("user", "add", `Bob ${title}`);
  const token = hark.command("token", "create", "--user", `Bob ${title}`).split("\n").at(-1)!;
  const { items } = await hark.json<{ items: { id: string; name: string }[] }>("/v1/users");
  const { id } = await hark.json<{ id: string }>("/v1/conversations", { method: "POST", body: JSON.stringify({ title, member_ids: items.filter(({ name }) => name === `Bob ${title}`).map((one) => one.id) }) });
  return { id, says: async (name: string, seconds = 2) => hark.ready((await hark.send(id, tone(seconds), { title: name }, token)).id) };
}

test("what others say is counted until it is heard, on every device", async ({ app, hark, browser }, info) => {
  const { id, says } = await withBob(hark, "Unheard");
  const context = await browser.newContext();
  const other = await context.newPage();
  const wrong = watch(other);
  await signIn(other, hark.signInAddress());
  await says("First");
  await says("Second");
  for (const page of [app, other]) {
    await counted(page, "Unheard", 2);
    await line(page, "Unheard").click();
    await isNew(page, "First");
  }
  await accessible(app, "unheard");
  await app.screenshot({ path: info.outputPath("unheard.png") });

  // It plays both, one after the other; the other device knows.
  await card(app, "First").getByRole("button", { name: /^Play/ }).click();
  await isHeard(other, "First");
  await isHeard(other, "Second");
  await ended(app);
  for (const page of [app, other]) await nothing(page, "Unheard");
  const heard = await hark.json<{ heard: { done: boolean; ranges: { from_ms: number; to_ms: number }[] } }>(`/v1/messages/${(await hark.json<{ items: { id: string }[] }>(`/v1/conversations/${id}/messages`)).items[0]!.id}`);
  expect(heard.heard).toMatchObject({ done: true, ranges: [{}] });

  // From here on anew, there; and all at once, here.
  await card(other, "Second").getByRole("button", { name: "Message menu" }).click();
  await other.getByRole("menuitem", { name: "Mark as not heard from here" }).click();
  for (const page of [app, other]) await counted(page, "Unheard", 1);
  await isNew(app, "Second");
  await isHeard(app, "First");
  await app.getByRole("button", { name: "Conversation menu" }).click();
  await app.getByRole("menuitem", { name: "Mark all as heard" }).click();
  for (const page of [app, other]) await nothing(page, "Unheard");
  await isHeard(other, "Second");
  expect(wrong).toEqual([]);
  await context.close();
});

test("what is heard without a connection is told when there is one", async ({ app, hark }) => {
  const { says } = await withBob(hark, "Tunnel");
  await says("Train", 3);
  await counted(app, "Tunnel", 1);
  await line(app, "Tunnel").click();
  await isNew(app, "Train");
  // The sound is there; what is told of it is not.
  let cut = true;
  let refused = 0;
  await app.route("**/v1/heard", (route) => {
    if (!cut) return route.continue();
    refused++;
    return route.abort();
  });
  await card(app, "Train").getByRole("button", { name: /^Play/ }).click();
  await ended(app);
  await expect.poll(() => refused).toBeGreaterThan(0);
  await counted(app, "Tunnel", 1);
  await app.reload();
  await expect(card(app, "Train")).toBeVisible();
  await upToDate(app);
  cut = false;
  await app.evaluate(() => dispatchEvent(new Event("online")));
  await nothing(app, "Tunnel");
  await isHeard(app, "Train");
  await expect.poll(() => app.evaluate(() => localStorage.getItem("hark.heard"))).toBeNull(); // the event may come before the answer
});
