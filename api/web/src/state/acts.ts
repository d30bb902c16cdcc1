/* What one can do to a message. */
import { base } from "../base";
import { api, type Message, take } from "../api/client";
import { momentAddress } from "../logic/quote";
import { t } from "../words";
import { library } from "./library.svelte";
import { notices } from "./notices.svelte";
import { player } from "./player.svelte";

export async function retitle(message: Message, title: string) {
  if (title === message.title) return;
  try {
    library.put(await take(api.PATCH("/v1/messages/{id}", { params: { path: { id: message.id } }, body: { title } })));
  } catch (thrown) {
    notices.fail(thrown);
  }
}

export async function retry(message: Message) {
  try {
    library.put(await take(api.POST("/v1/messages/{id}/retry", { params: { path: { id: message.id } } })));
    notices.say(t.message.retried);
  } catch (thrown) {
    notices.fail(thrown);
  }
}

export async function remove(message: Message) {
  await take(api.DELETE("/v1/messages/{id}", { params: { path: { id: message.id } } }));
  if (player.is(message.id)) player.close();
  library.dropMessage(message.id);
  notices.say(t.message.removed);
}

export async function copy(text: string, said: string = t.copied) {
  try {
    await navigator.clipboard.writeText(text);
    notices.say(said);
  } catch {
    // Not allowed, or a page without https: one can still copy it by hand.
    prompt(t.copy, text);
  }
}

export const copyLink = (message: Message, ms = 0) => copy(momentAddress(location.origin + base, message.id, ms), t.message.linkCopied);
