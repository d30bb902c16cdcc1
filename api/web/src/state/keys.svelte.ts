/* Keys that work everywhere, where the control with the focus leaves them. R and a long Space are the recorder's. */
import { isFree } from "../logic/controls";
import { nudgeMS, player } from "./player.svelte";
import { prefs } from "./prefs.svelte";
import { route } from "./route.svelte";

/** What lists of things to play do on J, K, Enter, O and, where one searches, on the slash. */
export interface Steps {
  move(by: 1 | -1): void;
  play(): void;
  open(): void;
  search?(): void;
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
    if (!isFree(event)) return;
    const act = this.actionOf(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  private actionOf(event: KeyboardEvent): (() => void) | undefined {
    const list = this.lists.at(-1);
    switch (event.key) {
      case "ArrowLeft":
        return player.message && (() => player.nudge(-nudgeMS));
      case "ArrowRight":
        return player.message && (() => player.nudge(nudgeMS));
      case " ":
        return player.message && !event.repeat ? () => player.toggle() : undefined;
      case "Enter":
        return list && (() => list.play());
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
        return list?.search ?? (() => route.go("/search"));
      case "?":
        return () => (this.helping = true);
    }
    return undefined;
  }
}

export const keys = new Keys();
