import { describe, expect, it } from "vitest";

import { type Known, rows } from "./rows";

const local = (hour: number, minute = 0, day = 3) => new Date(2026, 2, day, hour, minute).toISOString();
/** Lays out [author, time] from old to new: days in brackets, a star before those that follow. */
function laid(...sent: [author: string, at: string][]) {
  const ids = sent.map((_, i) => String(i)).reverse();
  const of = (id: string) => ({ created_at: sent[Number(id)]![1], author: { id: sent[Number(id)]![0] } });
  return rows(ids, of).map((row) => (row.kind === "day" ? `[${new Date(row.at).getDate()}]` : (row.follows ? "*" : "") + sent[Number(row.id)]![0]));
}

describe("rows", () => {
  it("put days between messages", () => {
    expect(laid(["ada", local(9)], ["bob", local(10)], ["bob", local(9, 0, 4)])).toEqual(["[3]", "ada", "bob", "[4]", "bob"]);
  });

  it("put messages of one author together that come soon after each other", () => {
    expect(laid(["ada", local(9)], ["ada", local(9, 4)], ["ada", local(9, 8)], ["ada", local(9, 13)], ["bob", local(9, 13)], ["ada", local(9, 14)])).toEqual(["[3]", "ada", "*ada", "*ada", "ada", "bob", "ada"]);
  });

  it("begin a day with its author's name", () => {
    expect(laid(["ada", local(23, 59)], ["ada", local(0, 1, 4)])).toEqual(["[3]", "ada", "[4]", "ada"]);
  });

  it("count messages, not days", () => {
    const numbers = rows(["b", "a"], (id) => ({ created_at: local(9, 0, id === "a" ? 3 : 4), author: { id: "ada" } })).map((row) => (row.kind === "day" ? "day" : row.position));
    expect(numbers).toEqual(["day", 1, "day", 2]);
  });

  it("name a day by the message that it stands before, and so anew when earlier ones come", () => {
    const keys = (...ids: string[]) => rows(ids.reverse(), () => ({ created_at: local(9), author: { id: "ada" } })).map(({ key }) => key);
    expect(keys("b", "c")).not.toContain(keys("a", "b", "c")[0]);
  });

  it("ask for each message once, and again for one that was not known", () => {
    let asked = 0;
    const known = new Map<string, Known>();
    const of = (id: string) => (asked++, id === "gone" ? undefined : { created_at: local(9), author: { id: "ada" } });
    rows(["a", "gone", "b"], of, known);
    expect(rows(["a", "gone", "b"], of, known).map((row) => row.kind === "message" && row.follows)).toEqual([false, false, false, false]);
    expect(asked).toBe(4);
  });
});
