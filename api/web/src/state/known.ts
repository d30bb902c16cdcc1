/*
 * Who was signed in here and in which conversations, so that one can speak into
 * them without a connection. Nothing that was said is kept, and nothing at all
 * when somebody signs out.
 */
import { base } from "../base";
import type { Conversation, Me } from "../api/client";

interface Known {
  me: Me;
  conversations: Conversation[];
}

const key = `hark.known${base}`;
const most = 100; // conversations

export function known(): Known | undefined {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? "null") as Known | null) ?? undefined;
  } catch {
    return undefined; // storage is forbidden
  }
}

/** Keeps who it is; another one's conversations go. */
export function rememberMe(me: Me) {
  const before = known();
  keep({ me, conversations: before?.me.id === me.id ? before.conversations : [] });
}

export function rememberConversations(conversations: readonly Conversation[]) {
  const before = known();
  if (before) keep({ ...before, conversations: conversations.slice(0, most) });
}

export function forget() {
  try {
    localStorage.removeItem(key);
  } catch {
    // then nothing was kept
  }
}

function keep(what: Known) {
  try {
    localStorage.setItem(key, JSON.stringify(what));
  } catch {
    // full or forbidden: without a connection there is less
  }
}
