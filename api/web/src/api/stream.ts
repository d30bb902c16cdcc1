/* A stream of server-sent events by fetch: unlike EventSource it tells why there is none. */
import { serverClock } from "./client";
import type { Hears } from "../logic/feed";

const badGateway = 502; // what answers is not Hark

/** Asks for a stream; returns a way to leave it, after which nothing more is told. */
export function openStream(url: string, hears: Hears): () => void {
  const off = new AbortController();
  void read(url, hears, off.signal).catch(() => off.signal.aborted || hears.onEnd());
  return () => off.abort();
}

async function read(url: string, hears: Hears, signal: AbortSignal) {
  const asked = Date.now();
  const answer = await fetch(url, { signal, cache: "no-store", headers: { Accept: "text/event-stream" } });
  if (signal.aborted) return;
  serverClock.note(answer.headers.get("Date"), asked);
  const isStream = answer.headers.get("Content-Type")?.startsWith("text/event-stream");
  const isDoor = answer.status === 401 && /html/.test(answer.headers.get("Content-Type") ?? ""); // a proxy's own
  hears.onOpen((answer.ok && !isStream) || isDoor ? badGateway : answer.status, 1000 * (Number(answer.headers.get("Retry-After")) || 0));
  if (signal.aborted) return; // it was not what was wanted
  const text = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await text.read();
    if (signal.aborted) return;
    if (done) return hears.onEnd();
    hears.onText(value);
  }
}
