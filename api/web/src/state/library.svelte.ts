/*
 * What is known of conversations and messages, and kept as it is by events.
 * Records are replaced, never changed: whoever shows one sees it anew.
 */
import { SvelteMap } from "svelte/reactivity";

import { api, type Conversation, isAbort, type Message, take, type Trouble, troubleOf, type User } from "../api/client";
import type { HarkEvent } from "../logic/feed";
import { known, rememberConversations } from "./known";
import { session } from "./session.svelte";
import { Thread, type Wanted } from "./thread.svelte";

const pageSize = 50;

class Library {
  conversations = $state.raw<Conversation[]>([]);
  listed = $state(false); // whether the list was read once
  more = $state<string>(); // cursor behind the last conversation
  trouble = $state.raw<Trouble>();
  people = $state.raw<User[]>([]);

  readonly messages = new SvelteMap<string, Message>();
  private readonly threads = new Map<string, Thread>();
  private readonly stale = { messages: new Set<string>(), conversations: new Set<string>() };
  private refreshing: ReturnType<typeof setTimeout> | undefined;

  async list() {
    try {
      const page = await take(api.GET("/v1/conversations", { params: { query: { limit: 100 } } }));
      this.conversations = sorted(page.items);
      this.more = page.next_cursor;
      this.listed = true;
      this.trouble = undefined;
      rememberConversations(this.conversations);
    } catch (thrown) {
      this.fail(thrown);
      if (this.trouble && this.trouble.kind !== "signed-out" && !this.listed) this.recall();
    }
  }

  /** Without a connection: those that were listed last. */
  private recall() {
    const { conversations = [] } = known() ?? {};
    if (!conversations.length) return;
    this.conversations = sorted(conversations);
    this.listed = true;
  }

  async listMore() {
    if (!this.more) return;
    const page = await take(api.GET("/v1/conversations", { params: { query: { limit: 100, cursor: this.more } } }));
    const known = new Set(this.conversations.map((c) => c.id));
    this.conversations = sorted([...this.conversations, ...page.items.filter((c) => !known.has(c.id))]);
    this.more = page.next_cursor;
  }

  async listPeople() {
    this.people = (await take(api.GET("/v1/users"))).items;
  }

  conversation(id: string): Conversation | undefined {
    return this.conversations.find((c) => c.id === id);
  }

  thread(id: string): Thread {
    let thread = this.threads.get(id);
    if (!thread) this.threads.set(id, (thread = new Thread(this, (wanted) => this.pageOf(id, wanted, pageSize))));
    return thread;
  }

  private pageOf(id: string, wanted: Wanted, limit: number) {
    return take(api.GET("/v1/conversations/{id}/messages", { params: { path: { id }, query: { limit, ...wanted } } }));
  }

  put(message: Message) {
    const known = this.messages.get(message.id);
    if (!known || known.updated_at <= message.updated_at) this.messages.set(message.id, message);
  }

  putConversation(conversation: Conversation) {
    this.conversations = sorted([conversation, ...this.conversations.filter((c) => c.id !== conversation.id)]);
  }

  dropConversation(id: string) {
    this.conversations = this.conversations.filter((c) => c.id !== id);
    this.threads.get(id)?.drop();
    this.threads.delete(id);
  }

  dropMessage(id: string) {
    const message = this.messages.get(id);
    if (message) this.threads.get(message.conversation_id)?.remove(id);
    this.messages.delete(id);
  }

  async fetchConversation(id: string) {
    const found = await take(api.GET("/v1/conversations/{id}", { params: { path: { id } } }));
    this.putConversation(found);
    return found;
  }

  async fetchMessage(id: string) {
    const found = await take(api.GET("/v1/messages/{id}", { params: { path: { id } } }));
    this.put(found);
    return found;
  }

  /** The message that was said next to this one, if there is one: read, where it is not known. */
  async beside(message: Message, towards: "next" | "previous"): Promise<Message | undefined> {
    const by = towards === "next" ? -1 : 1;
    const thread = this.threads.get(message.conversation_id);
    const at = thread?.ids.indexOf(message.id) ?? -1;
    const known = at < 0 ? undefined : thread?.ids[at + by];
    if (known) return this.messages.get(known);
    if (at >= 0 && (towards === "next" ? thread?.live : thread?.complete)) return undefined;
    const { items } = await this.pageOf(message.conversation_id, { around: message.id }, 3);
    for (const item of items) this.put(item);
    return items[items.findIndex(({ id }) => id === message.id) + by];
  }

  /** Takes in what happened. */
  hear(event: HarkEvent) {
    const { message_id: message, conversation_id: conversation } = event;
    switch (event.type) {
      case "message.progress":
        this.progress(message!, Number(event.data?.progress ?? 0));
        return;
      case "message.deleted":
        this.dropMessage(message!);
        return;
      case "conversation.deleted":
        this.dropConversation(conversation!);
        return;
      case "message.created":
        this.stale.conversations.add(conversation!);
        this.stale.messages.add(message!);
        break;
      case "message.updated":
        this.stale.messages.add(message!);
        break;
      case "conversation.created":
      case "conversation.updated":
        this.stale.conversations.add(conversation!);
        break;
      default:
        return;
    }
    this.refreshing ??= setTimeout(() => void this.refresh(), 60);
  }

  /** Events were missed, perhaps: read afresh what is shown. */
  async reread() {
    await Promise.all([this.list(), ...Array.from(this.threads.values(), (thread) => thread.reread())]);
  }

  private progress(id: string, progress: number) {
    const known = this.messages.get(id);
    if (known && (known.state === "received" || known.state === "processing")) this.messages.set(id, { ...known, state: "processing", progress });
  }

  private async refresh() {
    const { messages, conversations } = { messages: [...this.stale.messages], conversations: [...this.stale.conversations] };
    this.stale.messages.clear();
    this.stale.conversations.clear();
    this.refreshing = undefined;
    if (messages.length + conversations.length > 40) {
      await this.reread();
      return;
    }
    await Promise.all([
      ...conversations.map((id) => this.quietly(() => this.fetchConversation(id), () => this.dropConversation(id))),
      ...messages.map((id) => this.quietly(async () => this.arrived(await this.fetchMessage(id)), () => this.dropMessage(id))),
    ]);
  }

  private arrived(message: Message) {
    this.threads.get(message.conversation_id)?.add(message);
  }

  /** What is gone meanwhile is dropped; the rest comes again with the next event. */
  private async quietly(read: () => Promise<unknown>, gone: () => void) {
    try {
      await read();
    } catch (thrown) {
      const { kind } = troubleOf(thrown);
      if (kind === "missing") gone();
      if (kind === "signed-out") session.end();
    }
  }

  private fail(thrown: unknown) {
    if (isAbort(thrown)) return;
    this.trouble = troubleOf(thrown);
    if (this.trouble.kind === "signed-out") session.end();
  }
}

const latest = (c: Conversation) => c.last_message_at ?? c.created_at;
const sorted = (list: Conversation[]) => list.toSorted((a, b) => latest(b).localeCompare(latest(a)));

export const library = new Library();
