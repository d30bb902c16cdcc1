/*
 * Long things stay smooth: thousands of messages, hours of words. Nothing that
 * the page does at once may take 100 ms.
 */
import { expect, signIn, test, watch } from "./app";
import { Hark } from "./hark";
import { Tasks } from "./tasks";
import { silence } from "./wav";

const longest = 100; // ms

/** Says how long the longest tasks took, and takes the longest. */
function worst(what: string, tasks: number[]): number {
  console.log(`      ${tasks.length} tasks ${what}, the longest ${tasks.slice(0, 5).map((ms) => ms.toFixed(0)).join(", ")} ms`);
  expect(tasks.length).toBeGreaterThan(100);
  return tasks[0]!;
}

test("5,000 messages scroll smoothly", async ({ page, hark }) => {
  const wrong = watch(page);
  const tasks = await Tasks.of(page);
  const conversation = await hark.conversation("Much");
  hark.command("bench", "seed", conversation, "--messages=5000");
  await signIn(page, hark.signInAddress());
  await page.goto(`${hark.url}/c/${conversation}`);
  const box = page.locator("[role=feed] .box");
  await expect(page.getByRole("article").first()).toBeVisible();
  await tasks.start(); // what loading took is another test's
  // Back to the beginning of all, a screen or so at a time, as one who looks for something.
  await box.hover();
  await expect
    .poll(async () => (await page.mouse.wheel(0, -4000), await page.getByText("This is the beginning of the conversation.").isVisible()), { intervals: [60], timeout: 150_000 })
    .toBe(true);
  const up = worst("on the way up", await tasks.stop());
  await tasks.start();
  for (let i = 0; i < 60; i++) {
    await page.mouse.wheel(0, 5000);
    await page.waitForTimeout(40);
  }
  await page.getByRole("button", { name: "Jump to newest" }).click();
  await expect(page.getByRole("button", { name: "Jump to newest" })).toHaveCount(0);
  const down = worst("on the way down", await tasks.stop());
  expect(Math.max(up, down)).toBeLessThan(longest);
  expect(await page.getByRole("article").count()).toBeLessThan(60);
  expect(wrong).toEqual([]);
});

test("a transcript of two hours scrolls and lights up smoothly", async ({ page }) => {
  // Nobody transcribes here: the words are the test's own.
  const hark = await Hark.start({ HARK_ENGINE: "openai", HARK_OPENAI_URL: "http://127.0.0.1:9" });
  const wrong = watch(page);
  const tasks = await Tasks.of(page);
  const seconds = 7200;
  const sent = await hark.send(await hark.conversation("Long"), silence(seconds), { title: "Two hours" });
  const words = Array.from({ length: 20_000 }, (_, i) => ({ text: `word${i}`, start_ms: i * 360, end_ms: i * 360 + 300, confidence: i % 9 ? 0.95 : 0.3 }));
  const segments = Array.from({ length: 1000 }, (_, i) => {
    const said = words.slice(i * 20, i * 20 + 20);
    return { start_ms: said[0]!.start_ms, end_ms: said[19]!.end_ms, text: said.map((word) => word.text).join(" "), words: said };
  });
  await page.route(`**/v1/messages/${sent.id}`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ json: { ...((await answer.json()) as object), transcript_version: 1, duration_ms: seconds * 1000, state: "ready", failure: undefined } });
  });
  await page.route(`**/v1/messages/${sent.id}/transcript.json`, (route) => route.fulfill({ json: { message_id: sent.id, version: 1, text: "", segments, gaps: [], language_doubt: false } }));
  await page.setViewportSize({ width: 900, height: 800 });
  await signIn(page, hark.signInAddress());
  await page.goto(`${hark.url}/m/${sent.id}`);
  await expect(page.locator("[data-w='0']")).toBeVisible();
  await tasks.start();

  await page.getByRole("button", { name: "Play Two hours" }).first().click();
  await expect(page.locator("[data-w].said")).toHaveText(/^word\d+$/);
  await page.waitForTimeout(3000); // eight words
  // To the middle and about, by the waveform: the words follow.
  const place = page.locator(".reader").getByRole("slider");
  const { x, y, width, height } = (await place.boundingBox())!;
  for (const part of [0.5, 0.9, 0.1, 0.7]) {
    await page.mouse.click(x + width * part, y + height / 2);
    const about = Math.round(20_000 * part);
    await expect(async () => {
      const said = Number((await page.locator("[data-w].said").textContent())!.slice(4));
      expect(Math.abs(said - about)).toBeLessThan(120);
    }).toPass();
    await expect(page.locator("[data-w].said")).toBeInViewport();
  }
  await page.locator(".transcript .box").hover();
  for (let i = 0; i < 80; i++) {
    await page.mouse.wheel(0, i < 40 ? 3000 : -2500);
    await page.waitForTimeout(40);
  }
  await page.getByRole("button", { name: "Jump to now playing" }).click();
  await expect(page.locator("[data-w].said")).toBeInViewport();
  expect(worst("while reading", await tasks.stop())).toBeLessThan(longest);
  expect(await page.locator("[data-w]").count()).toBeLessThan(2500);
  expect(wrong).toEqual([]);
  await hark.stop();
});
