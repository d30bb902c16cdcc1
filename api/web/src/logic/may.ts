/*
 * Who may do what, by the rules of the server (storage/policy.go): what it would
 * refuse is not offered. One table, which is read by the tests of both, holds
 * them together.
 */
export interface Person {
  id: string;
  role: Role;
}

export type Role = (typeof order)[number];

type Who = Person | undefined; // nobody may do anything

const order = ["guest", "member", "admin", "owner"] as const; // each stands above those before it
const above = (one: Role, other: Role) => order.indexOf(one) > order.indexOf(other);

const leads = (me: Who) => me?.role === "owner" || me?.role === "admin";
const made = (me: Who, makerID: string) => me?.id === makerID || leads(me);
const isMember = (me: Who) => me !== undefined && me.role !== "guest";

/** Retitle, delete and retry a message. */
export const mayChangeMessage = (me: Who, message: { author: { id: string } }) => made(me, message.author.id);

export const mayCreateConversation = isMember;

/** Retitle a conversation. */
export const mayChangeConversation = (me: Who, conversation: { created_by: string }) => made(me, conversation.created_by);

/** Delete a conversation: who made it only while nobody else has said anything there. */
export const mayDeleteConversation = (me: Who, conversation: { created_by: string }, othersSpoke: boolean) =>
  leads(me) || (made(me, conversation.created_by) && !othersSpoke);

/** Take somebody into a channel: guests are invited by those who lead. */
export const mayAddMember = (me: Who, user: { role: Role }) => leads(me) || (isMember(me) && user.role !== "guest");

/** Take another out of a channel, who does not stand above. */
export const mayRemoveMember = (me: Who, conversation: { created_by: string }, user: { role: Role }) =>
  me !== undefined && made(me, conversation.created_by) && !above(user.role, me.role);

/** Know everybody, and not only those one meets. */
export const maySeeEveryone = isMember;

export const mayNameWorkspace = leads;

/** See when each was last active, and all invitations, and revoke these. */
export const mayManageMembers = leads;

export const mayReadAudit = leads;

/** Have the audit log record who plays and downloads what. */
export const mayChangeAudit = leads;

/** Bound what the workspace takes. */
export const maySetQuotas = (me: Who) => me?.role === "owner";

/** Invite people who get a role. */
export const mayInvite = (me: Who, role: Role) => leads(me) && !above(role, "member");

/** Give somebody another role, who does not stand above: none above one's own. */
export const mayChangeRole = (me: Who, user: Person, to: Role) => me !== undefined && leads(me) && !above(user.role, me.role) && !above(to, me.role);

/** Deactivate somebody, who does not stand above, and let them in again. */
export const mayDisable = (me: Who, user: Person) => me !== undefined && leads(me) && !above(user.role, me.role) && me.id !== user.id;

/** All roles, the most powerful first. */
export const roles: readonly Role[] = order.toReversed();
