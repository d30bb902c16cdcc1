/* One recording on its way to the server. Only XMLHttpRequest tells how far it is. */
import { base } from "../base";
import { type Item, type Outcome, outcomeOf } from "./queue";
import { isHarks, type Message } from "../api/client";

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
    request.setRequestHeader("Idempotency-Key", item.key ?? item.id);
    request.send(body);
    moved();
  });
}

function read(request: XMLHttpRequest): Sent {
  let answer: Partial<Message> & { detail?: string } = {};
  try {
    answer = JSON.parse(request.responseText) as typeof answer;
  } catch {
    // Something between us and the server answered, or nothing did.
  }
  const outcome = outcomeOf(statusOf(request, answer), answer.detail ?? "", request.getResponseHeader("Retry-After") ?? "");
  return outcome.kind === "sent" ? { outcome, message: answer as Message } : { outcome };
}

/**
 * The status, if it is Hark's: a sign-in page of the network or a proxy's says
 * nothing of what became of the recording. That it is too large is final, whoever says it.
 */
function statusOf(request: XMLHttpRequest, answer: Partial<Message>): number {
  const { status } = request;
  const headers = new Headers({ "Content-Type": request.getResponseHeader("Content-Type") ?? "" });
  if (request.getResponseHeader("Hark")) headers.set("Hark", "1");
  if (status < 300 ? answer.id !== undefined : isHarks({ headers }) || status === 413) return status;
  return 0;
}
