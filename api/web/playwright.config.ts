import { defineConfig } from "@playwright/test";

import { voice } from "./e2e/speech";

/*
 * The browser tests: real Chromium against the real binary with the real
 * recogniser, all of one worker with one Hark. One at a time, as
 * sound in a browser runs by the clock; --workers=3 shows what a machine that has
 * more to do than it can makes of them.
 */
export default defineConfig({
  testDir: "e2e",
  outputDir: "../../.cache/e2e/results",
  globalSetup: "./e2e/prepare.ts",
  workers: 1,
  timeout: 180_000,
  testIgnore: process.env.HARK_SHOTS ? [] : ["*shots.spec.ts", "pictures.spec.ts"], // for looking at: npm run shots, npm run pictures
  forbidOnly: !!process.env.CI,
  retries: 0, // a test that passes at the second try hides what fails for one in three people
  reporter: [["list"]],
  // How long is too long on a machine that has other work; what must be quick says so in its test.
  expect: { timeout: 15_000 },
  use: {
    browserName: "chromium",
    actionTimeout: 30_000,
    launchOptions: {
      executablePath: process.env.HARK_CHROMIUM || "/usr/bin/chromium",
      args: [
        "--no-sandbox", // root in a container has none
        "--autoplay-policy=no-user-gesture-required",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        `--use-file-for-fake-audio-capture=${voice}%noloop`,
      ],
    },
    permissions: ["microphone"],
  },
});
