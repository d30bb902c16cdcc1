/*
 * Audio focus: what plays and what records know of each other, in this page and
 * in this browser's other tabs. Of all that plays one is heard. While somebody
 * records nothing begins by itself, and what plays is paused, or quieter where
 * somebody chose that. Who presses play in the page that records pauses that.
 */
import { t } from "../words";
import { notices } from "./notices.svelte";
import { prefs } from "./prefs.svelte";

export interface Sound {
  pause(): void;
  /** Plays quietly, or as loud as ever; false where the system alone sets how loud it is. */
  duck(quiet: boolean): boolean;
}

type News = "plays" | "records" | "recorded";

const quietly = 0.15;

class AudioFocus {
  private playing: Sound | undefined; // what began last
  private pauseRecording: (() => void) | undefined;
  private readonly channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("hark.player") : undefined;

  constructor() {
    this.channel?.addEventListener("message", ({ data }) => this.hear(data as News));
  }

  /** Whether something may begin to play that nobody pressed. */
  get free(): boolean {
    return !this.pauseRecording || (prefs.duck && canDuck());
  }

  /** A sound begins here. */
  play(sound: Sound) {
    if (this.playing !== sound) this.playing?.pause();
    this.playing = sound;
    this.tell("plays");
    const quiet = this.pauseRecording !== undefined && prefs.duck;
    if (!sound.duck(quiet) || !quiet) this.pauseRecording?.();
  }

  /** Somebody records here, from now until it is released. */
  record(pause: () => void) {
    this.pauseRecording = pause;
    this.tell("records");
    this.giveWay();
  }

  release() {
    if (!this.pauseRecording) return;
    this.pauseRecording = undefined;
    this.playing?.duck(false);
    this.tell("recorded");
  }

  private hear(news: News) {
    if (news === "recorded") this.playing?.duck(false);
    else if (news === "plays") {
      this.playing?.pause();
      if (this.pauseRecording) this.tell("records"); // the one that plays may not know
    } else if (news === "records" && this.playing && !this.giveWay()) notices.say(t.player.recordingElsewhere);
  }

  /** What plays is quieter, or paused; whether it goes on. */
  private giveWay(): boolean {
    if (prefs.duck && this.playing?.duck(true)) return true;
    this.playing?.pause();
    return false;
  }

  private tell(news: News) {
    this.channel?.postMessage(news);
  }
}

/** An element as a sound. */
export function soundOf(audio: HTMLAudioElement, pause: () => void): Sound {
  return {
    pause,
    duck(quiet) {
      audio.volume = quiet ? quietly : 1;
      return audio.volume === (quiet ? quietly : 1);
    },
  };
}

/** Whether a page may say how loud it is: on some phones only the buttons do. */
export const canDuck = () => soundOf(new Audio(), () => {}).duck(true);

export const audioFocus = new AudioFocus();
