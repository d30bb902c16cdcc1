import { expect, test } from "vitest";

import { after, due, hurried, type Item, left, nextDue, outcomeOf, pauseAfter, settled, takenBack, unsent } from "./queue";

const item: Item = {
  id: "a", user: "u", conversation: "c", title: "", name: "", mime: "audio/webm", at: "2026-01-01T00:00:00Z",
  phase: "waiting", ms: 5000, bytes: 40_000, cuts: [], tries: 0, notBefore: 0, reason: "",
};

test("what was sent is done with", () => {
  expect(after(item, { kind: "sent" }, 1000, 0.5)).toBeUndefined();
});

test("what could not be sent waits longer each time, but never gives up", () => {
  let now: Item = item;
  let last = 0;
  for (let i = 0; i < 40; i++) {
    now = after(now, { kind: "unreached" }, 1000, 0.5)!;
    expect(now.phase).toBe("waiting");
    expect(now.notBefore - 1000).toBeGreaterThanOrEqual(last);
    last = now.notBefore - 1000;
  }
  expect(last).toBe(300_000);
  expect(pauseAfter(1, 0)).toBe(1500);
  expect(pauseAfter(1, 1)).toBe(2500);
});

test("what is refused waits for a word from somebody", () => {
  const refused = after(item, { kind: "refused", reason: "This is a text file." }, 1000, 0)!;
  expect(refused).toMatchObject({ phase: "refused", reason: "This is a text file." });
  expect(due([refused], Infinity)).toEqual([]);
  expect(nextDue([refused])).toBeUndefined();
  expect(hurried(refused)).toEqual({ ...item });
});

test("only what waits is due", () => {
  const later = { ...item, id: "b", notBefore: 2000 };
  const items = [item, later, { ...item, phase: "recording" as const }, { ...item, phase: "paused" as const }];
  expect(due(items, 1000)).toEqual([item]);
  expect(due(items, 2000)).toEqual([item, later]);
  expect(nextDue([later])).toBe(2000);
});

test("what a page left behind is a draft: nobody said to send it", () => {
  expect(left({ ...item, phase: "recording" })?.phase).toBe("paused");
  expect(left({ ...item, phase: "paused" })?.phase).toBe("paused");
  expect(left({ ...item, phase: "recording", bytes: 0 })).toBeUndefined();
});

test("what is thrown away goes from the server too, even if that is not reached now", () => {
  const live = { session: "s", message: "m", lead: 0, whole: true };
  const gone = takenBack({ ...item, live, tries: 3, notBefore: 9000 })!;
  expect(gone).toMatchObject({ id: "gone-m", phase: "gone", bytes: 0, tries: 0, notBefore: 0 });
  expect(due([gone], 0)).toEqual([gone]);
  expect(after(gone, { kind: "unreached" }, 0, 0)?.phase).toBe("gone");
  expect(hurried(gone).phase).toBe("gone");
  expect(takenBack(item)).toBeUndefined();
});

test("what was sent and taken back is a draft of the message that it was, and is sent by another request", () => {
  const live = { session: "s", message: "m", lead: 300, whole: true };
  const sent = { ...item, live, phase: "sent" as const, sent: { message: "m", until: 10_000 } };
  expect(unsent(sent, "again")).toEqual({ ...item, phase: "paused", key: "again", live: { ...live, session: "" } });
  // The copy was sent in place of the live recording: it is all of it.
  expect(unsent({ ...sent, sent: { message: "copy", until: 10_000 } }, "again").live).toEqual({ session: "", message: "copy", lead: 0, whole: true });
  expect(unsent(item, "again")).toEqual(item);
  expect(due([sent], Infinity)).toEqual([]);
});

test("the copy of what was sent is kept for as long as that can be undone, and no longer if the clock was set", () => {
  const sent = { ...item, phase: "sent" as const, sent: { message: "m", until: 100_000 } };
  expect(settled(sent, 95_000)).toBe(false);
  expect(settled(sent, 121_000)).toBe(true);
  expect(settled(sent, 1000)).toBe(true);
  expect(settled(item, 121_000)).toBe(false);
});

test.each([
  [201, "sent"],
  [200, "sent"],
  [401, "signed-out"],
  [0, "unreached"],
  [408, "unreached"],
  [429, "unreached"],
  [503, "unreached"],
  [507, "unreached"],
  [404, "refused"],
  [413, "refused"],
  [415, "refused"],
  [422, "refused"],
])("an answer of %i means %s", (status, kind) => {
  expect(outcomeOf(status, "").kind).toBe(kind);
});

test("a server that says when to come back is believed, within reason", () => {
  const now = 1_000_000;
  expect(after(item, outcomeOf(429, "", "60"), now, 0.5)!.notBefore).toBe(now + 60_000);
  expect(after(item, outcomeOf(503, "", "Sun, 22 Nov 2026 00:00:00 GMT"), now, 0.5)!.notBefore).toBe(now + pauseAfter(1, 0.5));
  expect(after(item, outcomeOf(503, "", "86400"), now, 0.5)!.notBefore).toBe(now + 300_000);
});

test("what is tried again tells why, where the server said so", () => {
  expect(after(item, outcomeOf(507, "No space left."), 0, 0.5)!.reason).toBe("No space left."); // it is not for want of a connection
  expect(after(item, outcomeOf(0, ""), 0, 0.5)!.reason).toBe("");
  expect(hurried(after(item, outcomeOf(507, "No space left."), 0, 0.5)!).reason).toBe("");
});
