/* What conversations are called: a direct one without a title by who is in it. */
import { SvelteMap } from "svelte/reactivity";

import { api, type Conversation, type Member, take } from "../api/client";
import { t } from "../words";
import { people } from "./people.svelte";
import { session } from "./session.svelte";

class Titles {
  private readonly members = new SvelteMap<string, Member[]>();
  private readonly asked = new Set<string>();

  constructor() {
    session.whenOut(() => {
      this.members.clear();
      this.asked.clear();
    });
  }

  of(conversation: Conversation): string {
    if (conversation.title) return conversation.title;
    this.ask(conversation.id);
    return this.nameOf(this.members.get(conversation.id) ?? []) || t.list.direct;
  }

  /** The others; whoever is alone in it talks to themselves. */
  private nameOf(members: readonly Member[]): string {
    const others = members.filter((m) => m.user_id !== session.me?.id);
    return (others.length ? others : members).map((m) => people.name({ id: m.user_id, name: m.name })).join(", ");
  }

  private ask(id: string) {
    if (this.asked.has(id)) return;
    this.asked.add(id);
    take(api.GET("/v1/conversations/{id}/members", { params: { path: { id } } })).then(
      ({ items }) => this.members.set(id, items),
      () => this.asked.delete(id),
    );
  }
}

export const titles = new Titles();
