/* What is shown of a message's sound beside its record: its shape and its words. */
import { api, type Message, take, type Transcript, troubleOf } from "../api/client";
import { Lazy } from "../logic/lazy";
import { kept } from "./kept.svelte";
import { session } from "./session.svelte";

/** The key under which something made of a message is kept: anew with each version of it. */
export const peaksKey = (m: Message) => `${m.id}:${m.duration_ms ?? 0}`;
export const wordsKey = (m: Message) => `${m.id}:${m.transcript_version}`;

const idOf = (key: string) => key.slice(0, key.indexOf(":"));

/** A network may come back, and a server. */
const mayCome = (thrown: unknown) => ["offline", "intercepted", "broken"].includes(troubleOf(thrown).kind);

export const waveforms = new Lazy(
  (key) => {
    const asked = take(api.GET("/v1/messages/{id}/waveform", { params: { path: { id: idOf(key) } } })).then(({ peaks }): readonly number[] => peaks);
    return kept.or(asked, async (from) => (await from.part(idOf(key)))?.peaks);
  },
  4,
  2000,
  mayCome,
);

export const transcripts = new Lazy<Transcript>(
  (key) => kept.or(take(api.GET("/v1/messages/{id}/transcript.json", { params: { path: { id: idOf(key) } } })), async (from) => (await from.part(idOf(key)))?.words),
  4,
  300,
  mayCome,
);

session.whenOut(() => {
  waveforms.clear();
  transcripts.clear();
});
