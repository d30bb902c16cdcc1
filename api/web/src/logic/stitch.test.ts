import { describe, expect, it } from "vitest";

import { stitch } from "./stitch";

const run = ["h", "g", "f", "e", "d"];
const lay = (ids: string[], before = true, after = true) => stitch(run, { ids, before, after });

describe("stitch", () => {
  it("renews the middle of a run", () => {
    expect(lay(["g", "F", "e"])).toEqual({ ids: ["h", "g", "F", "e", "d"], begins: true, ends: true });
    expect(lay(["g", "e"])).toEqual({ ids: ["h", "g", "e", "d"], begins: true, ends: true });
  });

  it("goes on beyond an end", () => {
    expect(lay(["j", "i", "h"])).toEqual({ ids: ["j", "i", "h", "g", "f", "e", "d"], begins: false, ends: true });
    expect(lay(["e", "d", "c"])).toEqual({ ids: ["h", "g", "f", "e", "d", "c"], begins: true, ends: false });
  });

  it("drops what stood beyond the ends of the list", () => {
    expect(lay(["g", "f"], false)).toEqual({ ids: ["g", "f", "e", "d"], begins: false, ends: true });
    expect(lay(["f", "e"], true, false)).toEqual({ ids: ["h", "g", "f", "e"], begins: true, ends: false });
  });

  it("makes no run of what does not meet", () => {
    expect(lay(["z", "y"])).toBeUndefined();
    expect(stitch([], { ids: ["a"], before: false, after: false })).toBeUndefined();
  });
});
