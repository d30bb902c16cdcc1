import { expect, test } from "vitest";

import { packetsOf, samplesOf } from "./ogg";

/** A page of Ogg with whole packets, whose sound ends at a place in samples. */
function page(end: number, ...packets: number[][]): number[] {
  const lacing = packets.flatMap(({ length }) => [...Array<number>(Math.floor(length / 255)).fill(255), length % 255]);
  const granule = Array.from({ length: 8 }, (_, i) => Math.floor(end / 256 ** i) % 256);
  return [...Buffer.from("OggS"), 0, 0, ...granule, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, lacing.length, ...lacing, ...packets.flat()];
}
const head = [page(0, [...Buffer.from("OpusHead"), 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), page(0, [...Buffer.from("OpusTags")])].flat();
/** 20 ms of CELT in one frame, so many bytes long. */
const frame = (length: number, mark: number) => [0xf8, ...Array<number>(length - 1).fill(mark)];

test("packets, whole however long they are, at their times", () => {
  const packets = packetsOf(Uint8Array.from([...head, ...page(1920, frame(3, 1), frame(600, 2)), ...page(2880, frame(255, 3))]))!;
  expect(packets.map(({ ms, frame }) => [ms, frame.length, frame.at(-1)])).toEqual([[0, 3, 1], [20, 600, 2], [40, 255, 3]]);
});

test("what was lost on its way is a gap", () => {
  const packets = packetsOf(Uint8Array.from([...head, ...page(960, frame(3, 1)), ...page(48_000, frame(3, 2))]))!;
  expect(packets.map(({ ms }) => ms)).toEqual([0, 980]);
});

test("a page that was torn off is left out, and what is no Opus is nothing", () => {
  const whole = [...head, ...page(960, frame(3, 1)), ...page(1920, frame(90, 2))];
  expect(packetsOf(Uint8Array.from(whole.slice(0, -5)))).toHaveLength(1);
  expect(packetsOf(Uint8Array.from(head))).toBeUndefined();
  expect(packetsOf(Uint8Array.from(page(0, [...Buffer.from("\x01vorbis")])))).toBeUndefined();
  expect(packetsOf(Uint8Array.from(Buffer.from("RIFF____WAVE, and a lot behind it")))).toBeUndefined();
});

test.each([
  ["SILK, 60 ms", [0x18], 60],
  ["hybrid, 10 ms", [0x60], 10],
  ["CELT, 2.5 ms", [0x80], 2.5],
  ["two frames of 20 ms", [0xf9], 40],
  ["six frames of 20 ms", [0xfb, 0x06], 120],
] as const)("%s", (_, bytes, ms) => {
  expect(samplesOf(Uint8Array.from(bytes))).toBe(ms * 48);
});
