import { describe, expect, it } from "vitest";

import { SSEParser } from "./sse";

function parse(...pieces: string[]) {
  const heard: string[] = [];
  const parser = new SSEParser({ onPlace: (id) => heard.push(`at ${id}`), onEvent: ({ type, data, id }) => heard.push(`${id ?? "-"} ${type} ${data}`) });
  for (const piece of pieces) parser.push(piece);
  return heard;
}

describe("SSEParser", () => {
  const stream = "retry: 2000\r\nid: a\r\n: listening\r\n\r\nid: b\r\nevent: message.created\r\ndata: {\"x\":1}\r\n\r\n: still here\r\n\r\nevent: message.progress\r\ndata:one\r\ndata: two\r\n\r\n";
  const told = ["at a", 'b message.created {"x":1}', "- message.progress one\ntwo"];

  it("reads events, places and comments", () => {
    expect(parse(stream)).toEqual(told);
    expect(parse(stream.replaceAll("\r\n", "\n"))).toEqual(told);
  });

  it("reads the same in pieces of any size", () => {
    for (let size = 1; size < stream.length; size++) {
      const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, i) => stream.slice(i * size, (i + 1) * size));
      expect(parse(...pieces), `pieces of ${size}`).toEqual(told);
    }
  });

  it("tells nothing of an event that was cut off", () => {
    expect(parse("id: b\nevent: message.created\ndata: {}")).toEqual([]);
  });
});
