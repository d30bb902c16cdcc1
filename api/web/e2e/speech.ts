/*
 * The voice that the tests' browser hears: prompts of Debian's package
 * asterisk-core-sounds-en, one after the other, with their words.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Page } from "@playwright/test";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
export const cache = join(root, ".cache/e2e");

/** The WAV that Chromium plays into its microphone, once. */
export const voice = join(cache, "voice.wav");

/** Silence before the voice, in which the browser connects, in seconds. */
export const lead = 2;

const prompts = ["confbridge-mute-extended", "tt-allbusy", "vm-record-prepend"] as const;
const folder = join(cache, "prompts");

/** Makes the WAV: the prompts with pauses between, and silence behind. */
export function makeVoice() {
  mkdirSync(cache, { recursive: true });
  execFileSync(join(root, "bin/hark"), ["bench", "prompts", folder]);
  const inputs = prompts.flatMap((name) => ["-i", join(folder, `${name}.wav`)]);
  const padded = prompts.map((_, i) => `[${i}]apad=pad_dur=0.8[p${i}]`).join(";");
  const joined = prompts.map((_, i) => `[p${i}]`).join("");
  execFileSync("ffmpeg", [
    "-nostdin", "-v", "error", "-y", ...inputs,
    "-filter_complex", `${padded};${joined}concat=n=${prompts.length}:v=0:a=1,adelay=${lead * 1000},apad=pad_dur=30`,
    "-ar", "48000", "-ac", "1", voice,
  ]);
}

interface Clip {
  file: string;
  text: string;
}

/** What the voice says, in the first so many of its prompts. */
export function spokenText(count: number = prompts.length): string {
  const manifest = readFileSync(join(folder, "manifest.jsonl"), "utf8").trim().split("\n");
  const clips = manifest.map((line) => JSON.parse(line) as Clip);
  return prompts.slice(0, count).map((name) => clips.find((c) => c.file === `${name}.wav`)!.text).join(" ");
}

type Prompt = (typeof prompts)[number];

/** One of the prompts, as a WAV of its own. */
export const prompt = (name: Prompt) => join(folder, `${name}.wav`);

/** Prompts as one WAV, each followed by so many seconds of silence. */
export function joined(...parts: [name: Prompt, silence: number][]): Buffer {
  const head = wavHead(readFileSync(prompt(parts[0]![0])));
  const bytesPerSecond = head.readUInt32LE(28);
  const sound = Buffer.concat(parts.flatMap(([name, silence]) => {
    const file = readFileSync(prompt(name));
    return [file.subarray(wavHead(file).length), Buffer.alloc(bytesPerSecond * silence)];
  }));
  head.writeUInt32LE(head.length - 8 + sound.length, 4);
  head.writeUInt32LE(sound.length, head.length - 4);
  return Buffer.concat([head, sound]);
}

/** A WAV file up to its samples. */
const wavHead = (file: Buffer) => Buffer.from(file.subarray(0, file.indexOf("data", 12, "latin1") + 8));

/** A prompt that goes on in silence, for longer than a slow machine needs to look at what plays. */
export const lasting = (name: Prompt) => joined([name, 60]);

/** A prompt, six seconds of silence, and another. */
export const withPause = (silence = 0) => joined(["vm-record-prepend", 6], ["tt-allbusy", silence]);

/** When the voice has spoken, or the first so many of its prompts, in seconds from when the microphone is opened. */
export function spokenSeconds(count: number = prompts.length): number {
  const lengths = prompts.slice(0, count).map((name) =>
    execFileSync("ffprobe", ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", join(folder, `${name}.wav`)]),
  );
  return lengths.reduce((sum, length) => sum + Number(length) + 0.8, lead);
}

/** Word error rate of a transcript: edits over the words that were said. */
export function wordErrorRate(said: string, heard: string): number {
  const want = words(said);
  const got = words(heard);
  let row = Array.from({ length: got.length + 1 }, (_, i) => i);
  for (const [i, word] of want.entries()) {
    const next = [i + 1];
    for (const [j, other] of got.entries()) {
      next.push(Math.min(row[j]! + (word === other ? 0 : 1), row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row.at(-1)! / want.length;
}

const words = (text: string) => text.toLowerCase().replace(/can not/g, "cannot").match(/[a-z']+/g) ?? [];

/** Whether sound came for so much of the time that what was said can be heard. */
export const isSteady = (share: number) => share > 0.985;

/**
 * Speaks until Chromium has kept up: its microphone of a file drops sound when
 * the machine is short of time, as on a host that others share, and what was
 * not captured can't be heard. Says whether the last attempt was steady; if
 * none was, there is no telling what should have been heard.
 */
export async function steadily<T>(speak: () => Promise<T>, shareOfTime: (spoken: T) => number): Promise<{ spoken: T; steady: boolean }> {
  for (let attempt = 1; ; attempt++) {
    const spoken = await speak();
    const steady = isSteady(shareOfTime(spoken));
    if (steady || attempt === 3) return { spoken, steady };
    console.log(`      Chromium's microphone gave ${(100 * shareOfTime(spoken)).toFixed(0)} % of the time that passed; once more`);
  }
}

/** Has a page, once it is opened anew, count what its microphone gives. */
export const countCaptured = (page: Page) =>
  page.addInitScript(() => {
    const devices = navigator.mediaDevices;
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wish) => {
      const stream = await open(wish);
      Object.assign(window, { microphone: { track: stream.getAudioTracks()[0], since: performance.now() } });
      return stream;
    };
  });

/** How much of the time that passed the microphone gave sound for. */
export const shareCaptured = (page: Page) =>
  page.evaluate(() => {
    interface Counted {
      track: MediaStreamTrack & { stats: { deliveredFramesDuration: number } };
      since: number;
    }
    const { track, since } = (window as unknown as { microphone: Counted }).microphone;
    return track.stats.deliveredFramesDuration / (performance.now() - since);
  });
