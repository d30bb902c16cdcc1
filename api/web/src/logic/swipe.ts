/* What a finger that moves means. */
export type Way = "up" | "down" | "aside";

const slack = 10; // px
const far = 90; // px
const quick = 0.5; // px/ms

/** Where it goes; undefined as long as it may still be a press. */
export function direction(dx: number, dy: number): Way | undefined {
  if (Math.hypot(dx, dy) < slack) return undefined;
  if (Math.abs(dx) >= Math.abs(dy)) return "aside";
  return dy > 0 ? "down" : "up";
}

/** Whether it went far enough, or was quick. */
export const enough = (distance: number, ms: number) => distance >= far || (distance >= 3 * slack && distance / Math.max(1, ms) >= quick);
