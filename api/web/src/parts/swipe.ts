/* A finger that pulls something up or down. */
import { direction, enough } from "../logic/swipe";

export interface Swipe {
  towards: "up" | "down";
  /** Selects what has gestures of its own. */
  except?: string;
  /** How far it was pulled so far, in pixels. */
  onmove?: (distance: number) => void;
  /** It was let go, far or quickly enough or not. */
  onend: (swiped: boolean) => void;
}

/** Svelte action. What is pulled needs `touch-action: none`, or the browser takes the finger away. */
export function swipe(node: HTMLElement, options: Swipe) {
  const off = new AbortController();
  let finger: { id: number; x: number; y: number; at: number } | undefined;
  let pulled = false;

  const on = (name: "pointerdown" | "pointermove" | "pointerup" | "pointercancel", act: (event: PointerEvent) => void) => {
    node.addEventListener(name, (event) => (name === "pointerdown" || event.pointerId === finger?.id) && act(event), { signal: off.signal });
  };
  const sign = options.towards === "down" ? 1 : -1;
  const distance = (event: PointerEvent) => Math.max(0, (event.clientY - finger!.y) * sign);

  on("pointerdown", (event) => {
    const target = event.target as Element;
    if (finger || event.button || (options.except && target.closest(options.except)) || node.querySelector(":popover-open")) return;
    finger = { id: event.pointerId, x: event.clientX, y: event.clientY, at: event.timeStamp };
    pulled = false;
  });
  on("pointermove", (event) => {
    const way = pulled ? options.towards : direction(event.clientX - finger!.x, event.clientY - finger!.y);
    if (way === undefined) return;
    if (way !== options.towards) {
      finger = undefined;
      return;
    }
    if (!pulled) node.setPointerCapture(event.pointerId);
    pulled = true;
    options.onmove?.(distance(event));
  });
  on("pointerup", (event) => {
    if (pulled) {
      swallowClick(node);
      options.onend(enough(distance(event), event.timeStamp - finger!.at));
    }
    finger = undefined;
  });
  on("pointercancel", () => {
    if (pulled) options.onend(false);
    finger = undefined;
  });
  return { destroy: () => off.abort() };
}

/** A button under the finger that pulled was not pressed. */
function swallowClick(node: HTMLElement) {
  const off = new AbortController();
  node.addEventListener("click", (event) => (event.preventDefault(), event.stopPropagation()), { capture: true, signal: off.signal });
  setTimeout(() => off.abort());
}
