import { expect, test } from "vitest";

import source from "../../../../storage/audit.go?raw";
import { all } from "../words/audit";
import { sentenceOf, textOf } from "./auditsentence";

const ada = { id: "a", name: "Ada", color: 0 };
const bob = { id: "b", name: "Bob", color: 1 };
const room = { id: "r", kind: "channel", title: "Field notes" } as const;
const byAda = { actor: { kind: "user" as const, id: "a", name: "Ada then" }, people: [ada, bob] };
const speech = { words: all.en, roles: { owner: "Owner", admin: "Admin", member: "Member", guest: "Guest" }, locale: "en" };

test("every action that the server records has a name and a sentence, in all languages", () => {
  const actions = Array.from(source.matchAll(/^\tAudit\w+\s+AuditAction = "(\w+)"/gm), (found) => found[1]!);
  expect(actions.length).toBeGreaterThan(20);
  for (const { actions: names, sentences } of Object.values(all)) {
    expect(actions.filter((action) => !(action in names))).toEqual([]);
    expect(actions.filter((action) => !(action in sentences))).toEqual([]);
  }
});

test("sentences have the same places in all languages", () => {
  const places = (text: string) => Array.from(text.matchAll(/\{\w+\}/g), String).sort();
  for (const name of ["sentences", "actions", "roles", "ways", "reasons", "rules", "allowed", "quotas", "forms"] as const) {
    expect(Object.keys(all.de[name]).sort()).toEqual(Object.keys(all.en[name]).sort());
  }
  for (const [key, text] of Object.entries(all.en.sentences)) expect([key, places(all.de.sentences[key]!)]).toEqual([key, places(text)]);
});

test.each([
  [{ ...byAda, action: "sign_in", details: { method: "password" } }, "Ada signed in by password"],
  [{ actor: { kind: "nobody" }, action: "sign_in_failed", details: { reason: "expired" } }, "A sign-in failed: the link had expired"],
  [{ actor: { kind: "nobody" }, action: "sign_in_failed", target: { kind: "user", id: "b" }, people: [bob], details: { reason: "new" } }, "A sign-in as Bob failed: new"],
  [{ ...byAda, action: "member_added", target: { kind: "user", id: "b" }, conversation: room }, "Ada added Bob to Field notes"],
  [{ ...byAda, action: "member_added", target: { kind: "user", id: "a" } }, "Ada joined a conversation"],
  [{ ...byAda, action: "channel_created" }, "Ada created a channel"],
  [{ ...byAda, action: "user_role_changed", target: { kind: "user", id: "b" }, details: { from: "guest", to: "admin" } }, "Ada changed the role of Bob from Guest to Admin"],
  [{ ...byAda, action: "token_created", details: { kind: "api", name: "laptop", user_id: "a" } }, "Ada created the token “laptop”"],
  [{ ...byAda, action: "token_created", details: { kind: "api", name: "laptop", user_id: "b" } }, "Ada created the token “laptop” for Bob"],
  [{ ...byAda, action: "token_created", details: { kind: "sign_in", name: "x", user_id: "b" } }, "Ada created a sign-in link for Bob"],
  [{ actor: { kind: "operator", name: "root" }, action: "user_disabled", target: { kind: "user", id: "gone" }, details: { name: "Eve" } }, "root (on the server) deactivated Eve"],
  [{ ...byAda, action: "message_played", target: { kind: "message", id: "m" }, message_seen: true, details: { author_id: "b" }, conversation: room }, "Ada played a message from Bob in Field notes"],
  [{ ...byAda, action: "quota_changed", details: { quota: "stored_bytes", to: "5000000000" } }, "Ada changed the limit of storage from none to 5 GB"],
  [{ ...byAda, action: "conversation_handed_over", details: { from: "b", to: "a" }, conversation: room }, "Ada handed Field notes over from Bob to Ada"],
  [{ actor: { kind: "nobody" }, action: "sign_in_failed", details: { method: "passkey", reason: "unknown" } }, "A sign-in failed: the passkey isn’t known here"],
  [{ actor: { kind: "nobody" }, action: "passkey_refused", target: { kind: "user", id: "b" }, people: [bob], details: { name: "Phone" } }, "The passkey “Phone” of Bob was refused: there may be a copy of it"],
  [{ ...byAda, action: "workspace_rule_changed", details: { rule: "see_directory", from: "members", to: "admins" } }, "Ada changed who sees everyone: everyone except guests before, owners and admins now"],
  [{ ...byAda, action: "history_changed", details: { from: "all", to: "from_joining" }, conversation: room }, "Ada hid the past of Field notes from new members"],
  [{ actor: { kind: "operator", name: "root" }, action: "email_changed", target: { kind: "user", id: "b" }, people: [bob], details: { change: "set" } }, "root (on the server) set the email that Bob signs in with"],
  [{ actor: { kind: "system" }, action: "sun_rose" }, "Hark: sun_rose"],
] as const)("%j", (entry, want) => {
  expect(textOf(sentenceOf(entry as Parameters<typeof sentenceOf>[0], speech))).toBe(want);
});

test("what is still there is linked", () => {
  const parts = sentenceOf({ ...byAda, action: "message_deleted", target: { kind: "message", id: "m" }, details: { author_id: "b" }, conversation: room }, speech);
  expect(parts.map(({ kind }) => kind)).toEqual(["person", "text", "person", "text", "conversation"]);
});
