/* What this browser was told to remember. */

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
}

const key = "hark.prefs";
const standard: Remembered = { theme: "system", language: "", rate: 1, skipSilence: false, playNext: true, shortcuts: true, input: "", noise: true };

export const prefs: Remembered = $state({ ...standard, ...read() });

function read(): Partial<Remembered> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Remembered>;
  } catch {
    return {}; // not ours, or storage is forbidden
  }
}

export function keepPrefs() {
  // What another tab was told holds here too.
  addEventListener("storage", (event) => event.key === key && Object.assign(prefs, read()));
  $effect.root(() => {
    $effect(() => {
      const text = JSON.stringify(prefs);
      try {
        localStorage.setItem(key, text);
      } catch {
        // full or forbidden: it holds until the page is closed
      }
    });
    $effect(() => {
      const root = document.documentElement;
      if (prefs.theme === "system") delete root.dataset.theme;
      else root.dataset.theme = prefs.theme;
    });
  });
}
