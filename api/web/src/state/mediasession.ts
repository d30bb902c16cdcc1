/* Media keys and the lock screen (Media Session). */
import { audioFocus } from "./audiofocus";

const backS = 15;
const forwardS = 5;

interface Controls {
  play(): void;
  pause(): void;
  nudge(ms: number): void;
  seek(ms: number): void;
  step(towards: "next" | "previous"): unknown;
}

export function sessionControls(player: Controls) {
  const session = navigator.mediaSession;
  if (!session) return;
  const handlers: Partial<Record<MediaSessionAction, MediaSessionActionHandler>> = {
    play: () => audioFocus.free && player.play(),
    pause: () => player.pause(),
    seekbackward: ({ seekOffset }) => player.nudge(-(seekOffset ?? backS) * 1000),
    seekforward: ({ seekOffset }) => player.nudge((seekOffset ?? forwardS) * 1000),
    seekto: ({ seekTime }) => player.seek((seekTime ?? 0) * 1000),
    previoustrack: () => audioFocus.free && void player.step("previous"),
    nexttrack: () => audioFocus.free && void player.step("next"),
  };
  for (const [action, handler] of Object.entries(handlers)) {
    try {
      session.setActionHandler(action as MediaSessionAction, handler);
    } catch {
      // this browser does not know the action
    }
  }
}

/** Says what is in the player; nothing, if nothing is. */
export function tellWhat(what: { title: string; artist: string; album: string } | undefined) {
  const session = navigator.mediaSession;
  if (!session) return;
  session.metadata = what ? new MediaMetadata(what) : null;
  if (what) return;
  session.playbackState = "none";
  session.setPositionState?.();
}

/** Says how far it is. */
export function tellPlace(playing: boolean, place: number, length: number, rate: number) {
  const session = navigator.mediaSession;
  if (!session) return;
  session.playbackState = playing ? "playing" : "paused";
  if (length > 0) session.setPositionState?.({ duration: length / 1000, position: Math.min(place, length) / 1000, playbackRate: rate });
}
