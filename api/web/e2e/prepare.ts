import { existsSync } from "node:fs";

import { build } from "vite";

import { cache, makeVoice, voice } from "./speech";

/** Makes what the tests need beside the binary, once. */
export default async function prepare() {
  if (!existsSync(voice)) makeVoice();
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      outDir: `${cache}/page`,
      lib: { entry: "node_modules/@eyevinn/whip-web-client/dist/whip-client.modern.js", formats: ["es"], fileName: () => "whip-client.js" },
    },
  });
}
