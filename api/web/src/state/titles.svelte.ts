/* What conversations are called: a direct one without a title by who is in it. */
import { SvelteMap } from "svelte/reactivity";

import { api, type Conversation, take } from "../api/client";
import { t } from "../words";
import { session } from "./session.svelte";

class Titles {
  private readonly names = new SvelteMap<string, string>();
  private readonly asked = new Set<string>();

  of(conversation: Conversation): string {
    if (conversation.title) return conversation.title;
    this.ask(conversation.id);
    return this.names.get(conversation.id) || t.list.direct;
  }

  private ask(id: string) {
    if (this.asked.has(id)) return;
    this.asked.add(id);
    take(api.GET("/v1/conversations/{id}/members", { params: { path: { id } } })).then(
      ({ items }) => this.names.set(id, items.filter((m) => m.user_id !== session.me?.id).map((m) => m.name).join(", ")),
      () => this.asked.delete(id),
    );
  }
}

export const titles = new Titles();
