/*
 * WebM as browsers record it, cut and written anew: sound in blocks with times,
 * in clusters. What is behind the last whole block, as of a recording that was
 * torn off, is left out. The result knows its length, so it can be scrubbed.
 */
import type { Cut } from "./cuts";
import { packetsOf } from "./ogg";

const ids = { ebml: 0x1a45dfa3, segment: 0x18538067, info: 0x1549a966, scale: 0x2ad7b1, tracks: 0x1654ae6b, cluster: 0x1f43b675, time: 0xe7, simple: 0xa3, group: 0xa0, block: 0xa1 };

interface Block {
  ms: number;
  track: number;
  frame: Uint8Array; // all behind the block's header
}

interface Parsed {
  ebml: Uint8Array;
  tracks: Uint8Array;
  blocks: Block[];
}

/** How long a cluster may be; times in it are 16 bits. */
const clusterMS = 5000;
/** How long one block lasts, where no other follows it. */
const blockMS = 20;
/** As long as a packet of Opus may be (RFC 6716, section 2.1.4). */
const longestBlockMS = 120;
/** Far more than one block takes. */
const longestElement = 1 << 16;

const isOuter = (id: number) => id === ids.segment || id === ids.cluster || id === ids.group || id === ids.info;

export const isWebM = (mime: string) => /^(audio|video)\/webm/.test(mime);

/** Writes its parts anew in one, without what was cut; undefined where one is neither WebM nor Ogg with Opus. */
export function remux(parts: readonly Uint8Array[], cuts: readonly Cut[]): Uint8Array<ArrayBuffer> | undefined {
  const all = parts.map((part) => parse(part) ?? parseOgg(part));
  const parsed = all[0];
  if (!parsed || all.some((part) => !part?.blocks.length)) return undefined;
  let gone = 0;
  let at = 0;
  const kept: Block[] = [];
  for (const block of inOne(all as Parsed[])) {
    const { ms } = block;
    while (cuts[at] && ms >= cuts[at]!.to) gone += cuts[at]!.to - cuts[at++]!.from;
    if (cuts[at] && ms >= cuts[at]!.from) continue;
    kept.push({ ...block, ms: ms - gone });
  }
  return write(parsed, kept);
}

/** The blocks of all parts, one after the other, from 0 ms on. */
function inOne(parts: readonly Parsed[]): Block[] {
  const all: Block[] = [];
  const { track } = parts[0]!.blocks[0]!;
  for (const { blocks } of parts) {
    const from = all.length ? all.at(-1)!.ms + blockMS : 0;
    for (const block of blocks) all.push({ ...block, track, ms: from + block.ms - blocks[0]!.ms });
  }
  return all;
}

/** What the server kept of a live recording, as if a browser had recorded it. */
function parseOgg(bytes: Uint8Array): Parsed | undefined {
  const packets = packetsOf(bytes);
  if (!packets) return undefined;
  const text = (words: string) => new TextEncoder().encode(words);
  const hertz = new Uint8Array(4);
  new DataView(hertz.buffer).setFloat32(0, 48_000);
  const opus = join([text("OpusHead"), Uint8Array.of(1, 1, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0)]); // RFC 7845: one channel, 48,000 Hz
  const track = [...wrap(0xd7, [big(1)]), ...wrap(0x73c5, [big(1)]), ...wrap(0x83, [big(2)]), ...wrap(0x86, [text("A_OPUS")]), ...wrap(0x63a2, [opus]), ...wrap(0xe1, [...wrap(0xb5, [hertz]), ...wrap(0x9f, [big(1)])])];
  return {
    ebml: join(wrap(ids.ebml, [...wrap(0x4286, [big(1)]), ...wrap(0x42f7, [big(1)]), ...wrap(0x42f2, [big(4)]), ...wrap(0x42f3, [big(8)]), ...wrap(0x4282, [text("webm")]), ...wrap(0x4287, [big(4)]), ...wrap(0x4285, [big(2)])])),
    tracks: join(wrap(ids.tracks, wrap(0xae, track))),
    blocks: packets.map(({ ms, frame }) => ({ ms, track: 1, frame })),
  };
}

/** How long a recording is, as far as it has come: it is told of each piece, wherever that ends. */
export class WebMLength {
  private rest = new Uint8Array(0);
  private scale = 1e6; // ns of a tick
  private cluster = 0;
  private first: number | undefined;
  private last = 0;
  private step = blockMS;

  /** In ms; never less than before. */
  get ms(): number {
    return this.first === undefined ? 0 : this.last - this.first + this.step;
  }

  /** False says that this is no WebM as browsers record it. */
  push(piece: Uint8Array): boolean {
    const bytes = join([this.rest, piece]);
    let at = 0;
    while (at < bytes.length) {
      const head = element(bytes, at);
      if (!head) break;
      const { id, body, end } = head;
      if (isOuter(id)) {
        at = body;
        continue;
      }
      if (end === undefined || end > bytes.length) break;
      if (id === ids.scale) this.scale = number(bytes, body, end);
      else if (id === ids.time) this.cluster = number(bytes, body, end);
      else if (id === ids.simple || id === ids.block) this.block(bytes, body);
      at = end;
    }
    this.rest = bytes.slice(at);
    return this.rest.length < longestElement;
  }

  private block(bytes: Uint8Array, body: number) {
    const track = vint(bytes, body);
    if (!track) return;
    const ticks = this.cluster + new DataView(bytes.buffer, bytes.byteOffset).getInt16(body + track.length);
    const ms = (ticks * this.scale) / 1e6;
    if (this.first === undefined) this.first = this.last = ms;
    if (ms <= this.last) return;
    this.step = Math.min(ms - this.last, longestBlockMS);
    this.last = ms;
  }
}

function parse(bytes: Uint8Array): Parsed | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parsed: Partial<Parsed> & { blocks: Block[] } = { blocks: [] };
  let scale = 1e6; // ns of a tick
  let cluster = 0;
  let at = 0;
  while (at < bytes.length) {
    const head = element(bytes, at);
    if (!head) break;
    const { id, body, end } = head;
    // Of these only what is in them matters.
    if (isOuter(id)) {
      at = body;
      continue;
    }
    if (end === undefined || end > bytes.length) break;
    if (id === ids.ebml) parsed.ebml = bytes.subarray(at, end);
    else if (id === ids.tracks) parsed.tracks = bytes.subarray(at, end);
    else if (id === ids.scale) scale = number(bytes, body, end);
    else if (id === ids.time) cluster = number(bytes, body, end);
    else if (id === ids.simple || id === ids.block) {
      const track = vint(bytes, body);
      if (!track || end - body < track.length + 3) break;
      const ticks = cluster + view.getInt16(body + track.length);
      parsed.blocks.push({ ms: (ticks * scale) / 1e6, track: track.value, frame: bytes.subarray(body + track.length + 3, end) });
    }
    at = end;
    if (!parsed.ebml) return undefined;
  }
  return parsed.ebml && parsed.tracks ? (parsed as Parsed) : undefined;
}

/** The element at a place; its end is undefined when it has no known size. */
function element(bytes: Uint8Array, at: number): { id: number; body: number; end?: number } | undefined {
  const idLength = Math.clz32(bytes[at]!) - 23;
  if (idLength > 4 || at + idLength > bytes.length) return undefined;
  const size = vint(bytes, at + idLength);
  if (!size) return undefined;
  const body = at + idLength + size.length;
  return { id: number(bytes, at, at + idLength), body, ...(size.unknown ? {} : { end: body + size.value }) };
}

function vint(bytes: Uint8Array, at: number): { value: number; length: number; unknown: boolean } | undefined {
  const length = Math.clz32(bytes[at] ?? 0) - 23;
  if (length > 8 || at + length > bytes.length) return undefined;
  let value = bytes[at]! & (0xff >> length);
  let ones = value === 0xff >> length;
  for (let i = 1; i < length; i++) {
    value = value * 256 + bytes[at + i]!;
    ones &&= bytes[at + i] === 0xff;
  }
  return { value, length, unknown: ones };
}

function number(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 256 + bytes[i]!;
  return value;
}

function write({ ebml, tracks }: Parsed, blocks: readonly Block[]): Uint8Array<ArrayBuffer> {
  const length = blocks.length ? blocks.at(-1)!.ms + blockMS : 0;
  const duration = new Uint8Array(8);
  new DataView(duration.buffer).setFloat64(0, length);
  const name = new TextEncoder().encode("hark");
  const info = wrap(ids.info, [...wrap(ids.scale, [big(1e6)]), ...wrap(0x4489, [duration]), ...wrap(0x4d80, [name]), ...wrap(0x5741, [name])]);
  const inside = [...info, tracks];
  for (let at = 0; at < blocks.length; ) {
    const start = Math.round(blocks[at]!.ms);
    const cluster = wrap(ids.time, [big(start)]);
    for (; at < blocks.length && blocks[at]!.ms - start < clusterMS; at++) {
      const { track, ms, frame } = blocks[at]!;
      const ticks = Math.round(ms) - start;
      cluster.push(...wrap(ids.simple, [size(track), Uint8Array.of(ticks >> 8, ticks & 0xff, 0x80), frame]));
    }
    inside.push(...wrap(ids.cluster, cluster));
  }
  return join([ebml, ...wrap(ids.segment, inside)]);
}

const wrap = (id: number, parts: Uint8Array[]) => [big(id), size(parts.reduce((sum, part) => sum + part.length, 0)), ...parts];

/** A whole number in as few bytes as it takes. */
function big(value: number): Uint8Array {
  const bytes: number[] = [];
  do bytes.unshift(value % 256);
  while ((value = Math.floor(value / 256)) > 0);
  return Uint8Array.from(bytes);
}

/** A size, in one byte where it fits, else in four or eight. */
function size(value: number): Uint8Array {
  if (value < 0x7f) return Uint8Array.of(0x80 | value);
  const bytes = new Uint8Array(value < 0x0fffffff ? 4 : 8);
  for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
  bytes[0]! |= bytes.length === 4 ? 0x10 : 0x01;
  return bytes;
}

function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
