/* Who people are: the first run, their names, their marks, and the conversations that are between them. */
import type { Browser, Page } from "@playwright/test";

import { expect, signIn, test, watch } from "./app";
import { accessible } from "./axe";
import { Hark } from "./hark";
import { record, recorder } from "./speaking";
import { Tasks } from "./tasks";
import { tone } from "./wav";

interface Person {
  id: string;
  name: string;
}

/** Adds somebody, and opens the app as them in a browser of their own. */
async function arrive(browser: Browser, hark: Hark, name: string, viewport = { width: 1280, height: 800 }) {
  const address = hark.signInAddress(name);
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  return { page, address, context, wrong: watch(page) };
}

const person = async (hark: Hark, name: string) => (await hark.json<{ items: Person[] }>("/v1/users")).items.find((one) => one.name === name)!;

test("the first minutes: the owner says who they are, and whoever is added lands in General", async ({ page, browser }) => {
  const hark = await Hark.start({ HARK_OWNER_NAME: "", HARK_WORKSPACE_NAME: "" });
  const wrong = watch(page);
  await page.goto(hark.signInAddress());
  await page.getByRole("button", { name: /^Sign in/ }).click();
  await expect(page.getByRole("heading", { name: "Welcome to Hark" })).toBeVisible();
  await accessible(page);
  const name = page.getByRole("textbox", { name: "Your name" });
  await expect(name).toBeFocused();
  await expect(name).toHaveValue("");
  const go = page.getByRole("button", { name: "Continue" });
  await expect(go).toBeDisabled();
  await name.fill("\u200b");
  await page.getByRole("textbox", { name: "Workspace name" }).fill("Harbour office");
  await go.click();
  await expect(page.getByRole("alert")).toContainText("1 to 80 characters");
  await name.fill(" Ada \u202e Lovelace ");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Not now" }).click(); // an address and a password

  await expect(page.getByRole("heading", { name: "Say hello" })).toBeVisible();
  await expect(page.getByText("Everyone in Harbour office can listen here", { exact: false })).toBeVisible();
  await expect(page.getByRole("complementary").getByRole("link", { name: "Harbour office" })).toBeVisible();
  await expect(page.locator(".me")).toContainText("Ada Lovelace");
  await page.reload();
  await expect(page.getByRole("heading", { name: "Say hello" })).toBeVisible(); // asked once

  // Somebody new is told of General, and nothing else, on a phone too.
  const { page: phone, address, context, wrong: wrongThere } = await arrive(browser, hark, "Grace Hopper", { width: 390, height: 844 });
  await phone.goto(address);
  await phone.getByRole("button", { name: /^Sign in/ }).click();
  await expect(phone.getByRole("heading", { name: "General" })).toBeVisible();
  await expect(page.getByRole("button", { name: "2 members" })).toBeVisible({ timeout: 30_000 }); // a command is heard of at the next heartbeat
  await phone.getByRole("button", { name: "Say hello" }).click();
  await expect(phone.getByRole("region", { name: "Recording" })).toBeVisible();
  await phone.getByRole("region", { name: "Recording" }).getByRole("button", { name: /Throw away|Discard/ }).click();
  await phone.getByRole("dialog").getByRole("button", { name: /Throw away|Discard/ }).click();
  await phone.getByRole("link", { name: "All conversations" }).click();
  await expect(phone.getByRole("link", { name: /^General/ })).toBeVisible(); // the list stays reachable
  expect([...wrong, ...wrongThere]).toEqual([]);
  await context.close();
  await hark.stop();
});

test("a new name is everywhere at once, and people of one name are told apart", async ({ app, hark, browser }) => {
  const { page: other, address, context, wrong } = await arrive(browser, hark, "Emil");
  await signIn(other, address);
  const emil = await person(hark, "Emil");
  const token = hark.command("token", "create", "--user", emil.id);
  const made = await hark.json<{ id: string }>("/v1/conversations", { method: "POST", body: JSON.stringify({ title: "By name", member_ids: [emil.id] }) });
  await hark.json("/v1/conversations", { method: "POST", body: JSON.stringify({ kind: "direct", member_ids: [emil.id] }) });
  await hark.send(made.id, tone(), { title: "Named" }, token);
  await app.goto(`${hark.url}/c/${made.id}`);
  await expect(app.getByRole("article", { name: /^Emil, / })).toBeVisible();
  await expect(app.getByRole("link", { name: /^Emil/ })).toBeVisible(); // the direct conversation
  const second = await context.newPage(); // another tab of theirs
  await second.goto(`${hark.url}/c/${made.id}`);
  await expect(second.getByRole("article", { name: /^Emil, / })).toBeVisible();

  await other.goto(`${hark.url}/settings`);
  await expect(other.getByRole("button", { name: "Change the workspace name" })).toHaveCount(0); // a member's is not to change
  await other.getByRole("button", { name: "Change your name" }).click();
  await other.getByRole("textbox").fill("Émil \u202e\u0007 Ōta");
  await other.keyboard.press("Enter");
  for (const page of [app, second]) {
    await expect(page.getByRole("article", { name: /^Émil Ōta, / })).toBeVisible();
  }
  await expect(app.getByRole("link", { name: /^Émil Ōta/ })).toBeVisible();
  await expect(other.locator(".me").first()).toContainText("Émil Ōta");
  await expect(app.getByRole("article").locator(".avatar")).toHaveText("ÉŌ");

  // The owner calls themselves the same; by the order of joining, they keep it.
  await app.goto(`${hark.url}/settings`);
  await app.getByRole("button", { name: "Change your name" }).click();
  await app.getByRole("textbox").fill("Émil Ōta");
  await app.keyboard.press("Enter");
  await expect(second.getByRole("article", { name: /^Émil Ōta \(2\), / })).toBeVisible();
  await app.getByRole("button", { name: "Change the workspace name" }).click();
  await app.getByRole("textbox").fill("Harbour");
  await app.keyboard.press("Enter");
  await expect(second.getByRole("complementary").getByRole("link", { name: "Harbour", exact: true })).toBeVisible();

  hark.command("user", "rename", (await hark.json<Person>("/v1/me")).id, "Owner");
  hark.command("workspace", "rename", "Hark");
  await app.reload();
  await expect(app.locator(".me").first()).toContainText("Owner");
  expect(wrong).toEqual([]);
  await context.close();
});

test("one's own messages are tinted, and colours and initials tell people apart", async ({ app, hark }) => {
  const conversation = await hark.conversation("Tints");
  const names = ["Carla Weiss", "Conrad Wolf", "Cem Werner", "Cora Winter"];
  for (const name of names) {
    hark.command("user", "add", name);
    const { id } = await person(hark, name);
    await hark.json(`/v1/conversations/${conversation}/members`, { method: "POST", body: JSON.stringify({ user_id: id }) }).catch(() => {}); // 204 has no JSON
    await hark.send(conversation, tone(), {}, hark.command("token", "create", "--user", id));
  }
  await hark.send(conversation, tone());
  await app.goto(`${hark.url}/c/${conversation}`);
  await expect(app.getByRole("article")).toHaveCount(5);
  const marksNow = () => app.getByRole("article").evaluateAll((cards) =>
    cards.map((card) => {
      const disc = card.querySelector(".avatar")!;
      return { name: card.ariaLabel!.split(",")[0]!, text: disc.textContent, color: getComputedStyle(disc).backgroundColor, tint: getComputedStyle(card).backgroundColor };
    }),
  );
  let marks: Awaited<ReturnType<typeof marksNow>> = [];
  await expect.poll(async () => new Set((marks = await marksNow()).map((one) => one.text)).size).toBe(5); // once it is known who there is
  // Of those who joined one after the other; after more than there are colours one comes again.
  expect(new Set(marks.filter(({ name }) => names.includes(name)).map((one) => one.color)).size).toBe(4);
  const clear = "rgba(0, 0, 0, 0)";
  for (const { name, tint } of marks) expect([name, tint === clear]).toEqual([name, name !== "Owner"]);
});

test("a second direct conversation with somebody opens the first; people are picked by typing", async ({ app, hark }) => {
  for (const name of ["Žofie Dvořák", "Zora Quist", "Anton Zofka"]) hark.command("user", "add", name);
  await app.goto(hark.url);
  const begin = async () => {
    await app.getByRole("button", { name: "New conversation" }).first().click();
    await app.getByText("Direct", { exact: true }).click();
  };
  const field = app.getByRole("combobox", { name: "People" });
  const chips = app.getByRole("dialog").getByRole("button", { name: /^Remove / });
  await begin();
  await field.fill("zof");
  await expect(app.getByRole("option")).toHaveText([/Žofie Dvořák/, /Anton Zofka/]);
  await accessible(app);
  await app.keyboard.press("ArrowDown");
  await app.keyboard.press("Enter");
  await expect(chips).toHaveText([/Anton Zofka/]);
  await expect(field).toHaveValue("");
  await app.keyboard.press("Backspace");
  await expect(chips).toHaveCount(0);
  await field.fill("nobody at all");
  await expect(app.getByText("Nobody called “nobody at all”")).toBeVisible();
  await app.keyboard.press("Escape"); // the words go, the dialog stays
  await expect(field).toHaveValue("");
  await field.fill("ŽOF dvor");
  await field.dispatchEvent("keydown", { key: "Enter", isComposing: true }); // ends a composition
  await expect(chips).toHaveCount(0);
  await app.keyboard.press("Enter");
  await expect(chips).toHaveText([/Žofie/]);
  await app.keyboard.press("Enter"); // with nothing typed it sends the form
  await expect(app.getByRole("heading", { name: "Žofie Dvořák" })).toBeVisible();
  const first = app.url();

  await app.goto(hark.url);
  await begin();
  await field.fill("zofie");
  await app.getByRole("option", { name: "Žofie Dvořák" }).click();
  await app.getByRole("button", { name: /^(Create)$/ }).click();
  await expect(app.getByRole("heading", { name: "Žofie Dvořák" })).toBeVisible();
  expect(app.url()).toBe(first);
  await expect(app.getByRole("link", { name: /^Žofie Dvořák/ })).toHaveCount(1);
});

test("200 people are picked from without a wait", async ({ app, hark }) => {
  const crowd = Array.from({ length: 200 }, (_, i) => ({ id: `01a204c2-4dc4-7140-b091-ce2f7924${String(i).padStart(4, "0")}`, name: `Member ${i}`, color: i % 12, role: "member", created_at: "2026-01-01T00:00:00Z" }));
  await app.route("**/v1/users", (route) => route.fulfill({ json: { items: crowd } }));
  await app.goto(hark.url);
  await app.getByRole("button", { name: "New conversation" }).first().click();
  const field = app.getByRole("combobox", { name: "People" });
  await expect(app.getByRole("option")).toHaveCount(100);
  const tasks = await Tasks.of(app);
  await tasks.start();
  await field.evaluate(async (input: HTMLInputElement) => {
    for (const typed of ["m", "me", "mem", "memb", "membe", "member", "member 1", "member 19", "member 199"]) {
      input.value = typed;
      input.dispatchEvent(new InputEvent("input", { bubbles: true }));
      await new Promise((drawn) => requestAnimationFrame(drawn));
    }
  });
  await expect(app.getByRole("option")).toHaveText([/Member 199/]);
  const [longest] = await tasks.stop();
  console.log(`      the longest task took ${longest!.toFixed(0)} ms`);
  expect(longest).toBeLessThan(100);
});

test("menus offer what one may do", async ({ app, hark, browser }) => {
  const { page: other, address, context, wrong } = await arrive(browser, hark, "Mona");
  await signIn(other, address);
  const mona = await person(hark, "Mona");
  const { id } = await hark.json<{ id: string }>("/v1/conversations", { method: "POST", body: JSON.stringify({ title: "Menus", member_ids: [mona.id] }) });
  await hark.ready((await hark.send(id, tone(), { title: "The owner's" })).id); // nothing more is told of it
  const items = async (page: Page, menu: string) => {
    await page.getByRole("button", { name: menu }).click();
    await expect(page.getByRole("menuitem").first()).toBeFocused();
    const texts = await page.getByRole("menuitem").allTextContents();
    await page.keyboard.press("Escape");
    return texts.map((text) => text.trim());
  };
  await app.goto(`${hark.url}/c/${id}`);
  await other.goto(`${hark.url}/c/${id}`);
  await expect(other.getByRole("article")).toHaveCount(1);
  await expect(app.getByRole("article")).toHaveCount(1);
  expect((await items(other, "Message menu")).filter((text) => /Delete|title/.test(text))).toEqual([]);
  expect((await items(app, "Message menu")).filter((text) => /Delete|title/.test(text))).toHaveLength(2);
  await expect(other.getByRole("link", { name: /^Menus/ }).getByRole("img", { name: "1 message you haven’t heard" })).toBeVisible();
  expect(await items(other, "Conversation menu")).toEqual(["Members", "Mark all as heard", "Keep offline"]);
  expect(await items(app, "Conversation menu")).toEqual(["Members", "Keep offline", "Rename", "History for new members", "Delete conversation"]);
  await other.getByRole("button", { name: "2 members" }).click();
  await expect(other.getByRole("dialog").getByRole("button", { name: "Leave" })).toBeVisible();
  await expect(other.getByRole("dialog").getByRole("button", { name: /^Remove Owner/ })).toHaveCount(0);
  await other.keyboard.press("Escape");
  for (const page of [app, other]) expect((await items(page, "Message menu")).filter((text) => /Download/.test(text))).toHaveLength(1);

  // What failed is not offered again to whom it is refused.
  await other.route(`**/v1/conversations/${id}/messages*`, async (route) => {
    const list = (await (await route.fetch()).json()) as { items: object[] };
    await route.fulfill({ json: { ...list, items: list.items.map((item) => ({ ...item, state: "failed", transcript_version: 0, failure: { reason: "It stopped.", can_retry: true } })) } });
  });
  await other.reload();
  await expect(other.getByText("It stopped.")).toBeVisible();
  await expect(other.getByRole("article").getByRole("button", { name: "Try again" })).toHaveCount(0);

  await other.unrouteAll({ behavior: "wait" });

  // A guest makes nothing, and is told what they wait for.
  hark.command("user", "add", "--role", "guest", "Gast");
  await context.clearCookies();
  await other.goto(hark.command("user", "sign-in", "Gast").split("\n").at(-1)!);
  await other.getByRole("button", { name: /^Sign in/ }).click();
  await expect(other.getByRole("heading", { name: "No conversations yet" })).toBeVisible();
  await expect(other.getByText("as soon as someone adds you")).toBeVisible();
  await expect(other.getByRole("button", { name: "New conversation" })).toHaveCount(0);
  expect(wrong).toEqual([]);
  await context.close();
});

test("each empty state has its one action", async ({ app, hark }) => {
  const conversation = await hark.conversation("Bare");
  await app.goto(`${hark.url}/c/${conversation}`);
  await app.getByRole("button", { name: "Start talking" }).click();
  await expect(app.getByRole("region", { name: "Recording" })).toBeVisible();
  await recorder(app).getByRole("button", { name: "Discard" }).click();
  await app.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(record(app)).toBeVisible();

  // Its messages may be there before the conversation is: then nothing would come of a press.
  let go = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  await app.route(/\/v1\/conversations(\/[0-9a-f-]+)?(\?|$)/, async (route) => (await held, route.continue()));
  await app.goto(`${hark.url}/c/${conversation}`);
  await expect(app.getByRole("button", { name: "Start talking" })).toBeDisabled();
  go();
  await expect(app.getByRole("button", { name: "Start talking" })).toBeEnabled();
  await app.unrouteAll({ behavior: "wait" });

  await app.goto(`${hark.url}/search?q=unheardof&within=day`);
  await app.getByRole("button", { name: "Search without filters" }).click();
  await app.getByRole("button", { name: "New search" }).click();
  await expect(app.getByRole("searchbox")).toBeFocused();
  await expect(app.getByRole("searchbox")).toHaveValue("");

  // Who is alone is told how others get in; who is in no conversation makes one.
  const me = await hark.json<Person & { role: string }>("/v1/me");
  await app.route("**/v1/users", (route) => route.fulfill({ json: { items: [{ ...me, color: 0, created_at: "2026-01-01T00:00:00Z" }] } }));
  await app.route("**/v1/conversations?*", (route) => route.fulfill({ json: { items: [] } }));
  await app.goto(hark.url);
  await expect(app.getByRole("main").getByRole("heading", { name: "No conversations yet" })).toBeVisible();
  await app.getByRole("main").getByRole("button", { name: "New conversation" }).click();
  await expect(app.getByRole("dialog").getByText("Invite someone by a link:")).toBeVisible();
  await accessible(app);
  await app.getByRole("link", { name: "Invite people" }).click();
  await expect(app.getByRole("dialog")).toHaveCount(0);
  await expect(app.getByRole("heading", { name: "Invitations", level: 1 })).toBeVisible();
});
