package sqldb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search/query"
)

// memberColumns are those of a user with when they were last active.
const memberColumns = userColumns + `, COALESCE((SELECT MAX(t.last_used_at) FROM tokens t WHERE t.user_id = u.id), 0) AS last_active_at`

type memberRow struct {
	userRow
	LastActiveAt int64 `db:"last_active_at"`
}

func (r memberRow) member(workspaceID string) storage.Member {
	return storage.Member{User: r.user(workspaceID), LastActiveAt: fromMS(r.LastActiveAt)}
}

// rosterStep is how many names are read at a time where names are looked for.
const rosterStep = 1000

// Members returns a page of everybody in the workspace, those who came last first: 50
// unless asked otherwise, 200 at the most. With words, only those of whose name each
// word begins a part, however it is written. Who may not manage members gets
// storage.ErrForbidden ([storage.MayManageMembers]).
func (db *DB) Members(ctx context.Context, principal storage.Principal, words string, page storage.Page) (members []storage.Member, next string, err error) {
	if !storage.MayManageMembers(principal) {
		return nil, "", fmt.Errorf("list members of workspace: %w", errForLeaders)
	}
	no, seal, err := db.pages(ctx, principal)
	if err != nil {
		return nil, "", err
	}
	name := fmt.Sprintf("members %s %q", principal.WorkspaceID, words)
	before := int64(1) << 62 // above every number
	if page.Cursor != "" {
		if err := seal.Open(name, page.Cursor, &before); err != nil {
			return nil, "", fmt.Errorf("list members of workspace: %w", err)
		}
	}
	limit := pageLimit(page, 50, 200)
	var rows []memberRow
	err = db.read(ctx, "list members of workspace", func(ctx context.Context, s session) error {
		rows, err = s.members(ctx, no, words, before, limit+1)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next, err = seal.Close(name, rows[limit-1].No)
	}
	for _, r := range rows {
		members = append(members, r.member(principal.WorkspaceID))
	}
	return members, next, err
}

// sought is what is kept of a name to look for it: its parts, each behind a space.
func sought(name string) string {
	var text strings.Builder
	for _, part := range query.Tokens(name) {
		text.WriteString(" " + part)
	}
	return text.String()
}

// members reads up to limit users with numbers below before. Names are compared here, and
// the database leaves out those that cannot be meant: of one whose parts it does not have,
// since it was given by an older version, it cannot tell.
func (s session) members(ctx context.Context, workspaceNo int64, words string, before int64, limit int) (rows []memberRow, err error) {
	const order = ` ORDER BY u.no DESC LIMIT ?`
	if strings.TrimSpace(words) == "" {
		err = s.List(ctx, &rows, `SELECT `+memberColumns+` FROM users u WHERE u.workspace_no = ? AND u.no < ?`+order, workspaceNo, before, limit)
		return rows, err
	}
	matches := query.Begins(words)
	maybe := statement{}
	for _, word := range query.Tokens(words) {
		maybe = maybe.and(` AND (u.sought_of <> u.name OR u.sought LIKE ?)`, "% "+word+"%") // of letters and digits alone
	}
	var found []any
	for more := true; more && len(found) < limit; {
		var names []struct {
			No   int64
			Name string
		}
		err := s.listAll(ctx, &names, statement{`SELECT u.no, u.name FROM users u WHERE u.workspace_no = ? AND u.no < ?`, []any{workspaceNo, before}}.
			with(maybe).and(order, rosterStep))
		if err != nil {
			return nil, err
		}
		for _, one := range names {
			before = one.No
			if len(found) < limit && matches(one.Name) {
				found = append(found, one.No)
			}
		}
		more = len(names) == rosterStep
	}
	if len(found) == 0 {
		return nil, nil
	}
	err = s.List(ctx, &rows, `SELECT `+memberColumns+` FROM users u WHERE u.workspace_no = ? AND u.no IN `+conn.Tuples(1, len(found))+` ORDER BY u.no DESC`,
		append([]any{workspaceNo}, found...)...)
	return rows, err
}

// ChangeMember changes a user's place in the workspace, as [storage.MayChangeRole] and
// [storage.MayDisable] say; to guests nobody is there to be changed. Who is deactivated loses all credentials, and hands over the
// channels that they made; who may not invite any more, the invitations that they made.
// The last owner stays one: storage.ErrLastOwner.
func (db *DB) ChangeMember(ctx context.Context, principal storage.Principal, userID string, patch storage.MemberPatch) (m storage.Member, err error) {
	var row memberRow
	err = db.changeBy(ctx, "change member of workspace", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		user, err := t.user(ctx, userID)
		switch {
		case err != nil:
			return err
		case !storage.MaySeeEveryone(who): // nor may they learn who there is
			return storage.ErrNotFound
		case !storage.MayManageMembers(who):
			return storage.ErrForbidden
		}
		if err := t.changeMember(ctx, who, user, patch); err != nil {
			return err
		}
		return t.Get(ctx, &row, `SELECT `+memberColumns+` FROM users u WHERE u.id = ?`, userID)
	})
	return row.member(principal.WorkspaceID), err
}

// changeMember changes the place of a user in the workspace.
func (t *tx) changeMember(ctx context.Context, who storage.Principal, user storage.User, patch storage.MemberPatch) (err error) {
	if patch.Role != nil && *patch.Role != user.Role {
		if !storage.Fits(user.Kind, *patch.Role) {
			return errNoRole
		}
		if !storage.MayChangeRole(who, user, *patch.Role) {
			return errAbove
		}
		if user, err = t.setRole(ctx, who, user, *patch.Role, ""); err != nil {
			return err
		}
	}
	if patch.Disabled != nil && *patch.Disabled != user.Disabled {
		if !storage.MayDisable(who, user) {
			return errAbove
		}
		return t.setDisabled(ctx, who, user, *patch.Disabled)
	}
	return nil
}

// CreateMemberLink makes a one-time code by which a user signs in who has lost their ways
// in, for the principal to hand on, and returns its secret, which is not kept.
// [storage.MayRecover] says for whom; the principal has to be in a signed-in browser, and to have
// proved who they are (storage.ErrStepUp). It gets the user into this workspace alone.
func (db *DB) CreateMemberLink(ctx context.Context, principal storage.Principal, userID string, life time.Duration) (token storage.Token, secret string, err error) {
	secret = newSecret()
	err = db.changeBy(ctx, "create sign-in link of member", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		user, err := t.user(ctx, userID)
		switch {
		case err != nil:
			return err
		case !storage.MaySeeEveryone(who): // nor may they learn who there is
			return storage.ErrNotFound
		case !storage.MayManageMembers(who):
			return storage.ErrForbidden
		case !storage.MayRecover(who, user):
			return errNoLink
		case user.Disabled:
			return errLinkOfDisabled
		}
		account, err := t.accountOf(ctx, principal.UserID)
		if err != nil {
			return err
		}
		if err := t.mustProve(ctx, who, account); err != nil {
			return err
		}
		token, err = t.createToken(ctx, userID, secret, storage.NewToken{Kind: storage.SignInToken, Name: "sign-in", Life: life, Method: storage.ByAdmin})
		if err != nil {
			return err
		}
		t.auditTokenBy(ctx, who, token, map[string]string{"name": user.Name})
		return nil
	})
	return token, secret, err
}

// What keeps somebody from making a link for somebody else.
var (
	errNoLink         = &storage.ForbiddenError{Reason: "Sign-in links are made for other people, whose role is not above yours. Your own ways in are in Settings."}
	errLinkOfDisabled = &storage.ForbiddenError{Reason: "They are deactivated. Activate them first."}
)

// errNoRole is the error of an integration that is to be an owner or an admin.
var errNoRole = &storage.ForbiddenError{Reason: "An integration is a guest or a member: it manages nothing."}

// errForLeaders is the error of who asks for what owners and admins alone see.
var errForLeaders = &storage.ForbiddenError{Reason: "Only owners and admins see this."}

// errAbove is the error of who would act on somebody whom it is not for them to act on.
var errAbove = &storage.ForbiddenError{Reason: "Your role does not reach so far: nobody changes somebody whose role is above theirs, gives a role above theirs, or deactivates themselves."}

// asNow is a principal by the role that they have now and the rules that hold now, which
// may have changed since they were let in.
func (t *tx) asNow(ctx context.Context, principal storage.Principal) (storage.Principal, error) {
	user, err := t.user(ctx, principal.UserID)
	if err != nil {
		return principal, err
	}
	principal.Role = user.Role
	principal.Rules, err = t.rules(ctx)
	return principal, err
}

// setRole gives a user another role; why is recorded where nobody asked for it.
func (t *tx) setRole(ctx context.Context, by storage.Principal, user storage.User, role storage.Role, why string) (storage.User, error) {
	if err := storage.CheckRole(role); err != nil {
		return user, err
	}
	if err := t.keepOwner(ctx, user); err != nil {
		return user, err
	}
	before := user.Role
	user.Role = role
	if _, err := t.Exec(ctx, `UPDATE users SET role = ? WHERE id = ?`, role, user.ID); err != nil {
		return user, err
	}
	t.audit(ctx, by, storage.AuditUserRoleChanged, onUser(user.ID), map[string]string{"name": user.Name, "from": string(before), "to": string(role), "why": why})
	if err := t.joinGeneral(ctx, by, user); err != nil {
		return user, err
	}
	if err := t.endInvitations(ctx, by, user.ID); err != nil {
		return user, err
	}
	revised := user
	if before.Owns() { // whom every manifest names
		revised.Role = before
	}
	if err := t.reviseNewestOf(ctx, revised); err != nil {
		return user, err
	}
	return user, t.personEvent(ctx, storage.UserUpdated, user)
}

// keepOwner fails where the workspace would have no owner without a user.
func (t *tx) keepOwner(ctx context.Context, user storage.User) error {
	if !user.Role.Owns() {
		return nil
	}
	var others int
	err := t.Get(ctx, &others, `SELECT COUNT(*) FROM users WHERE workspace_no = ? AND role = ? AND kind = ? AND disabled_at = 0 AND id <> ?`, t.workspaceNo, user.Role, storage.KindPerson, user.ID)
	if err == nil && others == 0 {
		err = storage.ErrLastOwner
	}
	return err
}

// setDisabled deactivates a user, or lets them in again. The credentials that they had
// stay ended.
func (t *tx) setDisabled(ctx context.Context, by storage.Principal, user storage.User, disabled bool) error {
	action, at := storage.AuditUserEnabled, int64(0)
	if disabled {
		action, at = storage.AuditUserDisabled, toMS(t.now)
		if err := t.keepOwner(ctx, user); err != nil {
			return err
		}
	} else if err := t.roomForIntegration(ctx, user.Kind); err != nil {
		return err
	}
	if _, err := t.Exec(ctx, `UPDATE users SET disabled_at = ? WHERE id = ?`, at, user.ID); err != nil {
		return err
	}
	user.Disabled = disabled
	t.audit(ctx, by, action, onUser(user.ID), map[string]string{"name": user.Name})
	if disabled {
		if _, err := t.Exec(ctx, `UPDATE tokens SET ended_at = ? WHERE user_id = ? AND ended_at = 0`, toMS(t.now), user.ID); err != nil {
			return err
		}
		if err := t.endEmailChangesHere(ctx, user.ID); err != nil {
			return err
		}
		if err := t.endInvitations(ctx, by, user.ID); err != nil {
			return err
		}
		if err := t.handOver(ctx, by, user); err != nil {
			return err
		}
	}
	return t.personEvent(ctx, storage.UserUpdated, user)
}

// handOver gives the channels that a user made to who has been in each the longest, of
// those who may own one. One with nobody like that stays as it is.
func (t *tx) handOver(ctx context.Context, by storage.Principal, user storage.User) error {
	var rows []struct {
		ID     string
		UserID string `db:"user_id"`
		Kind   storage.UserKind
		Role   storage.Role
	}
	err := t.List(ctx, &rows, `SELECT c.id, m.user_id, u.kind, u.role FROM conversations c JOIN conversation_members m ON m.conversation_id = c.id JOIN users u ON u.id = m.user_id
		WHERE c.created_by = ? AND c.kind = ? AND c.deleted_at = 0 AND u.disabled_at = 0 AND u.id <> ? ORDER BY c.id, m.joined_at, u.no`,
		user.ID, storage.Channel, user.ID)
	if err != nil {
		return err
	}
	done := ""
	for _, heir := range rows {
		if heir.ID == done || !storage.MayOwnChannel(storage.User{Kind: heir.Kind, Role: heir.Role}) {
			continue
		}
		done = heir.ID
		if _, err := t.Exec(ctx, `UPDATE conversations SET created_by = ? WHERE id = ?`, heir.UserID, heir.ID); err != nil {
			return err
		}
		t.audit(ctx, by, storage.AuditHandedOver, onConversation(heir.ID), map[string]string{"from": user.ID, "to": heir.UserID})
		t.event(storage.ConversationUpdated, heir.ID, "", nil)
		if err := t.reviseNewest(ctx, heir.ID); err != nil {
			return err
		}
	}
	return nil
}
