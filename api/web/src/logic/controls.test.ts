import { describe, expect, it } from "vitest";

import { type Described, controlOf, isCommand, takes } from "./controls";

/** Elements as they stand in pages, and which of these keys are theirs. */
const keys = [" ", "Enter", "ArrowLeft", "ArrowDown", "Home", "n", "/", "?"];
const all = keys.join(",");
const table: [what: string, element: Described, theirs: string][] = [
  ["the page", { tag: "body" }, ""],
  ["a message", { tag: "article" }, ""],
  ["a list", { tag: "ul" }, ""],
  ["a button", { tag: "button" }, " ,Enter"],
  ["what is made a button", { tag: "div", role: "button" }, " ,Enter"],
  ["a summary", { tag: "summary" }, " ,Enter"],
  ["a link", { tag: "a" }, " ,Enter"],
  ["a switch", { tag: "input", type: "checkbox", role: "switch" }, " ,Enter"],
  ["a switch of another element", { tag: "button", role: "switch" }, " ,Enter"],
  ["a tick", { tag: "input", type: "checkbox" }, " ,Enter"],
  ["a radio", { tag: "input", type: "radio" }, " ,Enter,ArrowLeft,ArrowDown,Home"],
  ["a tab", { tag: "button", role: "tab" }, " ,Enter,ArrowLeft,ArrowDown,Home"],
  ["a range", { tag: "input", type: "range" }, "ArrowLeft,ArrowDown,Home"],
  ["a slider", { tag: "div", role: "slider" }, "ArrowLeft,ArrowDown,Home"],
  ["a select", { tag: "select" }, all],
  ["a listbox", { tag: "ul", role: "listbox" }, all],
  ["a menu item", { tag: "button", role: "menuitem" }, all],
  ["a field", { tag: "input", type: "text" }, all],
  ["a search field", { tag: "input", type: "search" }, all],
  ["a field of a type that comes some day", { tag: "input", type: "date" }, all],
  ["a combobox", { tag: "input", type: "text", role: "combobox" }, all],
  ["many lines", { tag: "textarea" }, all],
  ["what is editable", { tag: "div", editable: true }, all],
  ["a file button", { tag: "input", type: "file" }, " ,Enter"],
  ["a video with controls", { tag: "video", controls: true }, " ,Enter,ArrowLeft,ArrowDown,Home"],
  ["a video without", { tag: "video" }, ""],
];

describe("keys", () => {
  it.each(table)("of %s", (_, element, theirs) => {
    expect(keys.filter((key) => takes(controlOf(element), key)).join(",")).toBe(theirs);
  });
  it("with modifiers are commands; Shift is a part of characters", () => {
    const bare = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
    const command = (key: string, ...held: (keyof typeof bare)[]) => isCommand({ key, ...bare, ...Object.fromEntries(held.map((one) => [one, true])) });
    expect([command("n"), command("?", "shiftKey"), command("R", "shiftKey"), command("ArrowLeft"), command(" ")]).toEqual([false, false, false, false, false]);
    expect([command("n", "ctrlKey"), command("r", "metaKey"), command("ArrowLeft", "altKey"), command("ArrowLeft", "shiftKey"), command(" ", "shiftKey"), command("Enter", "shiftKey")]).toEqual([true, true, true, true, true, true]);
  });
});
