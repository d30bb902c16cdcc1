/* One recording on its way to the server. Only XMLHttpRequest tells how far it is. */
import { base } from "../base";
import { type Item, type Outcome, outcomeOf } from "./queue";
import type { Message } from "../api/client";

/** A connection over which nothing moves for so long is given up. */
const patience = 30_000;

export interface Sent {
  outcome: Outcome;
  message?: Message;
}

/** Sends it; the same item never makes a second message, however often it is sent. */
export function send(item: Item, body: Blob, onProgress: (part: number) => void, signal: AbortSignal): Promise<Sent> {
  const query = new URLSearchParams();
  if (item.title) query.set("title", item.title);
  if (item.name) query.set("filename", item.name);
  if (item.at) query.set("recorded_at", item.at);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let watch: ReturnType<typeof setTimeout>;
    const moved = () => {
      clearTimeout(watch);
      watch = setTimeout(() => request.abort(), patience);
    };
    request.upload.onprogress = (event) => {
      moved();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onloadend = () => {
      clearTimeout(watch);
      resolve(read(request));
    };
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", `${base}/v1/conversations/${item.conversation}/messages?${query}`);
    request.setRequestHeader("Content-Type", item.mime || "application/octet-stream");
    request.setRequestHeader("Idempotency-Key", item.id);
    request.send(body);
    moved();
  });
}

function read(request: XMLHttpRequest): Sent {
  let answer: unknown;
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    // Something between us and the server answered, or nothing did.
  }
  const outcome = outcomeOf(request.status, (answer as { detail?: string } | undefined)?.detail ?? "", request.getResponseHeader("Retry-After") ?? "");
  return outcome.kind === "sent" ? { outcome, message: answer as Message } : { outcome };
}
