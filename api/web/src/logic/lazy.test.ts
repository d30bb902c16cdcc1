import { describe, expect, it } from "vitest";

import { bars, barsPath } from "./bars";
import { Lazy } from "./lazy";

const settled = () => new Promise((done) => setTimeout(done));

describe("Lazy", () => {
  function things(atOnce = 1, most = 10, tryAgain = true) {
    const asked: string[] = [];
    const later: { run: () => void; wait: number }[] = [];
    const answer = new Map<string, (ok: boolean) => void>();
    const lazy = new Lazy<string>(
      (key) => (asked.push(key), new Promise((resolve, reject) => answer.set(key, (ok) => (ok ? resolve(key.toUpperCase()) : reject(new Error("no")))))),
      atOnce,
      most,
      () => tryAgain,
      (run, wait) => later.push({ run, wait }),
    );
    return { lazy, asked, later, answer: async (key: string, ok = true) => (answer.get(key)!(ok), await settled()) };
  }

  it("fetches the last that was asked for first, and not what nobody wants any more", async () => {
    const { lazy, asked, answer } = things();
    const got: string[] = [];
    lazy.want("a", (v) => got.push(v));
    const forget = lazy.want("b", (v) => got.push(v));
    lazy.want("c", (v) => got.push(v));
    lazy.want("d", (v) => got.push(v));
    forget();
    for (const key of ["a", "d", "c"]) await answer(key);
    expect(asked).toEqual(["a", "d", "c"]);
    expect(got).toEqual(["A", "D", "C"]);
  });

  it("asks once for what many want, and keeps it", async () => {
    const { lazy, asked, answer } = things();
    lazy.want("x", () => {});
    const got: string[] = [];
    lazy.want("a", (v) => got.push(v));
    lazy.want("a", (v) => got.push(v));
    await answer("x");
    await answer("a");
    lazy.want("a", (v) => got.push(v));
    expect([asked, got, lazy.get("a")]).toEqual([["x", "a"], ["A", "A", "A"], "A"]);
  });

  it("goes on after a failure, and keeps only so many", async () => {
    const { lazy, asked, answer } = things(1, 1, false);
    lazy.want("a", () => {});
    await answer("a", false);
    lazy.want("a", () => {});
    await answer("a");
    lazy.want("b", () => {});
    await answer("b");
    expect([asked, lazy.get("a"), lazy.get("b")]).toEqual([["a", "a", "b"], undefined, "B"]);
  });
});

describe("Lazy, when fetching fails", () => {
  function failing() {
    const asked: string[] = [];
    const later: { run: () => void; wait: number }[] = [];
    let down = true;
    const lazy = new Lazy<string>(
      (key) => (asked.push(key), down ? Promise.reject(new Error("offline")) : Promise.resolve(key.toUpperCase())),
      2,
      10,
      () => true,
      (run, wait) => later.push({ run, wait }),
    );
    return { lazy, asked, later, back: () => (down = false) };
  }

  it("tries again, less and less often, until it is there", async () => {
    const { lazy, asked, later, back } = failing();
    const got: string[] = [];
    lazy.want("a", (v) => got.push(v));
    await settled();
    for (const wait of [1000, 2000, 4000]) {
      expect(later.at(-1)!.wait).toBe(wait);
      if (wait === 4000) back();
      later.pop()!.run();
      await settled();
    }
    expect([asked.length, got, later.length]).toEqual([4, ["A"], 0]);
  });

  it("does not try again what nobody wants any more, or what was cleared", async () => {
    const { lazy, asked, later } = failing();
    const forget = lazy.want("a", () => {});
    lazy.want("b", () => {});
    await settled();
    forget();
    lazy.clear();
    for (const { run } of later) run();
    await settled();
    expect(asked).toEqual(["a", "b"]);
  });
});

describe("bars", () => {
  it("are as high as their loudest peak", () => {
    expect(bars([0, 1, 0, 0.25], 2)).toEqual([1, 0.5]);
    expect(bars([0, 0], 2)).toEqual([0, 0]);
    expect(bars([1], 3)).toEqual([1, 1, 1]);
  });
  it("are drawn around the middle", () => expect(barsPath([1, 0])).toBe("M0.5 6.0V94.0M1.5 49.0V51.0"));
});
