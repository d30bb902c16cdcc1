/* What an entry of the audit log says, as a sentence whose places are filled in with what is still there. */
import type { AuditListEntry } from "../api/client";
import type { auditWords } from "../words/audit";
import { sizeOf } from "./size";

type Words = ReturnType<typeof auditWords>;
type Entry = Pick<AuditListEntry, "action" | "actor" | "target" | "details" | "people" | "conversation" | "message_seen">;

export type Part =
  | { kind: "text"; text: string }
  | { kind: "person"; id: string; name: string }
  | { kind: "conversation"; id: string; title: string } // one without a title is named by who is in it
  | { kind: "message"; id: string; text: string };

/** What the sentences need of the page: its words, those of roles, and its locale. */
export interface Speech {
  words: Words;
  roles: Record<string, string>;
  locale: string;
}

/** The sentence of an entry, in parts. An action that is not known is named as it is. */
export function sentenceOf(entry: Entry, speech: Speech): Part[] {
  const template = templateOf(entry, speech.words);
  return template
    .split(/(\{\w+\})/)
    .filter(Boolean)
    .map((piece) => (/^\{\w+\}$/.test(piece) ? fill(piece.slice(1, -1), entry, speech) : { kind: "text", text: piece }));
}

/** A sentence as text alone. */
export const textOf = (parts: readonly Part[]) => parts.map((part) => ("text" in part ? part.text : "name" in part ? part.name : part.title)).join("");

function templateOf(entry: Entry, { sentences }: Words): string {
  const { action, actor, target, details = {}, conversation } = entry;
  const own = actor.id !== undefined && [target?.kind === "user" ? target.id : undefined, details.user_id, details.author_id].includes(actor.id);
  const cases = [actor.kind, actor.kind === "user" && !own && "other", details.change, details.to, details.recorded, details.kind, own && "own", !conversation && "unseen", target && "of"];
  const found = cases.map((one) => `${action} ${one}`).find((key) => key in sentences) ?? action;
  return sentences[found] ?? sentences.unknown!;
}

function fill(place: string, entry: Entry, { words, roles, locale }: Speech): Part {
  const { action, actor, target, details = {} } = entry;
  const text = (text: string | undefined): Part => ({ kind: "text", text: text ?? "" });
  const named = (from: Record<string, string>, key = "") => text(from[key] ?? key);
  const person = (id: string | undefined, name = words.somebody): Part => {
    const now = entry.people?.find((one) => one.id === id);
    return now ? { kind: "person", id: now.id, name: now.name } : text(name);
  };
  const quota = (amount: string | undefined) => text(!amount ? words.none_ : details.quota === "jobs_waiting" ? Number(amount).toLocaleString(locale) : sizeOf(Number(amount), locale));
  const places: Record<string, () => Part> = {
    who: () => (actor.kind === "user" || actor.kind === "integration" ? person(actor.id, actor.name) : text(actor.kind === "operator" ? words.operator(actor.name ?? "") : words[actor.kind])),
    user: () => person(target?.id, details.name),
    target: () => person(target?.id), // whose thing it is that has the name
    holder: () => person(details.user_id),
    author: () => person(details.author_id),
    giver: () => person(details.from),
    taker: () => person(details.to),
    where: () => where(entry, words),
    message: () => (entry.message_seen ? { kind: "message", id: target!.id, text: words.message } : text(words.message)),
    role: () => named(words.roles, details.role),
    oldRole: () => named(roles, details.from),
    newRole: () => named(roles, details.to),
    way: () => named(words.ways, details.method),
    reason: () => named(words.reasons, `${details.method} ${details.reason}` in words.reasons ? `${details.method} ${details.reason}` : details.reason),
    rule: () => named(words.rules, details.rule),
    oldRule: () => named(words.allowed, details.from),
    newRule: () => named(words.allowed, details.to),
    form: () => named(words.forms, details.form),
    quota: () => named(words.quotas, details.quota),
    oldQuota: () => quota(details.from),
    newQuota: () => quota(details.to),
    uses: () => text(words.people(Number(details.uses))),
    action: () => named(words.actions, action),
  };
  return places[place]?.() ?? text(details[place]);
}

function where({ conversation }: Entry, words: Words): Part {
  if (!conversation) return { kind: "text", text: words.somewhere };
  return { kind: "conversation", id: conversation.id, title: conversation.title || words.directly };
}
