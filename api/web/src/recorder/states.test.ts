import { expect, test } from "vitest";

import { Machine, type State, type Transition } from "./states";

const states: State[] = ["opening", "recording", "paused", "resuming", "ending", "over"];
const transitions: Transition[] = ["opened", "refused", "pause", "resume", "resumed", "stayed", "cut", "send", "sent", "discard", "leave"];

test("every step there is, and no other", () => {
  const steps = states.flatMap((from) =>
    transitions.flatMap((transition) => {
      const machine = new Machine(() => {}, from);
      return machine.go(transition) ? [`${from} ${transition} ${machine.state}`] : [];
    }),
  );
  expect(steps).toEqual([
    "opening opened recording",
    "opening refused over",
    "opening discard over",
    "opening leave over",
    "recording pause paused",
    "recording send ending",
    "recording discard over",
    "recording leave over",
    "paused resume resuming",
    "paused cut paused",
    "paused send ending",
    "paused discard over",
    "paused leave over",
    "resuming pause paused",
    "resuming resumed recording",
    "resuming stayed paused",
    "resuming send ending",
    "resuming discard over",
    "resuming leave over",
    "ending sent over",
  ]);
});

test("what may not happen changes nothing, and what was begun in a state is told that it was left", () => {
  const seen: State[] = [];
  const machine = new Machine((state) => seen.push(state));
  const { signal } = machine;
  expect(machine.go("resume")).toBe(false);
  expect(signal.aborted).toBe(false);
  expect(machine.go("opened")).toBe(true);
  expect(signal.aborted).toBe(true);
  expect(machine.signal.aborted).toBe(false);
  expect(seen).toEqual(["recording"]);
});
