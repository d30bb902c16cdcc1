/*
 * Who may do what, by the rules of the server (storage/policy.go): what it would
 * refuse is not offered. One table, which is read by the tests of both, holds
 * them together.
 */
export interface Person {
  id: string;
  role: Role;
  kind?: Kind; // of a person, if it is not known
  rules?: Rules; // of the workspace; where they are not known, those by default
}

export type Kind = "person" | "integration";

export type Allowed = "members" | "admins";
export type Rules = Record<"invite_members" | "invite_guests" | "create_channels" | "see_directory", Allowed>;

export type Role = (typeof order)[number];

type Who = Person | undefined; // nobody may do anything

const order = ["guest", "member", "admin", "owner"] as const; // each stands above those before it
const above = (one: Role, other: Role) => order.indexOf(one) > order.indexOf(other);

const leads = (me: Who) => me?.role === "owner" || me?.role === "admin";
const made = (me: Who, makerID: string) => me?.id === makerID || leads(me);
const isMember = (me: Who) => me !== undefined && me.role !== "guest";
const byDefault: Rules = { invite_members: "admins", invite_guests: "admins", create_channels: "members", see_directory: "members" };
/** Whether a rule of the workspace lets one. */
const lets = (me: Who, rule: keyof Rules) => leads(me) || (isMember(me) && (me?.rules ?? byDefault)[rule] === "members");

/** Retitle, delete and retry a message. */
export const mayChangeMessage = (me: Who, message: { author: { id: string } }) => made(me, message.author.id);

/** Make channels as the rules have it, and talk to others directly. */
export const mayCreateConversation = (me: Who, kind: "channel" | "direct") => isMember(me) && (kind === "direct" || lets(me, "create_channels"));

/** Retitle a conversation. */
export const mayChangeConversation = (me: Who, conversation: { created_by: string }) => made(me, conversation.created_by);

/** Delete a conversation: who made it only while nobody else has said anything there. */
export const mayDeleteConversation = (me: Who, conversation: { created_by: string }, othersSpoke: boolean) =>
  leads(me) || (made(me, conversation.created_by) && !othersSpoke);

/** Take somebody into a channel: guests as the rules have it, of which an integration is none. */
export const mayAddMember = (me: Who, user: { role: Role; kind?: Kind }) => isMember(me) && (user.role !== "guest" || user.kind === "integration" || lets(me, "invite_guests"));

/** Take another out of a channel, who does not stand above. */
export const mayRemoveMember = (me: Who, conversation: { created_by: string }, user: { role: Role }) =>
  me !== undefined && made(me, conversation.created_by) && !above(user.role, me.role);

/** Know everybody, and not only those one meets. */
export const maySeeEveryone = (me: Who) => lets(me, "see_directory");

export const mayNameWorkspace = leads;

export const mayChangeRules = leads;

/** Invite people who get a role, as the rules have it. */
export const mayInvite = (me: Who, role: Role) => !above(role, "member") && lets(me, role === "guest" ? "invite_guests" : "invite_members");

/** See invitations and revoke them: one's own, unless one manages members. */
export const maySeeInvitations = (me: Who) => mayInvite(me, "member") || mayInvite(me, "guest");

/** See when each was last active, and all invitations, and revoke these. */
export const mayManageMembers = leads;

/** Read and export what was done in the workspace. */
export const mayReadAudit = leads;

/** Have the audit log record who plays and downloads what. */
export const mayChangeAudit = leads;

/** Bound what the workspace takes. */
export const maySetQuotas = (me: Who) => me?.role === "owner";

/** Give somebody another role, who does not stand above: none above one's own, and to an integration none above a member's. */
export const mayChangeRole = (me: Who, user: Person, to: Role) =>
  me !== undefined && leads(me) && !above(user.role, me.role) && !above(to, me.role) && !(user.kind === "integration" && above(to, "member"));

/** Make integrations and their tokens, see them, change and end them. */
export const mayManageIntegrations = leads;

/** Deactivate somebody, who does not stand above, and let them in again. */
export const mayDisable = (me: Who, user: Person) => me !== undefined && leads(me) && !above(user.role, me.role) && me.id !== user.id;

/** Make a link by which somebody signs in who has lost their ways in. */
export const mayRecover = (me: Who, user: Person & { kind?: string }) => user.kind !== "integration" && mayDisable(me, user);

/** Take away somebody's picture, and how their name is said. */
export const mayRemovePicture = (me: Who, user: Person) => me !== undefined && (me.id === user.id || (leads(me) && !above(user.role, me.role)));

/** All roles, the most powerful first. */
export const roles: readonly Role[] = order.toReversed();
