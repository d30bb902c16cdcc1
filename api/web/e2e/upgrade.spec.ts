/* A new version on the server, while pages of the one before are open. */
import { Build } from "./build";
import { signIn, watch } from "./app";
import { expect, installed, list, test, versionOf, versions } from "./shell";
import { clock, expectWhole, messages, pause, record, send, spoken } from "./speaking";

test("each tab loads the new version when it is asked to, and one that records not before it is sent", async ({ app, context, fronted: { hark, front } }) => {
  const conversation = await hark.conversation("Through an upgrade");
  await installed(app);
  const before = await versionOf(app);
  const [speaking, idle] = [app, await context.newPage()];
  const wrong = watch(idle);
  await speaking.goto(`${hark.url}/c/${conversation}`);
  await idle.goto(`${hark.url}/search`);
  await expect(idle.getByRole("searchbox")).toBeVisible();
  await record(speaking).click();
  await spoken(speaking, 1);

  front.build = Build.next(front.path);
  const { version } = front.build;
  for (const page of [speaking, idle]) await page.evaluate(() => dispatchEvent(new Event("online")));
  const reload = (page: typeof app) => page.getByRole("status").filter({ has: page.getByRole("button", { name: "Reload" }) }).getByRole("button", { name: "Reload" });
  for (const page of [speaking, idle]) await expect(reload(page)).toBeVisible();
  await expect.poll(() => versions(app), { timeout: 20_000 }).toEqual([before, version]);

  // The one whose parts are gone on the server has them all the same.
  await list(idle).getByRole("link", { name: /^Through an upgrade/ }).click();
  await expect(idle.getByRole("button", { name: "Microphone" })).toBeVisible();
  expect(await versionOf(idle)).toBe(before);
  expect(await idle.evaluate(() => performance.getEntriesByType("resource").some(({ name }) => name.includes("/recorder-")))).toBe(true);

  await reload(speaking).click({ noWaitAfter: true });
  await expect(speaking.getByText("Hark reloads once your recording is sent.")).toBeVisible();
  const at = await clock(speaking);
  await reload(idle).click({ noWaitAfter: true });
  await expect.poll(() => versionOf(idle).catch(() => ""), { timeout: 20_000 }).toBe(version);
  await expect(list(idle)).toBeVisible();
  await expect(reload(idle)).toBeHidden();
  await spoken(speaking, at + 1);
  expect(await versionOf(speaking)).toBe(before);
  expect((await versions(idle)).sort()).toEqual([before, version].sort());

  const length = await pause(speaking);
  await send(speaking);
  await expect.poll(() => versionOf(speaking).catch(() => ""), { timeout: 20_000 }).toBe(version);
  await expect.poll(async () => (await messages(hark, conversation)).map(({ state, duration_ms }) => state !== "recording" && duration_ms !== undefined), { timeout: 30_000 }).toEqual([true]);
  expectWhole((await messages(hark, conversation))[0]!.duration_ms, length);

  // No page is made of the version before: it goes with the next that is opened.
  await idle.reload();
  await expect.poll(() => versions(idle), { timeout: 20_000 }).toEqual([version]);
  expect(wrong).toEqual([]);
});

test("where no worker keeps them, a page whose parts are gone loads itself anew, once", async ({ browser, fronted: { hark, front } }) => {
  const context = await browser.newContext({ serviceWorkers: "block" });
  const page = await context.newPage();
  try {
    const conversation = await hark.conversation("Without a worker");
    await signIn(page, hark.signInAddress());
    await page.goto(`${hark.url}/search`);
    await expect(list(page).getByRole("link", { name: /^Without a worker/ })).toBeVisible();
    const before = await versionOf(page);
    front.build = Build.next(front.path);
    await list(page).getByRole("link", { name: /^Without a worker/ }).click();
    await expect.poll(() => versionOf(page).catch(() => "")).toBe(front.build.version);
    expect(before).not.toBe(front.build.version);
    await expect(page).toHaveURL(`${hark.url}/c/${conversation}`);
    await expect(page.getByRole("button", { name: "Microphone" })).toBeVisible();
  } finally {
    front.build = undefined;
    await context.close();
  }
});
