/* What is shown of a message's sound beside its record: its shape and its words. */
import { api, type Message, take, type Transcript } from "../api/client";
import { Lazy } from "../logic/lazy";

/** The key under which something made of a message is kept: anew with each version of it. */
export const peaksKey = (m: Message) => `${m.id}:${m.duration_ms ?? 0}`;
export const wordsKey = (m: Message) => `${m.id}:${m.transcript_version}`;

const idOf = (key: string) => key.slice(0, key.indexOf(":"));

export const waveforms = new Lazy(async (key) => (await take(api.GET("/v1/messages/{id}/waveform", { params: { path: { id: idOf(key) } } }))).peaks);

export const transcripts = new Lazy<Transcript>(
  async (key) => take(api.GET("/v1/messages/{id}/transcript.json", { params: { path: { id: idOf(key) } } })),
  4,
  300,
);
