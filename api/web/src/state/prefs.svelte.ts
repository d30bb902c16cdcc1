/* What this browser was told to remember. */
import { recall, remember } from "./remember";

type Theme = "system" | "light" | "dark";

interface Remembered {
  theme: Theme;
  language: string; // empty follows the browser
  rate: number; // 0.5 to 3
  skipSilence: boolean;
  playNext: boolean;
  shortcuts: boolean;
  input: string; // the microphone's device id; empty is the system's choice
  noise: boolean; // suppressed while recording
  duck: boolean; // what plays goes on quietly while recording, where the system lets it
}

const key = "hark.prefs";
const standard: Remembered = { theme: "system", language: "", rate: 1, skipSilence: false, playNext: true, shortcuts: true, input: "", noise: true, duck: false };

export const prefs: Remembered = $state(read());

/** What was remembered, where it is of its kind. */
function read(): Remembered {
  const told: Record<string, unknown> = recall(key, () => true) ?? {};
  const kinds = Object.entries(standard).map(([name, value]) => [name, typeof told[name] === typeof value ? told[name] : value]);
  const all = Object.fromEntries(kinds) as Remembered;
  return { ...all, rate: Math.min(3, Math.max(0.5, all.rate)) };
}

export function keepPrefs() {
  // What another tab was told holds here too.
  addEventListener("storage", (event) => event.key === key && Object.assign(prefs, read()));
  $effect.root(() => {
    $effect(() => {
      remember(key, $state.snapshot(prefs)); // else it holds until the page is closed
    });
    $effect(() => {
      const root = document.documentElement;
      if (prefs.theme === "system") delete root.dataset.theme;
      else root.dataset.theme = prefs.theme;
    });
  });
}
