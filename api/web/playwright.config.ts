import { defineConfig } from "@playwright/test";

import { voice } from "./e2e/speech";

/*
 * The browser tests: real Chromium against the real binary with the real
 * recogniser. They share two cores with the recogniser that they test, so one
 * runs at a time.
 */
export default defineConfig({
  testDir: "e2e",
  outputDir: "../../.cache/e2e/results",
  globalSetup: "./e2e/prepare.ts",
  workers: 1,
  timeout: 180_000,
  testIgnore: process.env.HARK_SHOTS ? [] : ["*shots.spec.ts", "pictures.spec.ts"], // for looking at: npm run shots, npm run pictures
  forbidOnly: !!process.env.CI,
  retries: process.env.CI ? 2 : 0, // CI's machine may be shared, and its seconds long
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    actionTimeout: 10_000,
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
