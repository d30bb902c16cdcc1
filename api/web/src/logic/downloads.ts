/* In which forms a message can be downloaded, the likeliest first. */
import type { Message } from "../api/client";

export interface Download {
  form: "Audio" | "Original" | "Text" | "VTT" | "SRT"; // as words/ names them
  href: string;
  about: string; // the file's ending, and its size where it is known
}

type Downloadable = Pick<Message, "state" | "links" | "transcript_version"> & { rendition: Message["rendition"] | null; original: Pick<Message["original"], "format" | "bytes"> };

export function downloadsOf({ state, links, original, rendition, transcript_version: words }: Downloadable): Download[] {
  const all: Download[] = [];
  if (rendition) all.push({ form: "Audio", href: `${links.audio}&download=true`, about: `M4A, ${size(rendition.bytes)}` });
  if (state !== "recording") all.push({ form: "Original", href: `${links.original}&download=true`, about: `${original.format.toUpperCase()}, ${size(original.bytes)}` });
  if (words > 0) {
    for (const [form, ending] of [["Text", "txt"], ["VTT", "vtt"], ["SRT", "srt"]] as const) all.push({ form, href: `${links.transcript}.${ending}`, about: ending.toUpperCase() });
  }
  return all;
}

/** A number of bytes as file managers print it. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, divisor] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  const value = bytes / (divisor as number);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
