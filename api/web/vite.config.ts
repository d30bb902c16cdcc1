import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Leaves what brotli and gzip make of each file beside it, where that is smaller. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    writeBundle({ dir }) {
      for (const name of readdirSync(dir!, { recursive: true, encoding: "utf8" })) {
        if (!/\.(js|css|html|svg|webmanifest)$/.test(name)) continue;
        const file = join(dir!, name);
        const body = readFileSync(file);
        for (const [suffix, small] of [[".br", brotliCompressSync(body)], [".gz", gzipSync(body, { level: 9 })]] as const) {
          if (small.length < body.length) writeFileSync(file + suffix, small);
        }
      }
    },
  };
}

/** Writes the service worker, which knows all files of the app by name. */
function worker(): Plugin {
  return {
    name: "worker",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const own = readdirSync("public").filter((name) => !name.startsWith("."));
        const files = [...Object.keys(bundle).filter((name) => name.startsWith("assets/")), ...own].sort();
        const page = bundle["index.html"];
        const version = createHash("sha256").update(files.join("\n")).update(page?.type === "asset" ? page.source : "").digest("hex").slice(0, 12);
        const source = readFileSync("src/worker/worker.js", "utf8").replace("/* FILES */ []", JSON.stringify(files)).replace('/* VERSION */ ""', JSON.stringify(version));
        this.emitFile({ type: "asset", fileName: "worker.js", source });
      },
    },
  };
}

export default defineConfig({
  plugins: [svelte(), worker(), packed()],
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "safari17.5", "firefox120"], // know light-dark()
    assetsInlineLimit: 0, // the policy allows no data: addresses
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  // Files find each other wherever the app is; in the page package web writes where that is.
  experimental: { renderBuiltUrl: (_, { hostType }) => (hostType === "html" ? undefined : { relative: true }) },
  server: {
    // `npm run dev` talks to a Hark beside it.
    proxy: Object.fromEntries(["/v1", "/sign-in", "/page.css", "/docs", "/openapi.json"].map((path) => [path, process.env.HARK_URL || "http://127.0.0.1:8080"])),
  },
  test: { include: ["src/**/*.test.ts"] },
});
