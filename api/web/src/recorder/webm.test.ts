import { expect, test } from "vitest";

import { WebMLength, isWebM, remux } from "./webm";

const hex = (text: string) => Uint8Array.from(text.match(/../g)!.map((pair) => parseInt(pair, 16)));
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

/** As Chromium writes it: no sizes of segment and clusters, a block each 20 ms. */
function recorded(ms: number): Uint8Array {
  const parts = [
    hex("1a45dfa38442868101"), // EBML
    hex("18538067" + "01ffffffffffffff"), // segment
    hex("1549a966" + "87" + "2ad7b1830f4240"), // info: ticks of 1 ms
    hex("1654ae6b" + "84" + "ae82d70101".slice(0, 8)), // tracks, as they were
  ];
  for (let at = 0; at < ms; at += 20) {
    if (at % 1000 === 0) parts.push(hex("1f43b675" + "01ffffffffffffff" + "e782"), Uint8Array.of(at >> 8, at & 0xff));
    const within = at % 1000;
    parts.push(hex("a385" + "81"), Uint8Array.of(within >> 8, within & 0xff, 0x80, (at / 20) & 0xff));
  }
  return join(...parts);
}

/** The times and the last bytes of all blocks, read plainly. */
function blocks(webm: Uint8Array): [number, number][] {
  const found: [number, number][] = [];
  let cluster = 0;
  for (let i = 0; i < webm.length; i++) {
    if (webm[i] === 0xe7 && (webm[i + 1] === 0x81 || webm[i + 1] === 0x82)) cluster = webm[i + 1] === 0x81 ? webm[i + 2]! : webm[i + 2]! * 256 + webm[i + 3]!;
    if (webm[i] === 0xa3 && webm[i + 1] === 0x85 && webm[i + 2] === 0x81) found.push([cluster + webm[i + 3]! * 256 + webm[i + 4]!, webm[i + 6]!]);
  }
  return found;
}

test("without a cut it is the same sound, and knows its length", () => {
  const out = remux([recorded(3000)], [])!;
  expect(blocks(out)).toEqual(Array.from({ length: 150 }, (_, i) => [i * 20, i]));
  const at = out.findIndex((_, i) => out[i] === 0x44 && out[i + 1] === 0x89);
  expect(new DataView(out.buffer).getFloat64(at + 3)).toBe(3000);
});

test("what was cut is gone, and what follows moves up", () => {
  const out = blocks(remux([recorded(4000)], [{ from: 1000, to: 2000 }, { from: 3000, to: 4000 }])!);
  expect(out).toHaveLength(100);
  expect(out[49]).toEqual([980, 49]);
  expect(out[50]).toEqual([1000, 100]);
  expect(out.at(-1)).toEqual([1980, 149]);
});

test("what was torn off is whole up to its last block", () => {
  const whole = recorded(2000);
  for (const lost of [1, 3, 6, 8]) expect(blocks(remux([whole.subarray(0, whole.length - lost)], [])!)).toHaveLength(lost > 7 ? 98 : 99);
});

test.each([1, 7, 64, 1000, 100_000])("its length is known as it grows, in pieces of %i bytes", (size) => {
  const whole = recorded(4000);
  const length = new WebMLength();
  let before = 0;
  for (let at = 0; at < whole.length; at += size) {
    expect(length.push(whole.subarray(at, at + size))).toBe(true);
    expect(length.ms).toBeGreaterThanOrEqual(before);
    before = length.ms;
  }
  expect(length.ms).toBe(4000);
});

test("what is no WebM has no length, and is not kept in memory", () => {
  const length = new WebMLength();
  expect(length.push(new Uint8Array(1000))).toBe(true);
  expect(length.ms).toBe(0);
  expect(length.push(new Uint8Array(1 << 17))).toBe(false);
});

test("what is no WebM is left alone", () => {
  expect(remux([hex("4f676753")], [])).toBeUndefined();
  expect(remux([new Uint8Array()], [])).toBeUndefined();
  expect(remux([new Uint8Array(64)], [])).toBeUndefined();
  expect(isWebM("audio/webm;codecs=opus")).toBe(true);
  expect(isWebM("audio/mp4")).toBe(false);
});

test("what was recorded in two parts is one recording, and cut as one", () => {
  const whole = blocks(remux([recorded(1000), recorded(1000)], [])!);
  expect(whole).toHaveLength(100);
  expect(whole.map(([ms]) => ms)).toEqual(Array.from({ length: 100 }, (_, i) => i * 20));
  expect(blocks(remux([recorded(1000), recorded(1000)], [{ from: 500, to: 1500 }])!)).toHaveLength(50);
  expect(remux([recorded(1000), new Uint8Array(64)], [])).toBeUndefined(); // rather nothing than half of it
});

test("what the server kept is the first part, and a browser recorded the second", () => {
  const granule = (end: number) => Array.from({ length: 8 }, (_, i) => Math.floor(end / 256 ** i) % 256);
  const page = (end: number, packet: number[]) => [...Buffer.from("OggS"), 0, 0, ...granule(end), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, packet.length, ...packet];
  const ogg = Uint8Array.from([...page(0, [...Buffer.from("OpusHead"), 1, 1, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]), ...page(0, [...Buffer.from("OpusTags")]), ...page(960, [0xf8]), ...page(1920, [0xf8])]);
  const out = remux([ogg, recorded(1000)], [])!;
  expect(Buffer.from(out).includes("A_OPUS")).toBe(true);
  const whole = blocks(out);
  expect(whole).toHaveLength(52);
  expect(whole.slice(0, 3).map(([ms]) => ms)).toEqual([0, 20, 40]);
});
