import { describe, expect, it } from "vitest";

import { fastest } from "./fastest";
import { Heights } from "./heights";

const keys = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

describe("Heights", () => {
  it("counts with the estimate until a row was seen", () => {
    const rows = new Heights(100);
    rows.setKeys(keys(0, 10));
    expect(rows.total).toBe(1000);
    expect(rows.measure("3", 160)).toBe(60);
    expect(rows.measure("3", 160)).toBe(0);
    expect(rows.total).toBe(1060);
    expect(rows.top(3)).toBe(300);
    expect(rows.top(4)).toBe(460);
    expect(rows.top(99)).toBe(1060);
  });

  it("finds the row at a height", () => {
    const rows = new Heights(100);
    rows.setKeys(keys(0, 10));
    rows.measure("0", 10);
    expect([-5, 0, 9.9, 10, 109, 110, 1e9].map((y) => rows.indexAt(y))).toEqual([0, 0, 0, 1, 1, 2, 9]);
  });

  it("keeps what it saw when older rows come before", () => {
    const rows = new Heights(100);
    rows.setKeys(keys(50, 100));
    rows.measure("50", 30);
    rows.setKeys(keys(0, 100));
    expect(rows.top(50)).toBe(5000);
    expect(rows.top(51)).toBe(5030);
  });

  it("is nothing without rows", () => {
    const rows = new Heights(100);
    expect([rows.total, rows.indexAt(50), rows.count]).toEqual([0, 0, 0]);
  });

  it("takes time by the number of rows, and no more", () => {
    const layOut = (count: number) => {
      const rows = new Heights(100);
      rows.setKeys(keys(0, count));
      for (let i = 0; i < 20; i++) {
        rows.measure(String(i), 90 + i);
        rows.indexAt(count * 50);
      }
    };
    expect(fastest(() => layOut(10_000)) / fastest(() => layOut(500))).toBeLessThan(100); // 20 rows to one
  });
});
