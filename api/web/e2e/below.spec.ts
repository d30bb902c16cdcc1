/* The app below a path, behind a proxy that takes the path off. */
import { createServer, request as ask, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, signIn, test, watch } from "./app";
import { Hark } from "./hark";
import { at, listenIn, sound } from "./sound";
import { prompt } from "./speech";

const path = "/voice/hark";

/** A proxy that answers below the path alone. */
async function proxy(target: () => string): Promise<Server> {
  const server = createServer((came, answer) => {
    if (!came.url!.startsWith(`${path}/`)) return void answer.writeHead(404).end("another program's");
    const going = ask(target() + came.url!.slice(path.length), { method: came.method, headers: came.headers }, (got) => {
      answer.writeHead(got.statusCode!, got.headers);
      got.pipe(answer);
    });
    going.on("error", () => answer.destroy());
    answer.on("close", () => going.destroy());
    came.pipe(going);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

test("the app works below a path", async ({ page, context }) => {
  let listening = "";
  const server = await proxy(() => listening);
  const { port } = server.address() as AddressInfo;
  const hark = await Hark.start({ HARK_PUBLIC_URL: `http://127.0.0.1:${port}${path}` });
  listening = hark.listening;
  expect(hark.url).toBe(`http://127.0.0.1:${port}${path}`);
  const wrong = watch(page);
  const strayed: string[] = [];
  page.on("request", (request) => /^https?:/.test(request.url()) && !request.url().startsWith(`${hark.url}/`) && strayed.push(request.url()));
  await listenIn(page);
  await signIn(page, hark.signInAddress());
  const conversation = await hark.conversation("Below");
  const { id } = await hark.send(conversation, prompt("tt-allbusy"), { title: "Far down" });
  await hark.ready(id);

  // What comes while one looks on, and the ways between the pages.
  await page.getByRole("link", { name: /Below/ }).click();
  await expect(page).toHaveURL(`${hark.url}/c/${conversation}`);
  await page.getByRole("link", { name: "Far down", exact: true }).click();
  await expect(page).toHaveURL(`${hark.url}/m/${id}`);
  await page.locator("div.reader").getByRole("button", { name: "Play Far down" }).click();
  await expect.poll(() => at(page)).toBeGreaterThan(0.3);
  expect((await sound(page)).src).toContain(`${hark.url}/v1/messages/${id}/audio?`);
  await page.goBack();
  await expect(page).toHaveURL(`${hark.url}/c/${conversation}`);
  await page.reload();
  await expect(page.getByRole("button", { name: "Play Far down" }).first()).toBeVisible();
  await page.goto(`${hark.url}/search?q=telemarketers`);
  await expect(page.getByRole("link", { name: "Far down" }).first()).toBeVisible();

  // The worker keeps this path, and no other of the host.
  await expect.poll(() => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state)).toBe("activated");
  expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())!.scope)).toBe(`${hark.url}/`);
  await page.reload();
  await context.setOffline(true);
  await page.goto(`${hark.url}/c/${conversation}`);
  await expect(page.getByRole("navigation", { name: "Conversations" })).toBeVisible();
  await context.setOffline(false);
  expect(strayed).toEqual([]);
  expect(wrong).toEqual([]);
  await hark.stop();
  server.closeAllConnections();
  server.close();
});
