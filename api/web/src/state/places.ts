/* How far one has listened to each message, in this browser. */

const key = "hark.places";
const most = 200;

function all(): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}") as Record<string, number>;
  } catch {
    return {};
  }
}

export function placeIn(id: string): number {
  return all()[id] ?? 0;
}

/** Remembers a place; 0 forgets it. */
export function keepPlace(id: string, ms: number) {
  const places = Object.entries(all()).filter(([other]) => other !== id);
  if (ms > 0) places.push([id, Math.round(ms)]);
  try {
    localStorage.setItem(key, JSON.stringify(Object.fromEntries(places.slice(-most))));
  } catch {
    // full or forbidden: one begins at the beginning
  }
}
