import { describe, expect, it } from "vitest";

import type { Conversation } from "../api/client";
import { byActivity, renewed } from "./order";

const at = (id: string, last_message_at?: string) => ({ id, created_at: "2026-01-01T00:00:00Z", ...(last_message_at && { last_message_at }) }) as Conversation;
const ids = (items: readonly Conversation[]) => items.map(({ id }) => id).join(" ");

describe("the order of conversations", () => {
  it("is by time, whatever it is written like", () => {
    const list = [at("a", "2026-03-01T10:00:05Z"), at("b", "2026-03-01T10:00:05.1Z"), at("c", "2026-03-01T10:00:05.12Z"), at("d", "2026-03-01T12:00:04+02:00"), at("e")];
    expect(ids(list.toSorted(byActivity))).toBe("c b a d e");
  });

  it("is by id where times are the same, as in the API", () => {
    expect(ids([at("1"), at("3"), at("2")].toSorted(byActivity))).toBe("3 2 1");
  });
});

describe("renewed", () => {
  const n = (i: number) => at(`c${i}`, `2026-03-01T10:00:${10 + i}Z`);
  it("keeps pages that were read before", () => {
    const before = { items: [n(6), n(5), n(4), n(3), n(2), n(1)], more: "behind 1" };
    // 5 was deleted, and something was said in 2.
    const said = at("c2", "2026-03-01T10:01:00Z");
    expect(renewed(before, { items: [said, n(6), n(4)], more: "behind 4" })).toEqual({ items: [said, n(6), n(4), n(3), n(1)], more: "behind 1" });
  });

  it("is the page alone where that is all there is, or nothing was read behind it", () => {
    expect(renewed({ items: [n(2), n(1)] }, { items: [n(2)] })).toEqual({ items: [n(2)] });
    expect(renewed({ items: [] }, { items: [n(2)], more: "behind 2" })).toEqual({ items: [n(2)], more: "behind 2" });
  });
});
