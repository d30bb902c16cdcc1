/*
 * Hold to talk: a press that lasts is let go to send, moved up to go on without
 * holding, or moved aside to throw away. A short press just begins.
 */
export type Gesture = "hold" | "lock" | "discard";
export type Release = "stay" | "send" | "discard" | "too-short";

const up = 56;
const aside = 90;
const tapMS = 350;
const shortestMS = 700;

/** What it means to let go here, so far from where it was pressed. */
export function gesture(dx: number, dy: number): Gesture {
  if (-dy >= up && -dy > Math.abs(dx)) return "lock";
  return Math.abs(dx) >= aside ? "discard" : "hold";
}

/** What to do when it is let go, after so long, with so much recorded. */
export function released(at: Gesture, heldMS: number, recordedMS: number): Release {
  if (at === "lock" || heldMS < tapMS) return "stay";
  if (at === "discard") return "discard";
  return recordedMS < shortestMS ? "too-short" : "send";
}
