/* Keys that work everywhere. R and a long Space are the recorder's. */
import { nudgeMS, player } from "./player.svelte";
import { prefs } from "./prefs.svelte";
import { route } from "./route.svelte";

/** What lists of things to play do on J, K, Enter and O. */
export interface Steps {
  move(by: 1 | -1): void;
  play(): void;
  open(): void;
}

class Keys {
  helping = $state(false);
  private readonly lists: Steps[] = [];

  /** Gives J, K, Enter and O to a list; returns a way to take them back. */
  lend(steps: Steps): () => void {
    this.lists.push(steps);
    return () => {
      this.lists.splice(this.lists.indexOf(steps), 1);
    };
  }

  listen(): () => void {
    const press = (event: KeyboardEvent) => this.press(event);
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }

  private press(event: KeyboardEvent) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const act = this.actionOf(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  private actionOf(event: KeyboardEvent): (() => void) | undefined {
    const list = this.lists.at(-1);
    const pressable = (event.target as Element).closest?.("button, a, [role=slider]");
    switch (event.key) {
      case "ArrowLeft":
        return player.message && (() => player.nudge(-nudgeMS));
      case "ArrowRight":
        return player.message && (() => player.nudge(nudgeMS));
      case " ":
        return pressable || !player.message || event.repeat ? undefined : () => player.toggle();
      case "Enter":
        return pressable ? undefined : list && (() => list.play());
    }
    if (!prefs.shortcuts) return undefined;
    switch (event.key.toLowerCase()) {
      case "j":
        return list && (() => list.move(1));
      case "k":
        return list && (() => list.move(-1));
      case "o":
        return list && (() => list.open());
      case "n":
        return () => player.step("next");
      case "<":
        return () => player.setRate(prefs.rate - 0.25);
      case ">":
        return () => player.setRate(prefs.rate + 0.25);
      case "/":
        return () => route.go("/search");
      case "?":
        return () => (this.helping = true);
    }
    return undefined;
  }
}

const isTyping = (target: EventTarget | null) => target instanceof Element && target.closest("input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]") !== null;

export const keys = new Keys();
