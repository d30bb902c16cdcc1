import { describe, expect, it } from "vitest";

import { guardComposition, isComposing } from "./composing";

/** A key as a browser tells of it. */
class Key extends Event {
  constructor(readonly key: string, readonly keyCode: number, readonly isComposing = false) {
    super("keydown", { cancelable: true });
  }
}

describe("input methods", () => {
  it.each([
    ["Enter", new Key("Enter", 13), false],
    ["Chrome: Enter that confirms", new Key("Enter", 229, true), true],
    ["Firefox: Enter that confirms", new Key("Enter", 13, true), true],
    ["Safari: Enter after the end of the composition", new Key("Enter", 229), true],
    ["Android: any letter of a soft keyboard", new Key("Unidentified", 229), true],
  ])("%s", (_, key, theirs) => expect(isComposing(key)).toBe(theirs));

  it("keep their keys and send nothing, until another key or a press", () => {
    const page = new EventTarget();
    guardComposition(page as unknown as Window);
    const told: string[] = [];
    page.addEventListener("keydown", (event) => told.push((event as Key).key));
    page.addEventListener("submit", () => told.push("sent"));
    const submit = () => page.dispatchEvent(new Event("submit", { cancelable: true }));

    page.dispatchEvent(new Key("Escape", 27, true));
    page.dispatchEvent(new Key("Enter", 229));
    expect([submit(), told]).toEqual([false, []]);
    page.dispatchEvent(new Event("pointerdown"));
    expect([submit(), told]).toEqual([true, ["sent"]]);
    page.dispatchEvent(new Key("Enter", 229));
    page.dispatchEvent(new Key("Enter", 13));
    expect([submit(), told]).toEqual([true, ["sent", "Enter", "sent"]]);
    page.dispatchEvent(new Key("Unidentified", 229)); // a soft keyboard, whose Go sends without a key
    expect([submit(), told.length]).toEqual([true, 4]);
  });
});
