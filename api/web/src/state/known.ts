/*
 * Who was signed in here and in which conversations, so that one can speak into
 * them without a connection. Nothing that was said is kept, and nothing at all
 * when somebody signs out.
 */
import { base } from "../base";
import type { Conversation, Me } from "../api/client";
import { forgetKey, recall, remember } from "./remember";

interface Known {
  me: Me;
  conversations: Conversation[];
}

const key = `hark.known${base}`;
const most = 100; // conversations

export const known = () => recall<Known>(key, ({ me, conversations }) => typeof me?.id === "string" && Array.isArray(conversations));

/** Keeps who it is; another one's conversations go. */
export function rememberMe(me: Me) {
  const before = known();
  keep({ me, conversations: before?.me.id === me.id ? before.conversations : [] });
}

export function rememberConversations(conversations: readonly Conversation[]) {
  const before = known();
  if (before) keep({ ...before, conversations: conversations.slice(0, most).map(unsaid) });
}

/** A conversation without what was said in it. */
function unsaid(conversation: Conversation): Conversation {
  const rest = { ...conversation };
  delete rest.last_message;
  return rest;
}

export function forget() {
  forgetKey(key);
  forgetKey(placesKey);
}

const placesKey = `hark.workspaces${base}`;
const places = () => recall<Record<string, string>>(placesKey, () => true) ?? {};

/** Whether two users are one person in two workspaces, as far as this browser knows. */
export const isPerson = (user: string, other: string) => user in places() && other in places();

/** Where somebody was last when they switched to another workspace, by who they are there. */
export const lastPlace = (user: string) => /^\/[cm]\/[\w-]+/.exec(places()[user] ?? "")?.[0] ?? "/";
export const rememberPlace = (user: string, address = lastPlace(user)) => remember(placesKey, { ...places(), [user]: address });

/** Whose id is kept: undefined for nobody's. In all tabs it is the same. */
export const knownUser = () => known()?.me.id;

/** Calls back when another tab keeps or forgets somebody; returns a way to stop. */
export function onKnown(then: () => void): () => void {
  const heard = (event: StorageEvent) => (event.key === key || event.key === null) && then();
  addEventListener("storage", heard);
  return () => removeEventListener("storage", heard);
}

/** Where it can't be kept, there is less without a connection. */
const keep = (what: Known) => remember(key, what);
