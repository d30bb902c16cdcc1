import { expect, test } from "vitest";

import { downloadsOf, size } from "./downloads";

const links = { self: "/m", audio: "/a?format=rendition", original: "/a?format=original", transcript: "/t", waveform: "/w" };
const message = { state: "ready", links, original: { format: "wav", bytes: 1_234_567 }, rendition: { media_type: "audio/mp4", bytes: 41_877 }, transcript_version: 1 } as const;

test("all forms that there are can be chosen", () => {
  expect(downloadsOf(message).map(({ form, href, about }) => [form, href, about])).toEqual([
    ["Audio", "/a?format=rendition&download=true", "M4A, 42 kB"],
    ["Original", "/a?format=original&download=true", "WAV, 1.2 MB"],
    ["Text", "/t.txt", "TXT"],
    ["VTT", "/t.vtt", "VTT"],
    ["SRT", "/t.srt", "SRT"],
  ]);
  expect(downloadsOf({ ...message, state: "processing", rendition: null, transcript_version: 0 }).map((one) => one.form)).toEqual(["Original"]);
  expect(downloadsOf({ ...message, state: "recording", rendition: null, transcript_version: 0 })).toEqual([]);
});

test("sizes are read at a glance", () => {
  expect([0, 999, 1000, 9_960, 41_877, 2_147_483_648].map(size)).toEqual(["0 B", "999 B", "1.0 kB", "10.0 kB", "42 kB", "2.1 GB"]);
});
