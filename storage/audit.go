package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"time"
)

// AuditAction is what was done. The names are stable: they are part of the API, and
// of what is hashed.
type AuditAction string

// The actions. What each is done to, and its details, stand behind it.
const (
	AuditSignIn              AuditAction = "sign_in"                  // token (the session); method, provider
	AuditSignInFailed        AuditAction = "sign_in_failed"           // user, if known; method, provider, reason, left_out
	AuditSignOut             AuditAction = "sign_out"                 // token
	AuditCredentialsEnded    AuditAction = "credentials_ended"        // user; ended (how many)
	AuditEmailChanged        AuditAction = "email_changed"            // user; change: set, changed
	AuditEmailAsked          AuditAction = "email_change_asked"       // user; change: set, changed: an address waits to be confirmed
	AuditPictureChanged      AuditAction = "picture_changed"          // user; change: set, changed, removed
	AuditPronunciation       AuditAction = "pronunciation_changed"    // user; change: set, changed, removed
	AuditPasswordChanged     AuditAction = "password_changed"         // user; change: set, changed, removed; ended (how many sessions)
	AuditPasskeyAdded        AuditAction = "passkey_added"            // user; passkey_id, name
	AuditPasskeyRenamed      AuditAction = "passkey_renamed"          // user; passkey_id, from, to
	AuditPasskeyRemoved      AuditAction = "passkey_removed"          // user; passkey_id, name
	AuditPasskeyRefused      AuditAction = "passkey_refused"          // user; passkey_id, name, reason: its count of signatures went back, as of a copy
	AuditRecoveryCodesMade   AuditAction = "recovery_codes_made"      // user; made, ended (how many of before)
	AuditRecoveryCodeUsed    AuditAction = "recovery_code_used"       // user; left
	AuditIdentityLinked      AuditAction = "identity_linked"          // user; provider, issuer
	AuditIdentityUnlinked    AuditAction = "identity_unlinked"        // user; issuer, ended (how many sessions)
	AuditTokenCreated        AuditAction = "token_created"            // token; kind, name, scopes, user_id, imported
	AuditTokenRevoked        AuditAction = "token_revoked"            // token; kind, name, user_id, ended (how many, with those made with it)
	AuditUserCreated         AuditAction = "user_created"             // user; name, role, invitation_id, provider
	AuditUserDisabled        AuditAction = "user_disabled"            // user; name
	AuditUserEnabled         AuditAction = "user_enabled"             // user; name
	AuditUserRoleChanged     AuditAction = "user_role_changed"        // user; name, from, to, why (where nobody asked for it)
	AuditUserRenamed         AuditAction = "user_renamed"             // user; from, to
	AuditIntegrationCreated  AuditAction = "integration_created"      // user; name, role
	AuditIntegrationChanged  AuditAction = "integration_changed"      // user; name, field: description; what else changes is recorded as of a person
	AuditWorkspaceCreated    AuditAction = "workspace_created"        // workspace; name
	AuditWorkspaceRenamed    AuditAction = "workspace_renamed"        // workspace; from, to
	AuditRuleChanged         AuditAction = "workspace_rule_changed"   // workspace; rule, from, to
	AuditChannelCreated      AuditAction = "channel_created"          // conversation
	AuditMemberAdded         AuditAction = "member_added"             // user, in a conversation
	AuditMemberRemoved       AuditAction = "member_removed"           // user, in a conversation
	AuditInvitationCreated   AuditAction = "invitation_created"       // invitation; role, uses, expires, mailed
	AuditInvitationRevoked   AuditAction = "invitation_revoked"       // invitation; why, where it was not asked for
	AuditHistoryChanged      AuditAction = "history_changed"          // conversation; from, to
	AuditHandedOver          AuditAction = "conversation_handed_over" // conversation; from, to
	AuditConversationDeleted AuditAction = "conversation_deleted"     // conversation; kind
	AuditMessageDeleted      AuditAction = "message_deleted"          // message, in a conversation; author_id
	AuditExported            AuditAction = "audit_exported"           // workspace; the filter
	AuditMessagePlayed       AuditAction = "message_played"           // message, in a conversation; author_id, form
	AuditMessageDownloaded   AuditAction = "message_downloaded"       // message, in a conversation; author_id, form
	AuditListeningChanged    AuditAction = "listening_changed"        // workspace; recorded: true, false
	AuditUserProvisioned     AuditAction = "user_provisioned"         // user; change: added, changed, removed; fields
	AuditGroupCreated        AuditAction = "group_created"            // group; name, added (how many members)
	AuditGroupChanged        AuditAction = "group_changed"            // group; name, from (its name, where it changed), added, removed (how many members)
	AuditGroupDeleted        AuditAction = "group_deleted"            // group; name, removed
	AuditGroupRoleChanged    AuditAction = "group_role_changed"       // group; name, from, to: none for none
	AuditQuotaChanged        AuditAction = "quota_changed"            // workspace; quota, from, to: left out for none
)

// ListeningPause is how long after it was recorded that somebody played or
// downloaded a message the same is not recorded of them again.
const ListeningPause = time.Hour

const (
	auditTime      = "2006-01-02T15:04:05.000Z"
	maxAuditAgent  = 160 // bytes
	maxAuditDetail = 400 // bytes
)

// AuditRoot stands for the hash before that of the first entry.
const AuditRoot = "0000000000000000000000000000000000000000000000000000000000000000"

// ActorKind is what kind of somebody did something.
type ActorKind string

// The kinds of actor.
const (
	ActorUser        ActorKind = "user"        // of the workspace, who had signed in or came with a token
	ActorIntegration ActorKind = "integration" // of the workspace, that came with a token of its own
	ActorOperator    ActorKind = "operator"    // who runs commands on the server; named by their account there
	ActorNobody      ActorKind = "nobody"      // who came over the network and was not known
	ActorSystem      ActorKind = "system"      // Hark itself
)

// Actor is who did something, by the name that they had then.
type Actor struct {
	Kind ActorKind
	ID   string // of a user or an integration; empty for others
	Name string // empty where there is none
}

// Target is what something was done to.
type Target struct {
	Kind string // user, token, conversation, message, invitation, group or workspace; empty where nothing is known
	ID   string

	ConversationID string // that it is in; empty for what is in none
}

// AuditEntry is a row of a workspace's audit log, which says who did what that an
// owner or an admin may be asked about. It is written in the transaction of what it
// records, and only ever added to. It has ids, and names of people, and nothing that
// was said, no title and no secret.
type AuditEntry struct {
	Seq    int64     // from 1, without gaps
	At     time.Time // to the millisecond; never before that of the entry before
	Action AuditAction
	Actor  Actor

	CredentialID string // with which they came; empty where there was none
	Address      string // IP address from which they came; empty for what came over no network
	Agent        string // what their program calls itself; at most 160 bytes

	Target  Target
	Details map[string]string // of what the action says; nil for none
	Hash    string            // hex
}

// Time is when it was, as it is exported and hashed.
func (e *AuditEntry) Time() string { return e.At.UTC().Format(auditTime) }

// HashAfter is what the hash of the entry has to be behind one with the hash
// previous. Whoever has an export can check it with SHA-256 alone, since the hash
// is that of these texts one after the other, each written as a netstring (its
// length in bytes in decimal, a colon, its UTF-8 bytes, a comma):
//
//	the hash of the entry before, in lower-case hex; of the first, AuditRoot
//	seq, in decimal
//	at, as in the export: 2006-01-02T15:04:05.000Z
//	action
//	actor.kind, actor.id, actor.name
//	credential_id, address, user_agent
//	target.kind, target.id, conversation_id
//	for each of the details, in the order of the bytes of the keys: key, value
//
// A text that the export leaves out is empty. So a row that was changed, added or
// taken out of the middle does not fit the next. Rows cut off at the end are found
// by the count and the hash of the last, which the workspace's own row keeps. Who
// can write to the database can make a whole new chain: a head that was noted
// elsewhere shows that.
func (e *AuditEntry) HashAfter(previous string) string {
	fields := []string{
		previous, strconv.FormatInt(e.Seq, 10), e.Time(), string(e.Action),
		string(e.Actor.Kind), e.Actor.ID, e.Actor.Name, e.CredentialID, e.Address, e.Agent,
		e.Target.Kind, e.Target.ID, e.Target.ConversationID,
	}
	for _, key := range slices.Sorted(maps.Keys(e.Details)) {
		fields = append(fields, key, e.Details[key])
	}
	var text []byte
	for _, field := range fields {
		text = strconv.AppendInt(text, int64(len(field)), 10)
		text = append(append(append(text, ':'), field...), ',')
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Tidy brings what callers said to the form in which it is kept and hashed: text
// that every database gives back as it was, details that are empty left out, and
// none too long.
func (e *AuditEntry) Tidy() {
	e.Actor.Name, e.Address = Printable(e.Actor.Name), Printable(e.Address)
	e.Agent = CutBytes(Printable(e.Agent), maxAuditAgent)
	kept := map[string]string{}
	for key, value := range e.Details {
		if value = CutBytes(Printable(value), maxAuditDetail); value != "" {
			kept[key] = value
		}
	}
	e.Details = kept
}

// Users are the ids of the users whom the entry names.
func (e *AuditEntry) Users() []string {
	ids := []string{e.Actor.ID, e.Details["user_id"], e.Details["author_id"]}
	if e.Target.Kind == "user" {
		ids = append(ids, e.Target.ID)
	}
	if e.Action == AuditHandedOver {
		ids = append(ids, e.Details["from"], e.Details["to"])
	}
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}

// AuditFilter says which entries are meant; what is empty or zero leaves all.
type AuditFilter struct {
	Action         AuditAction
	ActorID        string
	TargetID       string
	ConversationID string    // that the target is in
	From           time.Time // this moment or later
	To             time.Time // before this moment
}

// Details is the filter as an export of what it finds is recorded.
func (f AuditFilter) Details() map[string]string {
	given := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.UTC().Format(auditTime)
	}
	return map[string]string{
		"action": string(f.Action), "actor": f.ActorID, "target": f.TargetID, "conversation": f.ConversationID, "from": given(f.From), "to": given(f.To),
	}
}

// TimesAlone says whether nothing but times leaves entries out.
func (f AuditFilter) TimesAlone() bool {
	return f.Action == "" && f.ActorID == "" && f.TargetID == "" && f.ConversationID == ""
}

// AuditNames are what entries are about, as far as it is there and who asks may see
// it: each by id.
type AuditNames struct {
	Users         map[string]User
	Conversations map[string]Conversation // id, kind and title alone
	Messages      map[string]bool
}

// AuditCount is how many entries there are.
type AuditCount struct {
	Entries int64
	Capped  bool // whether there are that many or more
}

// MaxAuditCount is how far entries are counted one by one.
const MaxAuditCount = 10_000

// AuditCheck is what was found of an audit log's chain.
type AuditCheck struct {
	Entries int64  // that fit
	Head    string // hash of the last of them; AuditRoot of none

	// Broken is the number of the first entry that does not fit, or is missing; 0
	// where all fit. Problem says what is wrong with it.
	Broken  int64
	Problem string

	Expected bool // whether an entry has the hash that was expected; true when none was
}

// OK says whether nothing was found to be wrong.
func (c AuditCheck) OK() bool { return c.Broken == 0 && c.Expected }

// FailedSignIn is an attempt of somebody who is not signed in by it.
type FailedSignIn struct {
	Method  string // link, password, passkey, recovery_code, provider, admin or step_up
	UserID  string // who is known to be meant; empty for nobody
	Code    string // the secret that came in a link; it is looked up, and not kept
	Email   string // that came with a password; it is looked up, and not kept
	Reason  string // why it failed
	LeftOut int64  // attempts since the last that was recorded, which were not

	Provider    string // that vouched for somebody, by its id; empty for the other ways
	WorkspaceID string // that it leads to; empty where that is not known
}

// Origin is where somebody comes from who asks for something. It travels with the
// context from where a request comes in to the audit log.
type Origin struct {
	Address  string // IP address; empty for who comes over no network
	Agent    string // what their program calls itself
	Operator string // account on the server of who runs a command there; empty for everybody else
}

type originKey struct{}

// WithOrigin returns a context of what somebody asks for who comes from an origin.
func WithOrigin(ctx context.Context, from Origin) context.Context {
	return context.WithValue(ctx, originKey{}, from)
}

// OriginOf is the origin of who asks; zero where nobody does.
func OriginOf(ctx context.Context) Origin {
	from, _ := ctx.Value(originKey{}).(Origin)
	return from
}
