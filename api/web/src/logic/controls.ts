/*
 * Which keys belong to the control that has the focus, and not to the app:
 * whoever moves a slider, opens a list or types does not mean the player.
 */

/** What is known of an element by its tag and attributes. */
export interface Described {
  tag: string;
  type?: string; // of an input
  role?: string | null;
  editable?: boolean;
  controls?: boolean; // of a video or a sound
}

export type Control = "text" | "list" | "range" | "choice" | "check" | "button" | "link" | "media" | "none";

const arrows = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const ends = ["Home", "End", "PageUp", "PageDown"];
const press = [" ", "Enter"];

/** The keys of each; all of them, where it takes what is typed or finds by first letters. */
const owned: Record<Control, readonly string[] | "all"> = {
  text: "all",
  list: "all",
  range: [...arrows, ...ends],
  choice: [...arrows, ...ends, ...press],
  check: press,
  button: press,
  link: press,
  media: [...arrows, ...ends, ...press],
  none: [],
};

const byRole: Record<string, Control> = {
  textbox: "text", searchbox: "text", combobox: "text", spinbutton: "text",
  listbox: "list", option: "list", menu: "list", menubar: "list", menuitem: "list", menuitemcheckbox: "list", menuitemradio: "list",
  tree: "list", treeitem: "list", grid: "list",
  slider: "range", scrollbar: "range", separator: "range",
  radio: "choice", radiogroup: "choice", tab: "choice", tablist: "choice",
  switch: "check", checkbox: "check",
  button: "button", link: "link",
};

const byType: Record<string, Control> = {
  checkbox: "check", radio: "choice", range: "range", color: "button", file: "button",
  button: "button", submit: "button", reset: "button", image: "button",
};

const byTag: Record<string, Control> = {
  textarea: "text", select: "list", option: "list", button: "button", summary: "button", a: "link", area: "link", iframe: "text",
};

/** What an element is for the keyboard; "none" if it takes no keys itself. */
export function controlOf({ tag, type = "", role, editable, controls }: Described): Control {
  if (editable) return "text";
  if (tag === "input") return byType[type] ?? "text";
  const named = role ? byRole[role] : undefined;
  if (named) return named;
  if (tag === "video" || tag === "audio") return controls ? "media" : "none";
  return byTag[tag] ?? "none";
}

export const takes = (control: Control, key: string) => owned[control] === "all" || owned[control].includes(key);

/** Whether a key belongs to an element, or to one around it. */
export function belongs(key: string, target: EventTarget | null): boolean {
  for (let at = target instanceof Element ? target : null; at; at = at.parentElement) {
    if (takes(controlOf(describe(at)), key)) return true;
  }
  return false;
}

function describe(element: Element): Described {
  return {
    tag: element.localName,
    type: element instanceof HTMLInputElement ? element.type : "",
    role: element.getAttribute("role"),
    editable: element instanceof HTMLElement && element.isContentEditable,
    controls: element instanceof HTMLMediaElement && element.controls,
  };
}

/** The modifiers that make of a key the browser's or the system's. */
interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** Whether a key is pressed with others, as a command is. Shift is part of a character, and no part of a named key. */
export const isCommand = ({ key, ctrlKey, metaKey, altKey, shiftKey }: Pressed) => ctrlKey || metaKey || altKey || (shiftKey && (key.length > 1 || key === " "));

/** Whether a key is left for the app: neither a command nor one of the control with the focus. */
export const isFree = (event: KeyboardEvent) => !event.defaultPrevented && !isCommand(event) && !belongs(event.key, event.target);
