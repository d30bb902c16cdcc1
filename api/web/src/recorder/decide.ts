/*
 * Which of two recordings of the same speech is the message: the live one that
 * is on the server already, or the copy on this device, which has all of it.
 */

/** The live recording beside a copy. */
export interface Live {
  session: string; // its address
  message: string;
  /** How much of the copy was recorded when it connected, in ms. */
  lead: number;
  /** Whether it has all that was spoken, as far as is known. */
  whole: boolean;
}

/** What the server may end earlier, by packets that were on their way. */
const slack = 800;

/** Whether the live recording may be the message. */
export const liveIsWhole = (live: Live, copyMS: number, liveMS: number | undefined) => live.whole && liveMS !== undefined && liveMS + live.lead + slack >= copyMS;

/** How long a connection may take, and how long the server may say nothing new is kept. */
export const connectWithin = 2000;
export const keptWithin = 5000;

/** How long a connection that was lost is looked for: the server waits 30 s, and it takes a while to notice. */
export const backWithin = 25_000;

/** Whether a live recording has stopped to take what is said. */
export const stalled = (now: number, lastKept: number, speaking: boolean) => speaking && now - lastKept > keptWithin;
