package sqldb

import (
	"context"
	"errors"
	"fmt"

	"hark/storage"
)

// integrationRow is an integration with who made it.
type integrationRow struct {
	memberRow
	Description string
	MadeBy      string `db:"made_by"`
	Maker       string
	MakerNo     int64            `db:"maker_no"`
	MakerKind   storage.UserKind `db:"maker_kind"`
}

const selectIntegrations = `SELECT ` + memberColumns + `, u.description, u.made_by, COALESCE(k.name, '') AS maker, COALESCE(k.no, 0) AS maker_no, COALESCE(k.kind, '') AS maker_kind
	FROM users u LEFT JOIN users k ON k.id = u.made_by AND k.workspace_no = u.workspace_no WHERE u.kind = 'integration' AND u.workspace_no = ? `

func (r integrationRow) integration(workspaceID string) storage.Integration {
	m := r.member(workspaceID)
	i := storage.Integration{User: m.User, Description: r.Description, LastActiveAt: m.LastActiveAt}
	if r.Maker != "" {
		i.CreatedBy = storage.User{ID: r.MadeBy, WorkspaceID: workspaceID, Kind: r.MakerKind, Name: r.Maker, No: r.MakerNo}
	}
	return i
}

// integration finds one of the workspace's.
func (s session) integration(ctx context.Context, workspaceNo int64, id string) (row integrationRow, err error) {
	err = s.Get(ctx, &row, selectIntegrations+`AND u.id = ?`, workspaceNo, id)
	return row, err
}

// managed finds an integration for who may manage it, and that principal as they are now.
// Others get storage.ErrForbidden or, where they do not know everybody, nothing to know of.
func (t *tx) managed(ctx context.Context, principal storage.Principal, id string) (storage.Principal, integrationRow, error) {
	who, err := t.asNow(ctx, principal)
	if err != nil {
		return who, integrationRow{}, err
	}
	row, err := t.integration(ctx, t.workspaceNo, id)
	return who, row, mayManage(who, err)
}

// mayManage is what a principal is answered who asks for an integration, which was found
// unless there is an error.
func mayManage(who storage.Principal, found error) error {
	switch {
	case found != nil:
		return found
	case !storage.MaySeeEveryone(who): // nor may they learn what there is
		return storage.ErrNotFound
	case !storage.MayManageIntegrations(who):
		return errForLeaders
	}
	return nil
}

// CreateIntegration makes an integration, which is put into channels that the principal is
// in; any other is storage.ErrNotFound. [storage.MayManageIntegrations] says who may. A
// workspace has at most [storage.MaxIntegrations] that are active.
func (db *DB) CreateIntegration(ctx context.Context, principal storage.Principal, n storage.NewIntegration) (i storage.Integration, err error) {
	if n, err = storage.CheckIntegration(n); err != nil {
		return i, fmt.Errorf("create integration: %w", err)
	}
	err = db.changeBy(ctx, "create integration", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		if !storage.MayManageIntegrations(who) {
			return errForLeaders
		}
		if err := t.roomForIntegration(ctx, storage.KindIntegration); err != nil {
			return err
		}
		id, err := t.createIntegration(ctx, who, n)
		if err != nil {
			return err
		}
		row, err := t.integration(ctx, t.workspaceNo, id)
		i = row.integration(t.workspaceID)
		return err
	})
	return i, err
}

func (t *tx) createIntegration(ctx context.Context, by storage.Principal, n storage.NewIntegration) (id string, err error) {
	user, err := t.createUser(ctx, n.Name, n.Role)
	if err != nil {
		return "", err
	}
	user.Kind = storage.KindIntegration
	maker := by.UserID
	if by.CredentialID == "" { // a command on the server, which acts as an owner
		maker = ""
	}
	_, err = t.Exec(ctx, `UPDATE users SET kind = ?, description = ?, made_by = ? WHERE id = ?`, user.Kind, n.Description, maker, user.ID)
	if err != nil {
		return "", err
	}
	t.audit(ctx, by, storage.AuditIntegrationCreated, onUser(user.ID), map[string]string{"name": user.Name, "role": string(user.Role)})
	if err := t.joinGeneral(ctx, by, user); err != nil {
		return "", err
	}
	for _, to := range n.ConversationIDs {
		row, err := t.conversation(ctx, t.workspaceNo, by, to)
		if err != nil {
			return "", err
		}
		if row.Kind == storage.Direct {
			return "", &storage.InvalidError{Field: "conversation_ids", Problem: "must be channels: a direct conversation stays between those it was made for"}
		}
		if err := t.putInto(ctx, by, user.ID, to); err != nil {
			return "", err
		}
	}
	return user.ID, t.personEvent(ctx, storage.UserCreated, user)
}

// roomForIntegration fails where the workspace has as many active integrations as it may,
// and another is to be.
func (t *tx) roomForIntegration(ctx context.Context, kind storage.UserKind) error {
	if kind != storage.KindIntegration {
		return nil
	}
	var active int
	err := t.Get(ctx, &active, `SELECT COUNT(*) FROM users WHERE workspace_no = ? AND kind = 'integration' AND disabled_at = 0`, t.workspaceNo)
	if err == nil && active >= storage.MaxIntegrations {
		err = &storage.ForbiddenError{Reason: fmt.Sprintf("A workspace has at most %d active integrations. Deactivate one that is not needed any more.", storage.MaxIntegrations)}
	}
	return err
}

// Integrations returns a page of the workspace's integrations, those that were made last
// first: 50 unless asked otherwise, 200 at the most; those that are deactivated are among
// them. Who may not manage them gets storage.ErrForbidden.
func (db *DB) Integrations(ctx context.Context, principal storage.Principal, page storage.Page) (list []storage.Integration, next string, err error) {
	if !storage.MayManageIntegrations(principal) {
		return nil, "", fmt.Errorf("list integrations: %w", errForLeaders)
	}
	no, seal, err := db.pages(ctx, principal)
	if err != nil {
		return nil, "", err
	}
	name, before := "integrations "+principal.WorkspaceID, int64(1)<<62 // above every number
	if page.Cursor != "" {
		if err := seal.Open(name, page.Cursor, &before); err != nil {
			return nil, "", fmt.Errorf("list integrations: %w", err)
		}
	}
	limit := pageLimit(page, 50, 200)
	var rows []integrationRow
	err = db.read(ctx, "list integrations", func(ctx context.Context, s session) error {
		return s.List(ctx, &rows, selectIntegrations+`AND u.no < ? ORDER BY u.no DESC LIMIT ?`, no, before, limit+1)
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next, err = seal.Close(name, rows[limit-1].No)
	}
	for _, r := range rows {
		list = append(list, r.integration(principal.WorkspaceID))
	}
	return list, next, err
}

// Integration returns one of the workspace's integrations, as [DB.Integrations] does.
func (db *DB) Integration(ctx context.Context, principal storage.Principal, id string) (i storage.Integration, err error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return i, err
	}
	err = db.read(ctx, "read integration", func(ctx context.Context, s session) error {
		row, err := s.integration(ctx, no, id)
		i = row.integration(principal.WorkspaceID)
		return mayManage(principal, err)
	})
	return i, err
}

// ChangeIntegration changes an integration, as [storage.MayManageIntegrations] says.
// Deactivated, it loses its tokens, and all that goes on under them; what it said stays.
func (db *DB) ChangeIntegration(ctx context.Context, principal storage.Principal, id string, patch storage.IntegrationPatch) (i storage.Integration, err error) {
	if patch, err = cleanPatch(patch); err != nil {
		return i, fmt.Errorf("change integration: %w", err)
	}
	err = db.changeBy(ctx, "change integration", principal, func(ctx context.Context, t *tx) error {
		who, row, err := t.managed(ctx, principal, id)
		if err != nil {
			return err
		}
		user := row.user(t.workspaceID)
		told := false
		if patch.Name != nil && *patch.Name != user.Name {
			if user, err = t.rename(ctx, who, user, *patch.Name); err != nil {
				return err
			}
		}
		if patch.Description != nil && *patch.Description != row.Description {
			if _, err := t.Exec(ctx, `UPDATE users SET description = ? WHERE id = ?`, *patch.Description, id); err != nil {
				return err
			}
			t.audit(ctx, who, storage.AuditIntegrationChanged, onUser(id), map[string]string{"name": user.Name, "field": "description"})
			told = true
		}
		if err := t.changeMember(ctx, who, user, patch.MemberPatch); err != nil {
			return err
		}
		if row, err = t.integration(ctx, t.workspaceNo, id); err != nil {
			return err
		}
		i = row.integration(t.workspaceID)
		if !told {
			return nil
		}
		return t.personEvent(ctx, storage.UserUpdated, i.User)
	})
	return i, err
}

func cleanPatch(patch storage.IntegrationPatch) (storage.IntegrationPatch, error) {
	if patch.Name != nil {
		name, err := storage.CleanName(*patch.Name)
		if err != nil {
			return patch, err
		}
		patch.Name = &name
	}
	if patch.Description != nil {
		description, err := storage.CleanDescription(*patch.Description)
		if err != nil {
			return patch, err
		}
		patch.Description = &description
	}
	return patch, nil
}

// CreateIntegrationToken makes an API token for an integration and returns its secret,
// which is not kept. It belongs to the workspace: neither what becomes of the principal nor
// of their credential ends it. So only a signed-in browser may, after a proof of who they
// are (storage.ErrStepUp). Scopes that are left out are [storage.IntegrationScopes]. One
// that is deactivated gets none: storage.ErrForbidden.
func (db *DB) CreateIntegrationToken(ctx context.Context, principal storage.Principal, id string, n storage.NewToken) (storage.Token, string, error) {
	secret := newSecret()
	var token storage.Token
	err := db.changeBy(ctx, "create token of integration", principal, func(ctx context.Context, t *tx) error {
		who, _, err := t.managed(ctx, principal, id)
		if err != nil {
			return err
		}
		account, err := t.accountOf(ctx, principal.UserID)
		if err != nil {
			return err
		}
		err = t.mustProve(ctx, who, account)
		if errors.Is(err, storage.ErrOnlyBrowsers) {
			err = errTokensByBrowsers
		}
		if err != nil {
			return err
		}
		n.MadeWith = ""
		if token, err = t.createToken(ctx, id, secret, n); err != nil {
			return err
		}
		t.auditTokenBy(ctx, who, token, nil)
		return nil
	})
	return token, secret, err
}

// errTokensByBrowsers is the error of a token that would make one of an integration.
var errTokensByBrowsers = &storage.ForbiddenError{Reason: "Only a signed-in browser can make tokens of integrations: they would outlive the token that asks. Make it in Settings, Integrations, or with hark integration token."}

var errIntegrationEnded = &storage.ForbiddenError{Reason: "The integration is deactivated. Activate it first, in Settings, Integrations, or with hark integration enable."}

// roomForToken fails where an integration has as many tokens as it may.
func (t *tx) roomForToken(ctx context.Context, id string) error {
	tokens, err := t.tokensOf(ctx, id, "")
	if err == nil && len(tokens) >= storage.MaxIntegrationTokens {
		err = &storage.ForbiddenError{Reason: fmt.Sprintf("An integration has at most %d tokens. Revoke one that is not needed any more.", storage.MaxIntegrationTokens)}
	}
	return err
}

// IntegrationTokens returns an integration's tokens that are not over, oldest first, as
// [DB.Integration] does.
func (db *DB) IntegrationTokens(ctx context.Context, principal storage.Principal, id string) (tokens []storage.Token, err error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return nil, err
	}
	err = db.read(ctx, "list tokens of integration", func(ctx context.Context, s session) error {
		_, err := s.integration(ctx, no, id)
		if err = mayManage(principal, err); err != nil {
			return err
		}
		tokens, err = s.tokensOf(ctx, id, "")
		return err
	})
	return tokens, err
}

// RevokeIntegrationToken ends a token of an integration, and all that goes on under it.
func (db *DB) RevokeIntegrationToken(ctx context.Context, principal storage.Principal, id, tokenID string) error {
	return db.changeBy(ctx, "revoke token of integration", principal, func(ctx context.Context, t *tx) error {
		who, _, err := t.managed(ctx, principal, id)
		if err != nil {
			return err
		}
		return t.revokeToken(ctx, who, tokenID, id)
	})
}
