import { expect, test } from "vitest";

import table from "../../../../storage/testdata/policy.json";
import * as may from "./may";

interface Case {
  may: string;
  role: may.Role;
  own?: boolean; // whether they made it
  becomes?: may.Role; // role that is given
  to?: may.Role; // role of the user whom it is done to
  others_spoke?: boolean;
  kind?: "channel" | "direct"; // of a conversation that is made
  bot?: boolean; // whether who asks is an integration
  to_bot?: boolean; // whether the user whom it is done to is one
  rules?: Partial<may.Rules>; // what is left out is by default
  allowed: boolean;
}

const byDefault: may.Rules = { invite_members: "admins", invite_guests: "admins", create_channels: "members", see_directory: "members" };
const kind = (one: Case) => (one.to_bot ? ("integration" as const) : ("person" as const));
const made = (one: Case) => ({ created_by: one.own ? "me" : "other" });
const rules: Record<string, (me: may.Person, one: Case) => boolean> = {
  changeMessage: (me, one) => may.mayChangeMessage(me, { author: { id: made(one).created_by } }),
  createConversation: (me, one) => may.mayCreateConversation(me, one.kind!),
  changeConversation: (me, one) => may.mayChangeConversation(me, made(one)),
  deleteConversation: (me, one) => may.mayDeleteConversation(me, made(one), one.others_spoke!),
  addMember: (me, one) => may.mayAddMember(me, { role: one.to!, kind: kind(one) }),
  removeMember: (me, one) => may.mayRemoveMember(me, made(one), { role: one.to! }),
  manageMembers: may.mayManageMembers,
  invite: (me, one) => may.mayInvite(me, one.becomes!),
  seeInvitations: may.maySeeInvitations,
  changeRules: may.mayChangeRules,
  changeRole: (me, one) => may.mayChangeRole(me, { id: made(one).created_by, role: one.to!, kind: kind(one) }, one.becomes!),
  disable: (me, one) => may.mayDisable(me, { id: made(one).created_by, role: one.to! }),
  recover: (me, one) => may.mayRecover(me, { id: made(one).created_by, role: one.to!, kind: kind(one) }),
  removePicture: (me, one) => may.mayRemovePicture(me, { id: made(one).created_by, role: one.to! }),
  readAudit: may.mayReadAudit,
  changeAudit: may.mayChangeAudit,
  setQuotas: may.maySetQuotas,
  nameWorkspace: may.mayNameWorkspace,
  seeEveryone: may.maySeeEveryone,
  manageIntegrations: may.mayManageIntegrations,
};

test("the app offers what the server's rules allow", () => {
  const cases = (table as Case[]).filter((one) => one.may in rules && !one.bot); // the app does not ask for the others, and shows itself to people
  for (const one of cases) expect([one, rules[one.may]!({ id: "me", role: one.role, ...(one.rules && { rules: { ...byDefault, ...one.rules } }) }, one)]).toEqual([one, one.allowed]);
  expect(new Set(cases.map((one) => one.may))).toEqual(new Set(Object.keys(rules)));
});

test("nobody may do anything", () => {
  expect(may.mayCreateConversation(undefined, "direct") || may.mayNameWorkspace(undefined) || may.mayChangeMessage(undefined, { author: { id: "x" } })).toBe(false);
  expect(may.mayRemoveMember(undefined, { created_by: "x" }, { role: "guest" }) || may.mayAddMember(undefined, { role: "member" })).toBe(false);
});
