/*
 * The states of one recording, and what may happen in each. A step that takes
 * its time (opening the microphone, waking the sound, writing the end) belongs
 * to the state that began it: what it brings once that state was left is nothing.
 *
 * A draft that is opened again goes from opening to paused.
 *
 *   opening ──opened──> recording ──pause──> paused ──resume──> resuming
 *      │                    ^                   ^                  │ │
 *      │                    └──────resumed──────┼──────────────────┘ │
 *      │                                        └──────stayed────────┘
 *      └─refused, discard─> over      recording, paused, resuming ──send──> ending ──sent──> over
 *                                     recording, paused, resuming ──discard──> over
 *
 * Whoever is signed out leaves it, opening or begun, and it stays a draft.
 */
export type State = "opening" | "recording" | "paused" | "resuming" | "ending" | "over";

export type Transition =
  | "opened" // the microphone is there
  | "reopened" // a draft is there again, and needs none yet
  | "refused" // it is not to be had
  | "pause" // by whoever speaks, the system, the server, or because the microphone is gone
  | "resume"
  | "resumed" // sound comes again
  | "stayed" // it does not
  | "cut" // or its taking back
  | "send"
  | "sent" // all is in the outbox
  | "discard"
  | "leave"; // whoever speaks is signed out

const table: Record<State, Partial<Record<Transition, State>>> = {
  opening: { opened: "recording", reopened: "paused", refused: "over", discard: "over", leave: "over" },
  recording: { pause: "paused", send: "ending", discard: "over", leave: "over" },
  paused: { resume: "resuming", cut: "paused", send: "ending", discard: "over", leave: "over" },
  resuming: { resumed: "recording", stayed: "paused", pause: "paused", send: "ending", discard: "over", leave: "over" },
  ending: { sent: "over" },
  over: {},
};

/** A state and the signal that says that it was left. */
export class Machine {
  private left = new AbortController();

  constructor(private readonly onState: (state: State) => void, private now: State = "opening") {}

  get state(): State {
    return this.now;
  }

  /** Aborted once this state is left, for what was begun in it. */
  get signal(): AbortSignal {
    return this.left.signal;
  }

  may(transition: Transition): boolean {
    return table[this.now][transition] !== undefined;
  }

  /** Goes on, where it may; whether it did. */
  go(transition: Transition): boolean {
    const next = table[this.now][transition];
    if (next === undefined) return false;
    this.left.abort();
    this.left = new AbortController();
    this.now = next;
    this.onState(next);
    return true;
  }
}
