/*
 * What is known of conversations and messages, and kept as it is by events.
 * Records are replaced, never changed: whoever shows one sees it anew.
 */
import { SvelteMap } from "svelte/reactivity";

import { api, type Conversation, isAbort, type Message, take, type Trouble, troubleOf } from "../api/client";
import { Announced } from "../logic/announced";
import type { HarkEvent } from "../logic/feed";
import { byActivity, renewed, type Run } from "../logic/order";
import { kept } from "./kept.svelte";
import { known, rememberConversations } from "./known";
import { ongoing } from "./ongoing.svelte";
import { people } from "./people.svelte";
import { route } from "./route.svelte";
import { roster } from "./roster.svelte";
import { patience, session } from "./session.svelte";
import { Thread, type Wanted } from "./thread.svelte";

const pageSize = 50;
const unknownHeard = { heard: { done: true, ranges: [], resume_ms: 0 } };
const morePageSize = 100; // for who goes on: the most that the server gives

class Library {
  conversations = $state.raw<readonly Conversation[]>([]);
  listed = $state(false); // whether the list was read once
  more = $state<string>(); // cursor behind the last conversation
  trouble = $state.raw<Trouble>();
  moreTrouble = $state.raw<Trouble>(); // with what is behind the last
  /** How much was announced and is not read yet: what is shown is up to date when it is 0. */
  unread = $state(0);

  /** Called when something happened to one's drafts, which are kept elsewhere. */
  draftsChanged: () => void = () => {};

  readonly messages = new SvelteMap<string, Message>();
  private readonly threads = new Map<string, Thread>();
  private readonly alone: (() => string | undefined)[] = [];
  private readonly gone = new Set<string>(); // ids of what was deleted: an answer that comes late may still have it
  private readonly announced = new Announced({
    read: (key) => this.readAnnounced(key),
    later: (wait, run) => {
      const timer = setTimeout(run, wait);
      return () => clearTimeout(timer);
    },
    now: () => performance.now(),
    onUnread: (count) => (this.unread = count),
  });

  constructor() {
    session.whenOut(() => this.clear());
    this.showsAlone(() => (route.place.name === "message" ? route.place.id : undefined));
  }

  async list() {
    const late = setTimeout(() => this.listed || this.recall(), session.sure ? patience : 0);
    try {
      await this.readList();
    } catch (thrown) {
      this.fail(thrown);
      if (this.trouble && this.trouble.kind !== "signed-out" && !this.listed) this.recall();
    }
    clearTimeout(late);
  }

  private async readList() {
    const page = await take(api.GET("/v1/conversations", { params: { query: { limit: 100 } } }));
    const items = page.items.filter(({ id }) => !this.gone.has(id));
    this.lay(renewed(this.run, { items, ...(page.next_cursor && { more: page.next_cursor }) }));
    this.listed = true;
    this.trouble = undefined;
    rememberConversations(this.conversations);
  }

  private get run(): Run {
    return { items: this.conversations, ...(this.more && { more: this.more }) };
  }

  private lay({ items, more }: Run) {
    if (session.phase === "out") return;
    this.conversations = items.toSorted(byActivity);
    this.more = more;
  }

  /** Without a connection, or with one that hardly is: those that were listed last. */
  private recall() {
    const { conversations = [] } = known() ?? {};
    if (!conversations.length) return;
    this.lay({ items: conversations });
    this.listed = true;
  }

  async listMore() {
    if (!this.more) return;
    try {
      const page = await take(api.GET("/v1/conversations", { params: { query: { limit: 100, cursor: this.more } } }));
      const known = new Set(this.conversations.map((c) => c.id));
      const items = [...this.conversations, ...page.items.filter((c) => !known.has(c.id) && !this.gone.has(c.id))];
      this.lay({ items, ...(page.next_cursor && { more: page.next_cursor }) });
      this.moreTrouble = undefined;
    } catch (thrown) {
      this.moreTrouble = troubleOf(thrown);
      if (this.moreTrouble.kind === "signed-out") session.end();
    }
  }

  conversation(id: string): Conversation | undefined {
    return this.conversations.find((c) => c.id === id);
  }

  thread(id: string): Thread {
    let thread = this.threads.get(id);
    if (!thread) this.threads.set(id, (thread = new Thread(this, (wanted) => this.pageOf(id, wanted, wanted.cursor ? morePageSize : pageSize))));
    return thread;
  }

  private pageOf(id: string, wanted: Wanted, limit: number) {
    const asked = take(api.GET("/v1/conversations/{id}/messages", { params: { path: { id }, query: { limit, ...wanted } } }));
    return wanted.cursor ? asked : kept.pageOr(id, asked, (from) => from.page(id));
  }

  put(message: Message) {
    if (this.gone.has(message.id) || session.phase === "out") return;
    const known = this.messages.get(message.id);
    // A server of the version before says nothing of what was heard, and neither does what was kept from it.
    if (!known || Date.parse(known.updated_at) <= Date.parse(message.updated_at)) this.messages.set(message.id, { ...unknownHeard, ...message });
  }

  putConversation(conversation: Conversation) {
    if (this.gone.has(conversation.id)) return;
    const known = this.conversation(conversation.id);
    if (known && known.shown_since !== conversation.shown_since) this.announced.add(`history ${conversation.id}`);
    this.lay({ ...this.run, items: [conversation, ...this.conversations.filter((c) => c.id !== conversation.id)] });
  }

  /** What was heard of a message is known, here or from another device of one's own. */
  heard(id: string, now: { conversation_id: string; unread: number; done: boolean; resume_ms: number }) {
    const message = this.messages.get(id);
    if (message) this.messages.set(id, { ...message, heard: { ...message.heard, done: now.done, resume_ms: now.resume_ms } });
    this.setUnread(now.conversation_id, now.unread);
  }

  /** Much of a conversation counts as heard now, or not any more. */
  reheard(id: string, unread: number) {
    this.setUnread(id, unread);
    this.announced.add(`history ${id}`);
  }

  private setUnread(id: string, unread: number) {
    const conversation = this.conversation(id);
    if (conversation && conversation.unread !== unread) this.putConversation({ ...conversation, unread });
  }

  dropConversation(id: string) {
    this.gone.add(id);
    this.conversations = this.conversations.filter((c) => c.id !== id);
    this.threads.get(id)?.drop();
    this.threads.delete(id);
  }

  dropMessage(id: string) {
    this.gone.add(id);
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
    const found = await kept.or(take(api.GET("/v1/messages/{id}", { params: { path: { id } } })), (from) => from.message(id));
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
    if (at >= 0 && towards === "previous" && thread?.complete) return undefined; // of what comes next, one may not have heard yet
    const { items } = await this.pageOf(message.conversation_id, { around: message.id }, 3);
    for (const item of items) this.put(item);
    return items[items.findIndex(({ id }) => id === message.id) + by];
  }

  /** Takes in what was just sent from here, maybe a second time. */
  sent(message: Message) {
    this.gone.delete(message.id);
    this.put(message);
    this.thread(message.conversation_id).add(message);
  }

  /** Takes in what happened. */
  hear(event: HarkEvent) {
    const { message_id: message, conversation_id: conversation } = event;
    if (event.type !== "message.progress") kept.changed(conversation);
    switch (event.type) {
      case "message.progress":
        return this.progress(message!, Number(event.data?.progress ?? 0));
      case "draft.created":
      case "draft.updated":
      case "draft.deleted":
        return this.draftsChanged();
      case "message.deleted":
        this.dropMessage(message!);
        return this.noteLast(message!, conversation!);
      case "conversation.recordings":
        return ongoing.hear(conversation);
      case "message.heard":
        return this.heard(message!, { ...(event.data as { unread: number; done: boolean; resume_ms: number }), conversation_id: conversation! });
      case "conversation.heard":
        return this.reheard(conversation!, Number(event.data?.unread ?? 0));
      case "conversation.deleted":
        return this.dropConversation(conversation!);
      case "user.created":
        roster.tell("members");
        return this.announced.add("people");
      case "user.updated":
        people.change(event.data!);
        roster.tell("members", event.data!);
        return session.renamed(event.data!);
      case "invitation.created":
      case "invitation.updated":
        return roster.tell("invitations");
      case "workspace.updated":
        if (event.data?.rules) this.announced.add("people"); // of whom one may know others now
        return session.renamed({ workspace_name: event.data?.name, rules: event.data?.rules });
      case "message.created":
        this.gone.delete(message!); // it may have been taken back before
        this.announced.add(`conversation ${conversation}`);
        return this.announced.add(`thread ${conversation}`);
      case "message.updated":
        this.noteLast(message!, conversation!);
        // What was being recorded is sent now, and stands among the others.
        if (this.messages.get(message!)?.state === "recording") this.announced.add(`thread ${conversation}`);
        return this.announced.add(`message ${message}`);
      case "conversation.created":
      case "conversation.updated":
        this.gone.delete(conversation!); // one may be in it again
        return this.announced.add(`conversation ${conversation}`);
    }
  }

  /** A conversation's line in the list is read afresh when a message stands in it, or may by now. Later ids are greater. */
  private noteLast(message: string, conversation: string) {
    const last = this.conversation(conversation)?.last_message;
    if (!last || message >= last.id) this.announced.add(`conversation ${conversation}`);
  }

  /** Somewhere a message is shown by itself: the one whose id which tells. */
  showsAlone(which: () => string | undefined) {
    this.alone.push(which);
  }

  /** Events were missed, perhaps: what is shown is read afresh. */
  reread() {
    ongoing.hear();
    roster.tell("all");
    this.draftsChanged();
    this.announced.add("all");
  }

  /** The connection is back, or somebody looks: what could not be read is tried now. */
  hurry() {
    this.announced.hurry();
    const stuck = this.trouble ?? Array.from(this.threads.values()).find(({ trouble }) => trouble);
    if (stuck) this.reread();
  }

  private progress(id: string, progress: number) {
    const known = this.messages.get(id);
    if (known && (known.state === "received" || known.state === "processing")) this.messages.set(id, { ...known, state: "processing", progress });
  }

  /** Reads what was announced; what is gone meanwhile is dropped. */
  private async readAnnounced(key: string): Promise<unknown> {
    const [what, id = ""] = key.split(" ");
    try {
      if (what === "message") return await this.fetchMessage(id);
      if (what === "conversation") return await this.fetchConversation(id);
      if (what === "people") return await people.read();
      if (what === "thread") return await this.threads.get(id)?.sync();
      if (what === "history") return await this.threads.get(id)?.reread();
      return await this.readAll();
    } catch (thrown) {
      const { kind } = troubleOf(thrown);
      if (kind === "signed-out") return session.end();
      if (kind !== "missing") throw thrown;
      if (what === "message") this.dropMessage(id);
      else if (id) this.dropConversation(id);
    }
  }

  /** Reads what is shown: the list, the conversations that are open, and messages that stand alone. */
  private async readAll() {
    for (const shown of this.alone) {
      const id = shown();
      if (id && this.messages.has(id)) this.announced.add(`message ${id}`);
    }
    const missed = await Promise.allSettled([this.readList(), people.read(), ...Array.from(this.threads.values(), (thread) => thread.reread())]);
    for (const one of missed) if (one.status === "rejected") throw one.reason;
  }

  /** Another one's tab, or nobody's: nothing of what was known stays. */
  private clear() {
    this.announced.clear();
    for (const thread of this.threads.values()) thread.drop();
    this.threads.clear();
    this.messages.clear();
    this.conversations = [];
    people.clear();
    this.more = this.trouble = this.moreTrouble = undefined;
    this.listed = false;
  }

  private fail(thrown: unknown) {
    if (isAbort(thrown)) return;
    this.trouble = troubleOf(thrown);
    if (this.trouble.kind === "signed-out") session.end();
  }
}

export const library = new Library();
