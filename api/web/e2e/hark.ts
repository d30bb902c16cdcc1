/*
 * A real Hark of its own process for each test file, over a folder of its own.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { type BrowserContext, test as base } from "@playwright/test";

import { cache, root } from "./speech";

export interface Message {
  id: string;
  state: string;
  duration_ms?: number;
  failure?: { reason: string };
}

/** Gives a session's processes a smaller share where Linux shares out by session (sched(7), autogroup). */
function yieldToOthers(pid: number) {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, "15");
  } catch {
    // Not every kernel does.
  }
}

interface Running {
  url: string;
  listening: string;
  process: ChildProcess;
}

/** Runs one over a folder, and waits until it says where it is. */
async function launch(data: string, env: Record<string, string>): Promise<Running> {
  // People's browsers don't share their processor with the server. Here they
  // do, so the browser goes first, or its microphone stutters.
  const process_ = spawn("nice", ["-n", "15", join(root, "bin/hark"), "serve"], {
    detached: true, // a session of its own: where Linux shares out by session, nice counts within one
    env: {
      ...process.env,
      HARK_MODELS: process.env.HARK_MODELS || join(root, "data/models"),
      HARK_DATA: data,
      HARK_ADDR: "127.0.0.1:0",
      HARK_WEBRTC_UDP: "127.0.0.1:0",
      HARK_WEBRTC_TCP: "off",
      HARK_OWNER_NAME: "Owner", // nobody is asked for names
      HARK_WORKSPACE_NAME: "Hark",
      HARK_BOOTSTRAP_TOKEN: "token-of-the-browser-tests",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  process.once("exit", () => process_.kill("SIGKILL"));
  yieldToOthers(process_.pid!);
  process_.stderr.pipe(createWriteStream(join(cache, "serve.log"), { flags: "a" }));
  const serving = new Promise<string>((resolve) => {
    createInterface(process_.stderr).on("line", (line) => {
      const addr = /msg=serving .*addr=(\S+)/.exec(line)?.[1];
      if (addr) resolve(`http://${addr}`);
    });
  });
  let url = "";
  for await (const line of createInterface(process_.stdout)) {
    url ||= line.match(/Hark is at\s+(\S+)/)?.[1] ?? "";
    if (/^\s+API\s/.test(line)) return { url, listening: await serving, process: process_ }; // the last that it says: its owner is made
  }
  throw new Error(`hark did not start; its log is ${join(cache, "serve.log")}`);
}

/** A Hark to talk to, as its owner. */
export class Hark {
  readonly token = "token-of-the-browser-tests";
  private constructor(
    private running: Running,
    private readonly data: string,
    private readonly env: Record<string, string>,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<Hark> {
    const data = mkdtempSync(join(tmpdir(), "hark-e2e-"));
    mkdirSync(cache, { recursive: true });
    return new Hark(await launch(data, env), data, env);
  }

  get url(): string {
    return this.running.url;
  }

  /** Where it listens, past any proxy. */
  get listening(): string {
    return this.running.listening;
  }

  /** Where a program asks it, past any proxy. */
  private get api(): string {
    return this.listening + new URL(this.url).pathname.replace(/\/$/, "");
  }

  private get process(): ChildProcess {
    return this.running.process;
  }

  private async end() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    this.thaw(); // a test that failed may have left it frozen
    await ended;
  }

  async stop() {
    await this.end();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Stops it, and starts it again over the same data. It listens somewhere else then. */
  async restart() {
    await this.end();
    this.running = await launch(this.data, this.env);
  }

  /** Stops it in the middle of everything, as a network that dies, until it is thawed. */
  freeze() {
    this.process.kill("SIGSTOP");
  }

  thaw() {
    this.process.kill("SIGCONT");
  }

  /** Asks the API and takes the JSON that it answers. */
  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const answer = await fetch(this.api + path, { ...init, headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async conversation(title: string): Promise<string> {
    return (await this.json<{ id: string }>("/v1/conversations", { method: "POST", body: JSON.stringify({ title }) })).id;
  }

  /** Waits until all is made of a message that can be. */
  async ready(id: string): Promise<Message> {
    for (const until = Date.now() + 150_000; Date.now() < until; await new Promise((wake) => setTimeout(wake, 50))) {
      const message = await this.json<Message>(`/v1/messages/${id}`);
      if (message.state === "failed") throw new Error(`message failed: ${message.failure?.reason}`);
      if (message.state === "ready") return message;
    }
    throw new Error(`message ${id} was not ready in time`);
  }

  /** Runs a command of the program over the same data, and takes what it prints. */
  command(...args: string[]): string {
    return execFileSync(join(root, "bin/hark"), args, { encoding: "utf8", env: { ...process.env, HARK_DATA: this.data, HARK_PUBLIC_URL: this.url } }).trim();
  }

  /** A one-time address that signs the owner in, or a new user of this name. */
  signInAddress(newUser?: string): string {
    return this.command("user", ...(newUser ? ["add", newUser] : ["sign-in"])).split("\n").at(-1)!;
  }

  /** Sends a recording, as a program would. */
  async send(conversation: string, file: string | Buffer, fields: Record<string, string> = {}, token = this.token): Promise<Message> {
    const answer = await fetch(`${this.api}/v1/conversations/${conversation}/messages?${new URLSearchParams(fields).toString()}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/octet-stream" },
      body: new Uint8Array(typeof file === "string" ? readFileSync(file) : file),
    });
    if (!answer.ok) throw new Error(`send: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Message;
  }

  async transcript(id: string): Promise<string> {
    const answer = await fetch(`${this.api}/v1/messages/${id}/transcript.txt`, { headers: { Authorization: `Bearer ${this.token}` } });
    return answer.text();
  }
}

/** Has no page ask who came by a link how they will sign in next time: it is the subject of passkeys.spec.ts alone. */
async function unasked(context: BrowserContext) {
  await context.addInitScript(() => {
    try {
      localStorage.setItem("hark.next-time", JSON.stringify({ again: Number.MAX_SAFE_INTEGER }));
    } catch {
      // what is no page of Hark's may have no storage
    }
  });
}

/** The test function, with a Hark for all tests of a worker. */
export const test = base.extend<object, { hark: Hark }>({
  browser: [
    async ({ browser }, use) => {
      const make = browser.newContext.bind(browser);
      browser.newContext = async (options) => {
        const context = await make(options);
        await unasked(context);
        return context;
      };
      await use(browser);
    },
    { scope: "worker" },
  ],
  hark: [
    async ({}, use) => {
      const hark = await Hark.start();
      await use(hark);
      await hark.stop();
    },
    { scope: "worker" },
  ],
});

export { expect } from "@playwright/test";
