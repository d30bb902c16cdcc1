/* How far one has listened to each message, in this browser. */
import { base } from "../base";
import { forgetKey, recall, remember } from "./remember";

const key = `hark.places${base}`;
const most = 200;

const all = () => recall<Record<string, number>>(key, (places) => Object.values(places).every((ms) => typeof ms === "number")) ?? {};

export function placeIn(id: string): number {
  return all()[id] ?? 0;
}

/** Forgets all: somebody else may be here next. */
export const forgetPlaces = () => forgetKey(key);

/** Remembers a place; 0 forgets it. */
export function keepPlace(id: string, ms: number) {
  const places = Object.entries(all()).filter(([other]) => other !== id);
  if (ms > 0) places.push([id, Math.round(ms)]);
  remember(key, Object.fromEntries(places.slice(-most))); // else one begins at the beginning
}
