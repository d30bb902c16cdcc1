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

const sumOf = (body: Buffer | string) => createHash("sha256").update(body).digest("hex");

/** Writes the version into the page, and the service worker, which knows the version and all files of the app by name and content. */
function worker(): Plugin {
  return {
    name: "worker",
    apply: "build",
    writeBundle({ dir }) {
      const names = readdirSync(dir!, { recursive: true, encoding: "utf8" }).sort();
      const own = readdirSync("public");
      const files = names.filter((name) => (name.startsWith("assets/") || own.includes(name)) && /\.\w+$/.test(name) && !name.startsWith("."));
      const sums = Object.fromEntries(files.map((name) => [name, sumOf(readFileSync(join(dir!, name)))]));
      const page = readFileSync(join(dir!, "index.html"), "utf8");
      const source = readFileSync("src/worker/worker.js", "utf8");
      const version = sumOf(JSON.stringify(sums) + page + source).slice(0, 12);
      writeFileSync(join(dir!, "index.html"), page.replace("<html ", `<html data-version="${version}" `));
      writeFileSync(join(dir!, "worker.js"), source.replace("/* FILES */ {}", JSON.stringify(sums)).replace('/* VERSION */ ""', JSON.stringify(version)));
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
    rolldownOptions: {
      // What records comes in one file, whoever of its parts asks for another: each file has a head of its own, and browsers ask for six at a time.
      checks: { pluginTimings: false, ineffectiveDynamicImport: false },
      output: { codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: "recorder", test: /\/src\/recorder\// }] } },
    },
  },
  // Files find each other wherever the app is; in the page package web writes where that is.
  experimental: { renderBuiltUrl: (_, { hostType }) => (hostType === "html" ? undefined : { relative: true }) },
  server: {
    // `npm run dev` talks to a Hark beside it.
    proxy: Object.fromEntries(["/v1", "/sign-in", "/page.css", "/docs", "/openapi.json"].map((path) => [path, process.env.HARK_URL || "http://127.0.0.1:8080"])),
  },
  test: { include: ["src/**/*.test.ts"] },
});
