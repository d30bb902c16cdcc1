/*
 * Input methods: while one composes a word, Enter, Escape, Space and the arrows
 * choose and confirm it. They belong to nobody else, in no field: neither to the
 * app's shortcuts nor to a form that would be sent.
 */

type Key = Pick<KeyboardEvent, "isComposing" | "keyCode">;

/**
 * Whether an input method takes this key. Safari tells of the Enter that ends a
 * composition after its end, as a key that composes no more: with the key code
 * that stands for input methods everywhere (UI Events, 9.3.2).
 */
export const isComposing = (event: Key) => event.isComposing || event.keyCode === 229;

/** Keeps the keys of input methods from everything in the page. To be called before anybody else listens. */
export function guardComposition(page: Window) {
  let composed = false; // the key that went down last is an Enter for the input method
  page.addEventListener("keydown", (event) => {
    const theirs = isComposing(event);
    composed = theirs && event.key === "Enter";
    if (theirs) event.stopImmediatePropagation();
  }, true);
  page.addEventListener("pointerdown", () => (composed = false), true);
  page.addEventListener("submit", (event) => {
    if (!composed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
}
