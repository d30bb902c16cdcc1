/* What is shown is what is so: what an event announces is read until it is there, and "up to date" is said only when it is true. */
import type { Page, Route } from "@playwright/test";

import { expect, link, test, upToDate } from "./app";
import { tone } from "./wav";

const card = (page: Page, title: string) => page.getByRole("article").filter({ hasText: title });

test("a message that can't be read when it is announced is read when it can", async ({ app, hark }) => {
  const conversation = await hark.conversation("Missed");
  await app.goto(`${hark.url}/c/${conversation}`);
  await upToDate(app);
  let refused = 0;
  const refuse = (route: Route) => (refused++, refused % 2 ? route.abort() : route.fulfill({ status: 503, json: { code: "unavailable" } }));
  await app.route(/\/v1\/(messages|conversations)\//, refuse);
  await hark.send(conversation, tone(), { title: "Announced" });
  await expect.poll(() => refused).toBeGreaterThan(4);
  await expect(card(app, "Announced")).toHaveCount(0);
  await expect(link(app)).toHaveText("Updating…");
  await app.unroute(/\/v1\/(messages|conversations)\//, refuse);
  await expect(card(app, "Announced")).toBeVisible();
  await upToDate(app);
});

test("a new conversation that can't be read when it is announced comes, and one that was deleted meanwhile does not", async ({ app, hark }) => {
  await upToDate(app);
  let refused = 0;
  await app.route(/\/v1\/conversations\//, (route) => (refused++, route.abort()));
  const deleted = await hark.conversation("Deleted meanwhile");
  await hark.conversation("Comes late");
  await expect.poll(() => refused).toBeGreaterThan(3);
  await fetch(`${hark.url}/v1/conversations/${deleted}`, { method: "DELETE", headers: { Authorization: `Bearer ${hark.token}` } });
  await app.unrouteAll();
  await expect(app.getByRole("link", { name: /^Comes late/ })).toBeVisible();
  await upToDate(app);
  await expect(app.getByRole("link", { name: /^Deleted meanwhile/ })).toHaveCount(0);
});

test("of much that was announced at once nothing is missed, though for a while none of it can be read", async ({ app, hark }) => {
  const conversation = await hark.conversation("Much at once");
  await app.goto(`${hark.url}/c/${conversation}`);
  await upToDate(app);
  await app.route(/\/v1\/conversations/, (route) => route.abort());
  for (let i = 0; i < 25; i++) await hark.conversation(`Many ${i}`);
  await hark.send(conversation, tone(), { title: "Behind many" });
  await expect(link(app)).toHaveText("Updating…");
  await app.unrouteAll();
  await expect(card(app, "Behind many")).toBeVisible();
  for (const i of [0, 24]) await expect(app.getByRole("link", { name: new RegExp(`^Many ${i}\\b`) })).toBeAttached();
  await upToDate(app);
});
