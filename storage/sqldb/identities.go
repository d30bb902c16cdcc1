package sqldb

import (
	"cmp"
	"context"
	"errors"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

type identityRow struct {
	ID         string
	UserID     string `db:"user_id"`
	Issuer     string
	Subject    string
	Email      string
	LinkedAt   int64 `db:"linked_at"`
	LastUsedAt int64 `db:"last_used_at"`
}

const selectIdentities = `SELECT i.id, i.user_id, i.issuer, i.subject, i.email, i.linked_at, i.last_used_at FROM identities i `

func (r identityRow) identity() storage.Identity {
	return storage.Identity{ID: r.ID, Issuer: r.Issuer, Subject: r.Subject, Email: r.Email, LinkedAt: fromMS(r.LinkedAt), LastUsedAt: fromMS(r.LastUsedAt)}
}

// identitiesOf are those that a user is linked to, the first linked first.
func (s session) identitiesOf(ctx context.Context, userID string) (rows []identityRow, err error) {
	err = s.List(ctx, &rows, selectIdentities+`WHERE i.user_id = ? ORDER BY i.linked_at, i.id`, userID)
	return rows, err
}

// Identities returns those that the principal is linked to, the first linked first.
func (db *DB) Identities(ctx context.Context, principal storage.Principal) (list []storage.Identity, err error) {
	err = db.read(ctx, "list identities", func(ctx context.Context, s session) error {
		rows, err := s.identitiesOf(ctx, principal.UserID)
		for _, r := range rows {
			list = append(list, r.identity())
		}
		return err
	})
	return list, err
}

// identity finds the one of the workspace that a provider vouches for.
func (t *tx) identity(ctx context.Context, v storage.Vouched) (row identityRow, err error) {
	err = t.Get(ctx, &row, selectIdentities+`WHERE i.workspace_no = ? AND i.issuer = ? AND i.subject = ?`, t.workspaceNo, clean(v.Issuer), clean(v.Subject))
	return row, err
}

// newcomer is who comes from a provider: a user, and whether they have just become one.
type newcomer struct {
	invited
	identity identityRow
	isNew    bool // has just become a user
	linked   bool // was a user, and is linked now
}

// signInVouched makes a session of whom a provider vouches for. Whose identity is linked
// to nobody is linked to whom an identity provider made with the external id that this one
// vouches for, or becomes a user where they may, by an invitation or by themselves; else that
// is storage.ErrNoUser or, where another user of the workspace signs in by their address,
// storage.ErrEmailInUse: nobody is linked by an address alone. An invitation may be over
// ([storage.InvitationError]), and a user storage.ErrDeactivated. The groups that the
// provider names change the role, but never take the last owner away.
func (db *DB) signInVouched(ctx context.Context, secret string, s storage.SignIn) (made storage.Token, err error) {
	v := *s.Vouched
	err = db.change(ctx, "sign in by provider", v.WorkspaceID, func(ctx context.Context, t *tx) error {
		who, err := t.arrive(ctx, v)
		if err != nil {
			return err
		}
		made, err = t.createToken(ctx, who.user.ID, secret, storage.NewToken{
			Kind: storage.SessionToken, Name: cmp.Or(s.Name, v.Provider), Life: s.Life, Method: storage.ByProvider,
		})
		if err != nil {
			return err
		}
		if err := t.markSession(ctx, s, &made); err != nil {
			return err
		}
		if err := t.settle(ctx, v, who, made); err != nil {
			return err
		}
		_, err = t.Exec(ctx, `INSERT INTO provider_sessions (token_id, identity_id, provider, id_token) VALUES (?, ?, ?, ?)`,
			made.ID, who.identity.ID, v.Provider, clean(v.IDToken))
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `UPDATE identities SET email = ?, last_used_at = ? WHERE id = ?`, clean(v.Email), toMS(t.now), who.identity.ID)
		return err
	})
	return made, err
}

// arrive finds whom a provider vouches for, or makes a user of them.
func (t *tx) arrive(ctx context.Context, v storage.Vouched) (who newcomer, err error) {
	who.identity, err = t.identity(ctx, v)
	if err == nil {
		if who.user, err = t.user(ctx, who.identity.UserID); err == nil && who.user.Disabled {
			err = storage.ErrDeactivated
		}
		return who, err
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return who, err
	}
	if who.user, err = t.provisionedAs(ctx, v.ExternalID); err == nil {
		who.linked = true
		who.identity, err = t.insertIdentity(ctx, who.user.ID, v)
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return who, err
	}
	who.isNew = true
	if err := t.mayArrive(ctx, v); err != nil {
		return who, err
	}
	if v.Invitation != "" {
		who.invited, err = t.useInvitation(ctx, v.Invitation, v.Name)
	} else {
		who.user, err = t.createUser(ctx, v.Name, storage.RoleAfter(v.Roles.Otherwise, v.Roles))
	}
	if err == nil {
		who.identity, err = t.insertIdentity(ctx, who.user.ID, v)
	}
	return who, err
}

// provisionedAs finds the one user of an external id, of those whom an identity provider
// made and who have no way in of their own yet: who has one links others themselves.
func (t *tx) provisionedAs(ctx context.Context, externalID string) (storage.User, error) {
	var rows []provisionedRow
	if externalID == "" {
		return storage.User{}, storage.ErrNotFound
	}
	err := t.List(ctx, &rows, `SELECT `+personColumns+fromPersons+` AND p.removed_at = 0 AND p.external_id = ? LIMIT 2`, t.workspaceNo, clean(externalID))
	if err != nil {
		return storage.User{}, err
	}
	if len(rows) != 1 || !rows[0].Made {
		return storage.User{}, storage.ErrNotFound
	}
	if rows[0].Disabled {
		return storage.User{}, storage.ErrDeactivated
	}
	account, err := t.accountOf(ctx, rows[0].ID)
	if err == nil && account.Ways > 0 {
		err = storage.ErrNotFound
	}
	return rows[0].user(t.workspaceID), err
}

// mayArrive fails where an identity that is linked to nobody makes no user. An address
// that the provider did not verify tells a stranger nothing of who is here.
func (t *tx) mayArrive(ctx context.Context, v storage.Vouched) error {
	joins := v.MayJoin || v.Invitation != ""
	if v.Email != "" && (v.EmailVerified || joins) {
		var disabled []bool
		err := t.List(ctx, &disabled, `SELECT u.disabled_at > 0 FROM accounts a JOIN users u ON u.account_id = a.id WHERE a.email_key = ? AND u.workspace_no = ?`,
			clean(storage.EmailKey(v.Email)), t.workspaceNo)
		switch {
		case err != nil:
			return err
		case len(disabled) > 0 && disabled[0]:
			return storage.ErrDeactivated
		case len(disabled) > 0:
			return storage.ErrEmailInUse
		}
	}
	if !joins {
		return storage.ErrNoUser
	}
	return nil
}

// settle records that somebody came in, puts who is new where they belong, and gives
// them the role that their groups have.
func (t *tx) settle(ctx context.Context, v storage.Vouched, who newcomer, session storage.Token) error {
	by := storage.Principal{UserID: who.user.ID, UserName: who.user.Name, CredentialID: session.ID}
	if !who.isNew {
		if who.linked {
			t.audit(ctx, by, storage.AuditIdentityLinked, onUser(who.user.ID), linkDetails(v))
		}
		if err := t.auditSignIn(ctx, session, v.Provider); err != nil {
			return err
		}
		return t.followGroups(ctx, by, v, who.user)
	}
	if _, err := t.welcome(ctx, who.invited, session, v.Provider); err != nil {
		return err
	}
	t.audit(ctx, by, storage.AuditIdentityLinked, onUser(who.user.ID), linkDetails(v))
	if err := t.followGroups(ctx, by, v, who.user); err != nil {
		return err
	}
	return t.takeEmail(ctx, by, v)
}

func linkDetails(v storage.Vouched) map[string]string {
	return map[string]string{"provider": v.Provider, "issuer": v.Issuer}
}

func (t *tx) followGroups(ctx context.Context, by storage.Principal, v storage.Vouched, user storage.User) error {
	role := storage.RoleAfter(user.Role, v.Roles)
	if role == user.Role {
		return nil
	}
	_, err := t.setRole(ctx, by, user, role, "groups of provider "+v.Provider)
	if errors.Is(err, storage.ErrLastOwner) {
		return nil
	}
	return err
}

// takeEmail gives a new user the address that a provider verified, unless somebody
// signs in by it in another workspace.
func (t *tx) takeEmail(ctx context.Context, by storage.Principal, v storage.Vouched) error {
	if !v.EmailVerified || storage.CheckEmail(v.Email) != nil {
		return nil
	}
	var taken int
	err := t.Get(ctx, &taken, `SELECT COUNT(*) FROM accounts WHERE email_key = ?`, clean(storage.EmailKey(v.Email)))
	if err != nil || taken > 0 {
		return err
	}
	if err := t.writeAccount(ctx, &accountRow{Email: v.Email, UserID: by.UserID}); err != nil {
		return err
	}
	t.audit(ctx, by, storage.AuditEmailChanged, onUser(by.UserID), map[string]string{"change": "set"})
	return nil
}

func (t *tx) insertIdentity(ctx context.Context, userID string, v storage.Vouched) (identityRow, error) {
	row := identityRow{ID: storage.NewID(), UserID: userID, Issuer: clean(v.Issuer), Subject: clean(v.Subject), Email: clean(v.Email), LinkedAt: toMS(t.now)}
	_, err := t.Exec(ctx, `INSERT INTO identities (id, workspace_no, user_id, issuer, subject, email, linked_at) VALUES `+conn.Tuples(1, 7),
		row.ID, t.workspaceNo, row.UserID, row.Issuer, row.Subject, row.Email, row.LinkedAt)
	return row, err
}

// LinkIdentity links an identity to the principal, who signs in by it from then on. One
// that is another user's is storage.ErrConflict; see [storage.MayChangeAccount] and
// storage.ErrStepUp for who may not.
func (db *DB) LinkIdentity(ctx context.Context, principal storage.Principal, v storage.Vouched) error {
	return db.changeBy(ctx, "link identity", principal, func(ctx context.Context, t *tx) error {
		account, err := t.holdAccount(ctx, principal.UserID)
		if err != nil {
			return err
		}
		if err := t.mustProve(ctx, principal, account); err != nil {
			return err
		}
		have, err := t.identity(ctx, v)
		if err == nil && have.UserID != principal.UserID {
			return storage.ErrConflict
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if _, err := t.insertIdentity(ctx, principal.UserID, v); err != nil {
			return err
		}
		t.audit(ctx, principal, storage.AuditIdentityLinked, onUser(principal.UserID), linkDetails(v))
		return nil
	})
}

// UnlinkIdentity has the principal sign in by an identity no more, and ends their other
// sessions that began by it. Where they would have no way in any more it fails with
// storage.ErrLastWayIn; byMail says whether links can be mailed. See
// [storage.MayChangeAccount] and storage.ErrStepUp for who may not.
func (db *DB) UnlinkIdentity(ctx context.Context, principal storage.Principal, id string, byMail bool) error {
	return db.changeBy(ctx, "unlink identity", principal, func(ctx context.Context, t *tx) error {
		var row identityRow
		if err := t.Get(ctx, &row, selectIdentities+`WHERE i.id = ? AND i.user_id = ?`, id, principal.UserID); err != nil {
			return err
		}
		account, err := t.holdAccount(ctx, principal.UserID)
		if err != nil {
			return err
		}
		if err := t.mustProve(ctx, principal, account); err != nil {
			return err
		}
		if err := account.mayRemoveWay(byMail); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, `DELETE FROM identities WHERE id = ?`, id); err != nil {
			return err
		}
		ended, err := t.Exec(ctx, `UPDATE tokens SET ended_at = ? WHERE ended_at = 0 AND id <> ? AND id IN (SELECT token_id FROM provider_sessions WHERE identity_id = ?)`,
			toMS(t.now), principal.CredentialID, id)
		if err != nil {
			return err
		}
		t.audit(ctx, principal, storage.AuditIdentityUnlinked, onUser(principal.UserID), map[string]string{"issuer": row.Issuer, "ended": number(ended)})
		return nil
	})
}

// ProveByIdentity notes that the principal proved who they are to a provider. It fails
// with storage.ErrConflict where the identity is not theirs.
func (db *DB) ProveByIdentity(ctx context.Context, principal storage.Principal, v storage.Vouched) error {
	if v.ProvedAt.IsZero() {
		return storage.ErrNoAuthTime
	}
	return db.changeBy(ctx, "prove identity", principal, func(ctx context.Context, t *tx) error {
		have, err := t.identity(ctx, v)
		if errors.Is(err, storage.ErrNotFound) || err == nil && have.UserID != principal.UserID {
			return storage.ErrConflict
		}
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `UPDATE tokens SET proved_at = ? WHERE id = ?`, toMS(t.provedAt(v.ProvedAt)), principal.CredentialID)
		return err
	})
}

// provedAt is when somebody proved who they are, as a provider says, by our clock:
// theirs may be ahead. Where it does not say, it is now.
func (t *tx) provedAt(said time.Time) time.Time {
	if said.IsZero() || said.After(t.now) {
		return t.now
	}
	return said
}

// ProviderSession returns the provider's session under which the principal's began;
// storage.ErrNotFound of one that began otherwise.
func (db *DB) ProviderSession(ctx context.Context, principal storage.Principal) (p storage.ProviderSession, err error) {
	err = db.read(ctx, "find session of provider", func(ctx context.Context, s session) error {
		var row struct {
			Provider string
			IDToken  string `db:"id_token"`
		}
		err := s.Get(ctx, &row, `SELECT provider, id_token FROM provider_sessions WHERE token_id = ?`, principal.CredentialID)
		p = storage.ProviderSession(row)
		return err
	})
	return p, err
}
