/* A real OpenID provider of its own process, which nobody here wrote; see api/openid/openidtest. */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { cache, root } from "./speech";

export interface OpenID {
  issuer: string;
  /** What Hark is to know of it, for HARK_OIDC. */
  settings: object;
  stop(): Promise<void>;
}

export async function startOpenID(): Promise<OpenID> {
  const program = join(cache, "openid");
  execFileSync("go", ["build", "-o", program, "./api/openid/openidtest/serve"], { cwd: root });
  const running = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  process.once("exit", () => running.kill("SIGKILL"));
  const issuer = await new Promise<string>((resolve) => createInterface(running.stdout).once("line", resolve));
  return {
    issuer,
    settings: { id: "office", name: "Office", issuer, client_id: "hark", client_secret: "secret of the browser tests", join: { domains: ["example.org"] } },
    stop: async () => {
      const ended = new Promise((resolve) => running.once("exit", resolve));
      running.stdin.end();
      await ended;
    },
  };
}
