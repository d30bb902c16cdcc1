/* The app without a connection, and the next version of it. */
import { t } from "../words";
import { notices } from "./notices.svelte";

export function renew() {
  if (import.meta.env.DEV) return;
  const begin = async () => {
    const { register } = await import("../worker/register");
    await register((load) => notices.say(t.outbox.update, "plain", { text: t.outbox.reload, run: load }));
  };
  // What people came for goes first.
  addEventListener("load", () => setTimeout(() => void begin().catch(() => {}), 3000), { once: true });
}
