/*
 * Ogg with Opus in it (RFC 7845), as the server keeps what was recorded live,
 * taken apart into packets and their times. What is behind the last whole page
 * is left out.
 */
export interface Packet {
  ms: number; // where it begins
  frame: Uint8Array;
}

const rate = 48; // samples of a ms
const capture = [0x4f, 0x67, 0x67, 0x53]; // OggS
const headers = 2; // packets before the sound
const maxLacing = 255;

/** All packets of it; undefined for what is something else. */
export function packetsOf(bytes: Uint8Array): Packet[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const all: Packet[] = [];
  let ofPage: Uint8Array[] = [];
  let open: Uint8Array[] = []; // of the packet that goes on
  let count = 0;
  for (let at = 0; at + 27 <= bytes.length; ) {
    if (!capture.every((byte, i) => bytes[at + i] === byte)) return undefined;
    const lacing = bytes.subarray(at + 27, at + 27 + bytes[at + 26]!);
    let body = at + 27 + bytes[at + 26]!;
    if (body + lacing.reduce((sum, length) => sum + length, 0) > bytes.length) break;
    const end = view.getUint32(at + 6, true) + view.getUint32(at + 10, true) * 2 ** 32;
    for (const length of lacing) {
      open.push(bytes.subarray(body, body + length));
      body += length;
      if (length === maxLacing) continue;
      const packet = open.length === 1 ? open[0]! : join(open);
      open = [];
      if (count === 0 && !isHead(packet)) return undefined;
      if (count++ >= headers) ofPage.push(packet);
    }
    if (ofPage.length) all.push(...timed(ofPage, end));
    ofPage = [];
    at = body;
  }
  return all.length ? all : undefined;
}

/** A page tells the place of its end: what came before it counts back from there. */
function timed(packets: readonly Uint8Array[], end: number): Packet[] {
  let place = end - packets.reduce((sum, packet) => sum + samplesOf(packet), 0);
  return packets.map((frame) => {
    const ms = Math.max(0, place) / rate;
    place += samplesOf(frame);
    return { ms, frame };
  });
}

const isHead = (packet: Uint8Array) => new TextDecoder().decode(packet.subarray(0, 8)) === "OpusHead";

/** How long a packet of Opus lasts (RFC 6716, section 3.1). */
export function samplesOf(packet: Uint8Array): number {
  const config = packet[0]! >> 3;
  const lengths = config < 12 ? [10, 20, 40, 60] : config < 16 ? [10, 20] : [2.5, 5, 10, 20];
  const code = packet[0]! & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 63;
  return lengths[config % lengths.length]! * rate * frames;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
