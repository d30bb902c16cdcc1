package sqldb

import (
	"context"
	"fmt"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

// mostJoined bounds the people that an invitation names of those who came by it.
const mostJoined = 20

type invitationRow struct {
	ID              string
	Role            storage.Role
	Uses            int
	Used            int
	CreatedBy       string `db:"created_by"`
	Maker           string
	MakerNo         int64        `db:"maker_no"`
	MakerRole       storage.Role `db:"maker_role"`
	MakerDisabledAt int64        `db:"maker_disabled_at"`
	CreatedAt       int64        `db:"created_at"`
	ExpiresAt       int64        `db:"expires_at"`
	RevokedAt       int64        `db:"revoked_at"`
	Email           string
}

const selectInvitations = `SELECT i.id, i.role, i.uses, i.used, i.created_by, u.name AS maker, u.no AS maker_no, u.role AS maker_role, u.disabled_at AS maker_disabled_at, i.created_at, i.expires_at, i.revoked_at, i.email
	FROM invitations i JOIN users u ON u.id = i.created_by `

// state says whether somebody can join.
func (r invitationRow) state(now time.Time) storage.InvitationState {
	switch {
	case r.RevokedAt > 0:
		return storage.InvitationRevoked
	case r.Used >= r.Uses:
		return storage.InvitationUsedUp
	case r.ExpiresAt <= toMS(now):
		return storage.InvitationExpired
	}
	return storage.InvitationOpen
}

func (r invitationRow) invitation(workspaceID string, now time.Time) storage.Invitation {
	return storage.Invitation{
		ID: r.ID, WorkspaceID: workspaceID, Role: r.Role, Uses: r.Uses, Used: r.Used, State: r.state(now), Email: r.Email,
		CreatedBy: storage.User{ID: r.CreatedBy, Name: r.Maker, No: r.MakerNo}, CreatedAt: fromMS(r.CreatedAt), ExpiresAt: fromMS(r.ExpiresAt),
	}
}

// CreateInvitation makes an invitation, as [storage.MayInvite] says, and returns the
// code of its link, which is not kept. Its conversations are channels that the principal
// is in; any other is storage.ErrNotFound.
func (db *DB) CreateInvitation(ctx context.Context, principal storage.Principal, n storage.NewInvitation) (i storage.Invitation, code string, err error) {
	if err := storage.CheckInvitation(n); err != nil {
		return i, "", fmt.Errorf("create invitation: %w", err)
	}
	code = newSecret()
	err = db.changeBy(ctx, "create invitation", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		if !storage.MayInvite(who, n.Role) {
			return storage.ErrForbidden
		}
		if i, err = t.insertInvitation(ctx, who, code, n); err != nil {
			return err
		}
		if n.Mail != nil {
			if err := t.mailInvitation(ctx, i, code, n); err != nil {
				return err
			}
		}
		t.audit(ctx, principal, storage.AuditInvitationCreated, onInvitation(i.ID), map[string]string{
			"role": string(i.Role), "uses": number(int64(i.Uses)), "expires": i.ExpiresAt.Format(time.RFC3339), "mailed": mailed(n),
		})
		return t.invitationEvent(ctx, storage.InvitationCreated, i.ID)
	})
	return i, code, err
}

func mailed(n storage.NewInvitation) string {
	if n.Mail == nil {
		return ""
	}
	return "true"
}

// insertInvitation writes an invitation and where it leads.
func (t *tx) insertInvitation(ctx context.Context, by storage.Principal, code string, n storage.NewInvitation) (storage.Invitation, error) {
	row := invitationRow{
		ID: storage.NewID(), Role: n.Role, Uses: n.Uses, CreatedBy: by.UserID, CreatedAt: toMS(t.now), ExpiresAt: toMS(t.now.Add(n.Life)), Email: clean(n.Email),
	}
	maker, err := t.user(ctx, by.UserID)
	if err != nil {
		return storage.Invitation{}, err
	}
	row.Maker, row.MakerNo = maker.Name, maker.No
	_, err = t.Exec(ctx, `INSERT INTO invitations (id, workspace_no, hash, role, uses, created_by, created_at, expires_at, email) VALUES `+conn.Tuples(1, 9),
		row.ID, t.workspaceNo, hashSecret(code), row.Role, row.Uses, row.CreatedBy, row.CreatedAt, row.ExpiresAt, row.Email)
	if err != nil {
		return storage.Invitation{}, err
	}
	i := row.invitation(t.workspaceID, t.now)
	for _, id := range n.ConversationIDs {
		to, err := t.conversation(ctx, t.workspaceNo, by, id)
		if err != nil {
			return i, err
		}
		if to.Kind == storage.Direct {
			return i, &storage.InvalidError{Field: "conversation_ids", Problem: "must be channels: a direct conversation stays between those it was made for"}
		}
		n, err := t.Exec(ctx, `INSERT INTO invitation_conversations (invitation_id, conversation_id, place) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			row.ID, id, len(i.Conversations))
		if err != nil {
			return i, err
		}
		if n > 0 { // named for the first time
			i.Conversations = append(i.Conversations, storage.InvitedTo{ID: to.ID, Title: to.Title})
		}
	}
	return i, nil
}

// mailInvitation adds the job that sends the link.
func (t *tx) mailInvitation(ctx context.Context, i storage.Invitation, code string, n storage.NewInvitation) error {
	var workspace string
	if err := t.Get(ctx, &workspace, `SELECT name FROM workspaces WHERE no = ?`, t.workspaceNo); err != nil {
		return err
	}
	job, err := n.Mail(i, workspace, code)
	if err != nil {
		return err
	}
	return t.job(ctx, job)
}

func onInvitation(id string) storage.Target { return storage.Target{Kind: "invitation", ID: id} }

// invitationEvent notes what was done to an invitation, for those who manage them and
// who made it.
func (t *tx) invitationEvent(ctx context.Context, typ storage.EventType, id string) error {
	var ids []string
	err := t.List(ctx, &ids, `SELECT id FROM users WHERE workspace_no = ? AND disabled_at = 0
		AND (role IN (?, ?) OR id = (SELECT created_by FROM invitations WHERE id = ?)) ORDER BY no`, t.workspaceNo, storage.Owner, storage.Admin, id)
	if err == nil {
		t.eventFor(ids, typ, "", "", map[string]any{"invitation_id": id})
	}
	return err
}

// Invitations returns a page of the workspace's invitations, the newest first: 50 unless
// asked otherwise, 200 at the most; those by which nobody can join any more are among
// them. To who does not manage members it has those that they made. Of its conversations
// each names those that the principal is in. Who may see none gets
// storage.ErrForbidden ([storage.MaySeeInvitations]).
func (db *DB) Invitations(ctx context.Context, principal storage.Principal, page storage.Page) (list []storage.Invitation, next string, err error) {
	if !storage.MaySeeInvitations(principal) {
		return nil, "", fmt.Errorf("list invitations: %w", errForLeaders)
	}
	no, seal, err := db.pages(ctx, principal)
	if err != nil {
		return nil, "", err
	}
	of := invitationsFor(principal)
	name, before := "invitations "+principal.WorkspaceID+" "+of, "~" // above every id
	if page.Cursor != "" {
		if err := seal.Open(name, page.Cursor, &before); err != nil {
			return nil, "", fmt.Errorf("list invitations: %w", err)
		}
	}
	limit := pageLimit(page, 50, 200)
	err = db.read(ctx, "list invitations", func(ctx context.Context, s session) error {
		var rows []invitationRow
		if err := s.List(ctx, &rows, selectInvitations+`WHERE i.workspace_no = ? AND (? = '' OR i.created_by = ?) AND i.id < ? ORDER BY i.id DESC LIMIT ?`, no, of, of, before, limit+1); err != nil {
			return err
		}
		now, err := s.Clock(ctx)
		if err != nil {
			return err
		}
		list = make([]storage.Invitation, len(rows))
		for i, r := range rows {
			list[i] = r.invitation(principal.WorkspaceID, now)
		}
		return s.detailInvitations(ctx, principal, list)
	})
	if err == nil && len(list) > limit {
		list = list[:limit]
		next, err = seal.Close(name, list[limit-1].ID)
	}
	return list, next, err
}

// invitationsFor is the user whose invitations alone a principal may see who may see
// some; empty for everybody's.
func invitationsFor(principal storage.Principal) string {
	if storage.MayManageMembers(principal) {
		return ""
	}
	return principal.UserID
}

// detailInvitations adds where invitations lead, and who came by them.
func (s session) detailInvitations(ctx context.Context, principal storage.Principal, list []storage.Invitation) error {
	if len(list) == 0 {
		return nil
	}
	at, ids := map[string]*storage.Invitation{}, []any{}
	for i := range list {
		at[list[i].ID] = &list[i]
		ids = append(ids, list[i].ID)
	}
	var places []struct {
		InvitationID string `db:"invitation_id"`
		ID, Title    string
	}
	err := s.listAll(ctx, &places, statement{text: `SELECT ic.invitation_id, c.id, c.title FROM invitation_conversations ic JOIN `}.with(visible(principal)).
		and(` me ON me.conversation_id = ic.conversation_id JOIN conversations c ON c.id = ic.conversation_id
			WHERE ic.invitation_id IN `+conn.Tuples(1, len(ids))+` ORDER BY ic.invitation_id, ic.place`, ids...))
	if err != nil {
		return err
	}
	for _, p := range places {
		i := at[p.InvitationID]
		i.Conversations = append(i.Conversations, storage.InvitedTo{ID: p.ID, Title: p.Title})
	}
	var joined []struct {
		InvitationID string `db:"invitation_id"`
		ID, Name     string
		No           int64
	}
	err = s.List(ctx, &joined, `SELECT j.invitation_id, j.id, j.name, j.no FROM (
			SELECT u.invitation_id, u.id, u.name, u.no, ROW_NUMBER() OVER (PARTITION BY u.invitation_id ORDER BY u.no DESC) AS place
			FROM users u WHERE u.invitation_id <> '' AND u.invitation_id IN `+conn.Tuples(1, len(ids))+`) AS j
		WHERE j.place <= ? ORDER BY j.invitation_id, j.place`, append(ids, mostJoined)...)
	for _, u := range joined {
		i := at[u.InvitationID]
		i.Joined = append(i.Joined, storage.User{ID: u.ID, Name: u.Name, No: u.No})
	}
	return err
}

// RevokeInvitation has nobody join any more by an invitation; that of one by which
// nobody could changes nothing. Of one that the principal may not see none is there.
func (db *DB) RevokeInvitation(ctx context.Context, principal storage.Principal, id string) error {
	return db.changeBy(ctx, "revoke invitation", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		if !storage.MaySeeInvitations(who) {
			return storage.ErrNotFound
		}
		of := invitationsFor(who)
		var row invitationRow
		err = t.Get(ctx, &row, selectInvitations+`WHERE i.id = ? AND i.workspace_no = ? AND (? = '' OR i.created_by = ?)`, id, t.workspaceNo, of, of)
		if err != nil || row.state(t.now) != storage.InvitationOpen {
			return err
		}
		return t.endInvitation(ctx, principal, id, "")
	})
}

func (t *tx) endInvitation(ctx context.Context, by storage.Principal, id, why string) error {
	if _, err := t.Exec(ctx, `UPDATE invitations SET revoked_at = ? WHERE id = ?`, toMS(t.now), id); err != nil {
		return err
	}
	if err := t.callOff(ctx, storage.Mail, storage.InvitationMail(id)); err != nil {
		return err
	}
	t.audit(ctx, by, storage.AuditInvitationRevoked, onInvitation(id), map[string]string{"why": why})
	return t.invitationEvent(ctx, storage.InvitationUpdated, id)
}

// endInvitations revokes the open invitations of a user, of everybody where userID is
// empty, that who made them could not make any more: they were deactivated, or have
// another role, or the rules have changed.
func (t *tx) endInvitations(ctx context.Context, by storage.Principal, userID string) error {
	rules, err := t.rules(ctx)
	if err != nil {
		return err
	}
	var rows []invitationRow
	err = t.List(ctx, &rows, selectInvitations+`WHERE i.workspace_no = ? AND (? = '' OR i.created_by = ?) AND i.revoked_at = 0 AND i.expires_at > ? ORDER BY i.id`,
		t.workspaceNo, userID, userID, toMS(t.now))
	if err != nil {
		return err
	}
	for _, row := range rows {
		may := row.MakerDisabledAt == 0 && storage.MayInvite(storage.Principal{UserID: row.CreatedBy, Role: row.MakerRole, Rules: rules}, row.Role)
		if may || row.state(t.now) != storage.InvitationOpen {
			continue
		}
		if err := t.endInvitation(ctx, by, row.ID, "who made it may not invite any more"); err != nil {
			return err
		}
	}
	return nil
}
