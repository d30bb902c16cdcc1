package storage

import "slices"

// The rules of who may do what to something that they can see. What they can
// see is decided before: what they cannot is not there for them. Each rule is
// asked in the transaction that does what it allows, and nothing else compares
// roles. What a credential is good for (see [Scopes]) is checked where it comes
// in; that it is held to a conversation bounds what is seen, and the rules here.
//
// A workspace's [Rules] say how far members go in some of it; who asks brings them.
//
// Owners stand above admins, these above members, and these above guests. Owners
// and admins may change what others made; nobody acts on the credentials or the
// membership of somebody who stands above them. A guest is where an owner or an
// admin invited them, and knows only whom they meet there.
//
// An integration is a program that takes part as a guest or as a member. It does what
// somebody of its role does, but for what is people's alone: it manages nothing and
// nobody, invites nobody, brings no guests, signs in nowhere, owns no channel that it did
// not make, has the name that it was given, and begins no direct conversation but with
// whom it meets in another. It is no guest whom somebody brings in from outside, since an
// owner or an admin has vetted it: whoever adds members to channels may add it.
//
// The app follows the same rules, so that it offers nothing that would be
// refused: testdata/policy.json holds both to them.

// order has the roles from the least to the most powerful.
var order = []Role{Guest, RoleMember, Admin, Owner}

// above says whether one role stands above another.
func above(one, other Role) bool { return slices.Index(order, one) > slices.Index(order, other) }

// acts says whether the principal may do anything but hear what an address was
// signed for.
func acts(p Principal) bool { return p.Scopes.Sound() == "" }

// person says whether the principal is somebody, and no integration.
func person(p Principal) bool { return acts(p) && p.Kind != KindIntegration }

// leads says whether the principal may change what others made.
func leads(p Principal) bool { return person(p) && !above(Admin, p.Role) }

// everywhere says whether what the principal came with is held to no conversation.
func everywhere(p Principal) bool { return len(p.Scopes.Conversations()) == 0 }

// belongs says whether the principal takes part in the workspace as a whole.
func belongs(p Principal) bool { return acts(p) && above(p.Role, Guest) }

// lets says whether a rule of the workspace lets the principal do something.
func lets(p Principal, to Allowed) bool { return leads(p) || belongs(p) && to == ByMembers }

// MaySpeak says whether the principal may send messages into conversations that
// they see.
func MaySpeak(p Principal) bool { return acts(p) }

// MayChangeMessage says whether the principal may retitle, delete and retry a
// message of this author.
func MayChangeMessage(p Principal, authorID string) bool { return own(p, authorID) || leads(p) }

// MaySendMessage says whether the principal may send, take back and discard a
// message of this author: it is for nobody else to say what somebody says.
func MaySendMessage(p Principal, authorID string) bool { return own(p, authorID) }

func own(p Principal, userID string) bool { return acts(p) && p.UserID == userID }

// MayCreateConversation says whether the principal may make conversations of a kind:
// they talk directly to whom they know of ([MaySeeEveryone]), while the rules say who
// makes channels. Guests make none.
func MayCreateConversation(p Principal, kind ConversationKind) bool {
	return belongs(p) && everywhere(p) && (kind == Direct || lets(p, p.Rules.Whole().CreateChannels))
}

// MayChangeConversation says whether the principal may retitle a conversation
// that this user made.
func MayChangeConversation(p Principal, makerID string) bool { return own(p, makerID) || leads(p) }

// MayDeleteConversation says whether the principal may delete a conversation that
// this user made, with all that is in it: its maker only while nobody else has
// said anything there.
func MayDeleteConversation(p Principal, makerID string, othersSpoke bool) bool {
	return leads(p) || own(p, makerID) && !othersSpoke
}

// MaySpeakToEveryone says whether the principal may begin a direct conversation with
// anybody they know of, and not only with those with whom they share a conversation.
func MaySpeakToEveryone(p Principal) bool { return person(p) && MaySeeEveryone(p) }

// MayAddMember says whether the principal may take a user whom they know of into a
// channel: everybody but guests may, and guests as the rules have it. An integration is
// no guest here, and brings none.
func MayAddMember(p Principal, user User) bool {
	free := above(user.Role, Guest) || user.Kind == KindIntegration
	return MayAddMembers(p) && (free || person(p) && lets(p, p.Rules.Whole().InviteGuests))
}

// MayAddMembers says whether the principal may take anybody into a channel.
func MayAddMembers(p Principal) bool { return belongs(p) && everywhere(p) }

// MayOwnChannel says whether a user may be given a channel whose maker has left.
func MayOwnChannel(user User) bool { return above(user.Role, Guest) && user.Kind != KindIntegration }

// MayRemoveMember says whether the principal may take a user out of a channel
// that makerID made.
func MayRemoveMember(p Principal, makerID string, user User) bool {
	return own(p, user.ID) || MayChangeConversation(p, makerID) && !above(user.Role, p.Role)
}

// MayEndCredentials says whether the principal may end a user's credentials.
func MayEndCredentials(p Principal, user User) bool {
	return own(p, user.ID) || leads(p) && !above(user.Role, p.Role)
}

// MayManageMembers says whether the principal may see of everybody when they were
// last active, and of all invitations, and revoke these.
func MayManageMembers(p Principal) bool { return leads(p) && everywhere(p) }

// MayInvite says whether the principal may invite people who get a role, as the rules
// have it: none above their own, and no other than an invitation can give.
func MayInvite(p Principal, role Role) bool {
	rule := p.Rules.Whole().InviteMembers
	if !above(role, Guest) {
		rule = p.Rules.Whole().InviteGuests
	}
	return person(p) && everywhere(p) && lets(p, rule) && !above(role, p.Role) && !above(role, RoleMember)
}

// MaySeeInvitations says whether the principal may see invitations, and revoke them:
// their own, unless they manage members.
func MaySeeInvitations(p Principal) bool {
	return MayManageMembers(p) || MayInvite(p, RoleMember) || MayInvite(p, Guest)
}

// MayChangeRole says whether the principal may give a user another role: neither to
// somebody who stands above them, nor one above their own, nor one that is not for such
// a user ([Fits]).
func MayChangeRole(p Principal, user User, to Role) bool {
	return MayManageMembers(p) && !above(user.Role, p.Role) && !above(to, p.Role) && Fits(user.Kind, to)
}

// Fits says whether a role is for users of a kind: an integration is neither an owner
// nor an admin.
func Fits(kind UserKind, role Role) bool {
	return kind != KindIntegration || CheckRole(role) == nil && !above(role, RoleMember)
}

// MayManageIntegrations says whether the principal may make integrations and their
// tokens, see them, change and end them.
func MayManageIntegrations(p Principal) bool { return leads(p) && everywhere(p) }

// MayDisable says whether the principal may deactivate a user, and let them in again.
// Nobody locks themselves out.
func MayDisable(p Principal, user User) bool {
	return MayManageMembers(p) && !above(user.Role, p.Role) && !own(p, user.ID)
}

// MayRecover says whether the principal may make a link by which a user signs in who has
// lost their ways in. It is good for this workspace alone ([SignInMethod.OfPerson]).
func MayRecover(p Principal, user User) bool {
	return user.Kind != KindIntegration && MayDisable(p, user)
}

// MayProvision says whether the principal may keep people and groups as an identity
// provider has them: who manages members, with a token that is good for that alone.
func MayProvision(p Principal) bool { return p.Scopes.Provision() && MayManageMembers(p) }

// MayProvisionUser says whether the principal may change a user as an identity provider
// has them: no owner, nobody above them, and not themselves.
func MayProvisionUser(p Principal, user User) bool {
	return MayProvision(p) && !user.Role.Owns() && MayDisable(p, user)
}

// MayGrantByGroup says whether the principal may have the members of a group get a role,
// instead of another: no owner's, and none above their own.
func MayGrantByGroup(p Principal, from, to Role) bool {
	grants := func(role Role) bool { return role == "" || above(Owner, role) && !above(role, p.Role) }
	return MayManageMembers(p) && grants(from) && grants(to)
}

// MayMakeToken says whether a user may have a token of scopes: one for an identity
// provider only who manages members.
func MayMakeToken(user User, scopes Scopes) bool {
	return !scopes.Provision() || MayManageMembers(Principal{UserID: user.ID, Kind: user.Kind, Role: user.Role})
}

// MayRename says whether the principal may give this user another name, picture and
// pronunciation, and change how they are spoken to. Integrations are named by who manages
// them.
func MayRename(p Principal, userID string) bool {
	return person(p) && own(p, userID) && everywhere(p)
}

// MaySetPicture says whether the principal may give a user a picture: themselves, and
// integrations where they manage these.
func MaySetPicture(p Principal, user User) bool {
	return MayRename(p, user.ID) || user.Kind == KindIntegration && MayManageIntegrations(p)
}

// MayRemovePicture says whether the principal may take away a user's picture, or how their
// name is pronounced: their own, and of whoever does not stand above them.
func MayRemovePicture(p Principal, user User) bool {
	return MayRename(p, user.ID) || MayManageMembers(p) && !above(user.Role, p.Role)
}

// MayChangeAccount says whether the principal may change how they sign in, and end
// all their other credentials: in a browser that they signed in, and with no token,
// which would outgrow its scopes and its life so.
func MayChangeAccount(p Principal, with TokenKind) bool {
	return person(p) && everywhere(p) && with == SessionToken
}

// MaySwitch says whether the principal may go on as the same person in another workspace:
// in a browser, and with no token, which is held to one.
func MaySwitch(p Principal, with TokenKind) bool { return MayChangeAccount(p, with) }

// MayNameWorkspace says whether the principal may give the workspace another name.
func MayNameWorkspace(p Principal) bool { return leads(p) && everywhere(p) }

// MayChangeRules says whether the principal may change the workspace's rules.
func MayChangeRules(p Principal) bool { return leads(p) && everywhere(p) }

// MayReadAudit says whether the principal may read what the audit log has of the
// workspace.
func MayReadAudit(p Principal) bool { return leads(p) && everywhere(p) }

// MayChangeAudit says whether the principal may have the audit log record who plays
// and downloads what, or not any more.
func MayChangeAudit(p Principal) bool { return MayReadAudit(p) }

// MaySetQuotas says whether the principal may bound what the workspace takes.
func MaySetQuotas(p Principal) bool { return leads(p) && everywhere(p) && !above(Owner, p.Role) }

// MaySeeEveryone says whether the principal knows of everybody in the workspace, as the
// rules have it, and not only of those with whom they share a conversation.
func MaySeeEveryone(p Principal) bool { return everywhere(p) && lets(p, p.Rules.Whole().SeeDirectory) }

// JoinsFirst is the role of who is made by an identity provider, and is in none of the
// groups that grant another.
const JoinsFirst = RoleMember

// JoinsAs says whether a role is one that people can join with.
func JoinsAs(role Role) bool { return CheckRole(role) == nil && !above(role, RoleMember) }

// JoinsGeneral says whether a user is put into the conversation for everybody.
func JoinsGeneral(role Role) bool { return above(role, Guest) }

// RoleAfter is the role that the groups of a provider leave a user with: the highest
// that they grant. Who has a role that none of the rule's groups would grant, such as an
// owner where groups make admins, is raised by them and never lowered.
func RoleAfter(current Role, rule RoleRule) Role {
	managed := slices.Contains(rule.Managed, current)
	if len(rule.Granted) == 0 {
		if managed {
			return rule.Otherwise
		}
		return current
	}
	granted := slices.MaxFunc(rule.Granted, func(a, b Role) int { return slices.Index(order, a) - slices.Index(order, b) })
	if managed || above(granted, current) {
		return granted
	}
	return current
}

// RoleWithout is the role of who is taken out of all groups of a provider, which granted
// these: what they gave above [JoinsFirst] goes with them. Nobody is raised by it.
func RoleWithout(current Role, granted []Role) Role {
	if slices.Contains(granted, current) && above(current, JoinsFirst) {
		return JoinsFirst
	}
	return current
}
