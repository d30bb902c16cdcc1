/*
 * The next version of the app, as a server that was upgraded has it: the same
 * program, of which every file has another name and the worker another version.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { basename, extname, join } from "node:path";

import { root } from "./speech";

const types: Record<string, string> = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json" };
const pages = /^(?:$|c\/|m\/|search$|settings(?:\/members|\/invitations)?$)/;

export class Build {
  private constructor(
    readonly version: string,
    private readonly files: ReadonlyMap<string, Buffer>,
  ) {}

  /** What stands below a path. */
  static next(path: string): Build {
    const dist = join(root, "api/web/dist");
    const names = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => extname(name) in types);
    const renamed = new Map(names.filter((name) => name.startsWith("assets/")).map((name) => [basename(name), basename(name).replace(/(\.\w+)$/, "2$1")]));
    const files = new Map<string, Buffer>();
    for (const name of names) {
      let body = readFileSync(join(dist, name));
      if (/\.(js|css|html)$/.test(name)) {
        let text = body.toString();
        for (const [before, after] of renamed) text = text.replaceAll(before, after);
        body = Buffer.from(text);
      }
      files.set(name.replace(/[^/]+$/, (base) => renamed.get(base) ?? base), body);
    }
    const sum = (body: Buffer) => createHash("sha256").update(body).digest("hex");
    const sums = Object.fromEntries(Array.from(files).filter(([name]) => !["index.html", "worker.js"].includes(name)).map(([name, body]) => [name, sum(body)]));
    const before = /data-version="(\w+)"/.exec(files.get("index.html")!.toString())![1]!;
    const version = before.split("").reverse().join("");
    const page = files.get("index.html")!.toString().replace(before, version).replaceAll('="/', `="${path}/`).replace("<html ", `<html data-base="${path}" `);
    const worker = files.get("worker.js")!.toString().replace(before, version).replace(/const files = \{.*\};/, `const files = ${JSON.stringify(sums)};`);
    files.set("index.html", Buffer.from(page)).set("worker.js", Buffer.from(worker));
    return new Build(version, files);
  }

  /** Answers for a file or a page of the app; what was there before is gone. */
  answer(name: string, answer: ServerResponse): boolean {
    const file = pages.test(name) ? "index.html" : name;
    const body = this.files.get(file);
    if (!body && !name.startsWith("assets/")) return false;
    answer.writeHead(body ? 200 : 404, { "Content-Type": types[extname(file)] ?? "text/plain", "Cache-Control": "no-cache", ...(body && { Hark: "1" }) }).end(body);
    return true;
  }
}
