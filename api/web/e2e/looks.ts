/* What the pictures are taken of, and how they are taken. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { BrowserContext, Page } from "@playwright/test";

import { signIn } from "./app";
import type { Hark } from "./hark";
import { cache, prompt, root } from "./speech";

const folder = join(root, ".cache/shots");

const allLooks = (["light", "dark"] as const).flatMap((colorScheme) =>
  [{ width: 390, height: 844 }, { width: 1280, height: 800 }].map((viewport) => ({ colorScheme, viewport, deviceScaleFactor: viewport.width < 600 ? 2 : 1 })),
);

/** Every page is looked at on a phone and on a wide screen, by day and by night: each with the other where nobody looks at the pictures, since hardly anything depends on both. */
export const looks = process.env.HARK_SHOTS ? allLooks : [allLooks[0]!, allLooks[3]!];

/** A camera for a page: what it takes is named for what is to be seen, and how wide and in which colours. */
export function camera(page: Page, colorScheme: string, prefix = "") {
  mkdirSync(folder, { recursive: true });
  return async (what: string) => {
    await page.waitForTimeout(300); // what moves comes to rest
    await page.screenshot({ path: join(folder, `${prefix}${what}-${page.viewportSize()!.width}-${colorScheme}.png`) });
  };
}

/** What the voices said, by the name of the file. */
export const said = new Map<string, string>();

/** A voice that says this, as a file. */
export function spoken(name: string, text: string): string {
  const file = join(cache, `${name}.wav`);
  said.set(name, text);
  execFileSync("espeak-ng", ["-v", "en-gb", "-s", "150", "-w", file, text]);
  return file;
}

export interface Furnished {
  main: string;
  empty: string;
  long: string; // all its names are long
  harbour: string;
  failed: string;
}

let furnished: Furnished | undefined;
let cookies: Awaited<ReturnType<BrowserContext["cookies"]>> | undefined;

/** Comes in as the owner; the first time over the sign-in page. */
export async function enter(page: Page, hark: Hark) {
  if (cookies) return page.context().addCookies(cookies);
  await signIn(page, hark.signInAddress());
  cookies = await page.context().cookies();
}

/** Something to look at: people, conversations, messages of every kind. Made once. */
export async function furnish(hark: Hark): Promise<Furnished> {
  if (furnished) return furnished;
  const names = ["Ada Lovelace", "Grace Hopper", "Maximiliane Wolfeschlegelsteinhausen-Bergerdorff"];
  const [ada, grace, maximiliane] = names.map((name) => {
    hark.command("user", "add", name);
    return hark.command("token", "create", "--user", name);
  });
  const people = (await hark.json<{ items: { id: string; name: string }[] }>("/v1/users")).items;
  const ids = people.map((p) => p.id);
  await hark.json("/v1/me", { method: "PATCH", body: JSON.stringify({ name: "Mary Somerville" }) });
  await hark.json("/v1/workspace", { method: "PATCH", body: JSON.stringify({ name: "Harbour office" }) });
  const make = async (title: string, member_ids = ids) => (await hark.json<{ id: string }>("/v1/conversations", { method: "POST", body: JSON.stringify({ title, member_ids }) })).id;

  const long = await make("Zwischenberichtsbesprechungsprotokolle, Donaudampfschifffahrtsgesellschaft 🚢🚢🚢");
  await hark.ready((await hark.send(long, prompt("tt-allbusy"), { title: "Aufnahmezusammenfassungsüberarbeitungsvorschlag zur Hafenrundfahrtsplanung" }, maximiliane)).id);
  const empty = await make("Ideas for the winter");
  for (const title of ["Restoration", "Night shift", "Radio play"]) {
    await hark.ready((await hark.send(await make(title), prompt("vm-record-prepend"))).id);
  }
  const main = await make("Harbour, field notes", people.filter((p) => p.name !== names[2]).map((p) => p.id));
  const harbour = await hark.send(
    main,
    spoken("harbour", "We reached the harbour a little after nine. The crane was already loading the second ship, and the wind came hard from the north. I spoke with the pilot. She says the channel has moved again, about forty meters to the east. The old chart is wrong. I will walk along the pier in the morning and record the bells, if the weather lets me. Please listen to the last minute. It is the engine. Can you hear the knocking too?"),
    { title: "The crane, the pilot, the bells" },
    ada,
  );
  await hark.ready(harbour.id);
  const reply = await hark.send(main, spoken("dock", "I know that sound. We heard it last year."), { reply_to: harbour.id, reply_at_ms: "8200" }, grace);
  await hark.ready(reply.id);
  await hark.ready((await hark.send(main, spoken("knock", "Yes, I hear it. It is the coupling, I think, not the engine."), { title: "The knocking" })).id);
  const failed = await hark.send(main, spoken("tide", "High water is at a quarter past six. I have written it on the board."), { title: "From the old recorder" });
  await hark.ready(failed.id);
  return (furnished = { main, empty, long, harbour: harbour.id, failed: failed.id });
}

/** States that pass too quickly for a picture, as the API would tell them. */
export async function withStates(page: Page, { main, failed }: Furnished) {
  const told = (item: Record<string, unknown>) => {
    if (item.id === failed) return { ...item, state: "failed", transcript_version: 0, failure: { reason: "The recogniser stopped while it listened.", can_retry: true } };
    if (item.reply_to) return { ...item, state: "processing", progress: 0.6, transcript_version: 0 };
    return item;
  };
  await page.route(`**/v1/conversations/${main}/messages*`, async (route) => {
    const list = (await (await route.fetch()).json()) as { items: Record<string, unknown>[] };
    await route.fulfill({ json: { ...list, items: list.items.map(told) } });
  });
  await page.route(`**/v1/messages/${failed}`, async (route) => route.fulfill({ json: told((await (await route.fetch()).json()) as Record<string, unknown>) }));
}

/** The page in German. */
export const german = (page: Page) => page.evaluate(() => localStorage.setItem("hark.prefs", JSON.stringify({ language: "de" })));
