package sqldb

import (
	"cmp"
	"context"
	"errors"
	"time"

	"hark/storage"
)

// SignIn makes a session of what somebody brings, whichever way they come in, and
// records it. A code that never was, or a password or passkey that is not theirs any
// more, is storage.ErrNotFound; a link or a challenge that is used up or has run out
// storage.ErrExpired. A recovery code that was used is as one that never was. Of who
// comes from a provider see [DB.signInVouched].
func (db *DB) SignIn(ctx context.Context, s storage.SignIn) (made storage.Token, _ string, err error) {
	secret := newSecret()
	if s.Vouched != nil {
		made, err = db.signInVouched(ctx, secret, s)
		return made, secret, err
	}
	userID, err := db.signsIn(ctx, s)
	if err == nil && s.Code == "" { // which is one user's
		userID, err = db.signsInAs(ctx, userID, s.Wanted)
	}
	if err != nil {
		return made, "", err
	}
	err = db.changeOf(ctx, "sign in", userID, func(ctx context.Context, t *tx) error {
		proof, err := t.takeProof(ctx, userID, s)
		if err != nil {
			return err
		}
		made, err = t.createToken(ctx, userID, secret, storage.NewToken{
			Kind: storage.SessionToken, Name: cmp.Or(s.Name, proof.Name), Life: s.Life, Method: cmp.Or(proof.Method, storage.ByLink),
		})
		if errors.Is(err, errDisabled) {
			err = storage.ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := t.markSession(ctx, s, &made); err != nil {
			return err
		}
		return t.auditSignIn(ctx, made, "")
	})
	return made, secret, err
}

// signsIn is who signs in by what somebody brings.
func (db *DB) signsIn(ctx context.Context, s storage.SignIn) (userID string, err error) {
	if s.Code == "" && s.RecoveryCode == "" {
		return s.UserID, nil
	}
	err = db.read(ctx, "find whom a sign-in is for", func(ctx context.Context, r session) error {
		if s.Code == "" {
			return r.Get(ctx, &userID, `SELECT user_id FROM recovery_codes WHERE hash = ?`, hashSecret(s.RecoveryCode))
		}
		return r.Get(ctx, &userID, `SELECT user_id FROM tokens WHERE hash = ? AND kind = ?`, hashSecret(s.Code), storage.SignInToken)
	})
	return userID, err
}

// signsInAs is as which user a person signs in who is a user: of those who are not disabled
// the one who sees the conversation or the message that is wanted, or was signed in last,
// or the first; storage.ErrNotFound where there is none.
func (db *DB) signsInAs(ctx context.Context, userID, wanted string) (as string, err error) {
	err = db.read(ctx, "find as whom to sign in", func(ctx context.Context, s session) error {
		return s.Get(ctx, &as, `SELECT u.id FROM users u LEFT JOIN accounts a ON a.id = u.account_id WHERE u.disabled_at = 0 AND u.id IN `+ofPerson+`
			ORDER BY CASE WHEN EXISTS (SELECT 1 FROM conversation_members m WHERE m.user_id = u.id
					AND m.conversation_id IN (?, (SELECT conversation_id FROM messages WHERE id = ?))) THEN 0 ELSE 1 END,
				CASE WHEN u.id = a.last_user_id THEN 0 ELSE 1 END, u.created_at, u.id LIMIT 1`, userID, userID, wanted, wanted)
	})
	return as, err
}

// takeProof uses up a code or a challenge, or finds the password to be the one that was
// checked.
func (t *tx) takeProof(ctx context.Context, userID string, s storage.SignIn) (proof tokenRow, err error) {
	switch {
	case s.RecoveryCode != "":
		return tokenRow{Method: storage.ByRecovery}, t.useRecoveryCode(ctx, userID, s.RecoveryCode)
	case s.Passkey != nil:
		return tokenRow{Method: storage.ByPasskey}, t.usePasskey(ctx, userID, *s.Passkey)
	case s.Code == "":
		var current string
		err := t.Get(ctx, &current, `SELECT a.password FROM accounts a JOIN users u ON u.account_id = a.id WHERE u.id = ?`, userID)
		if err == nil && (current == "" || current != s.PasswordHash) {
			err = storage.ErrNotFound
		}
		return tokenRow{Method: storage.ByPassword}, err
	}
	err = t.Get(ctx, &proof, t.ForUpdate(`SELECT `+tokenColumns+` FROM tokens t WHERE t.hash = ? AND t.kind = ?`), hashSecret(s.Code), storage.SignInToken)
	if err != nil {
		return proof, err
	}
	if proof.over(t.now) {
		return proof, storage.ErrExpired
	}
	_, err = t.Exec(ctx, `UPDATE tokens SET ended_at = ?, last_used_at = ? WHERE id = ?`, toMS(t.now), toMS(t.now), proof.ID)
	return proof, err
}

// markSession notes where a new session is from. A browser that the user was not
// known by is told them, where they have an address, and so is a recovery code that
// was used.
func (t *tx) markSession(ctx context.Context, s storage.SignIn, made *storage.Token) error {
	made.Address, made.Agent = origin(ctx)
	known, err := t.knowsDevice(ctx, made.UserID, s.Device)
	if err != nil {
		return err
	}
	device := ""
	if s.Device != "" {
		device = hashSecret(s.Device)
	}
	proved := t.now
	if s.Vouched != nil {
		proved = t.provedAt(s.Vouched.ProvedAt)
	}
	proof := proofRow{ProvedAt: toMS(proved)}
	if made.Method.OfPerson() {
		proof.OwnProvedAt = proof.ProvedAt
	}
	if err := t.writeOrigin(ctx, *made, device, proof); err != nil {
		return err
	}
	if err = t.signedIn(ctx, made.UserID); err != nil || known && made.Method != storage.ByRecovery && made.Method != storage.ByAdmin || s.Notice == nil {
		return err
	}
	return t.tell(ctx, made.UserID, func(to storage.Addressee) (storage.NewJob, error) { return s.Notice(to, *made) })
}

// writeOrigin writes of a session from where it is, and when who has it proved who they are.
func (t *tx) writeOrigin(ctx context.Context, session storage.Token, device string, proof proofRow) error {
	_, err := t.Exec(ctx, `UPDATE tokens SET address = ?, agent = ?, device = ?, proved_at = ?, own_proved_at = ? WHERE id = ?`,
		session.Address, session.Agent, device, proof.ProvedAt, proof.OwnProvedAt, session.ID)
	return err
}

// signedIn notes as which of their users a person was signed in last.
func (t *tx) signedIn(ctx context.Context, userID string) error {
	_, err := t.Exec(ctx, `UPDATE accounts SET last_user_id = ? WHERE id = (SELECT account_id FROM users WHERE id = ?)`, userID, userID)
	return err
}

// tell adds the job that tells a user something by mail, which notice makes of their
// address, where they have one.
func (t *tx) tell(ctx context.Context, userID string, notice storage.Notice) error {
	if notice == nil {
		return nil
	}
	var to storage.Addressee
	err := t.Get(ctx, &to, `SELECT a.email, u.language FROM accounts a JOIN users u ON u.account_id = a.id WHERE u.id = ?`, userID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	job, err := notice(to)
	if err != nil {
		return err
	}
	return t.job(ctx, job)
}

// auditSignIn records that a user has a session from now on, and by which provider, if
// by any.
func (t *tx) auditSignIn(ctx context.Context, session storage.Token, provider string) error {
	user, err := t.user(ctx, session.UserID)
	if err != nil {
		return err
	}
	who := storage.Principal{UserID: user.ID, UserName: user.Name, CredentialID: session.ID}
	t.audit(ctx, who, storage.AuditSignIn, onToken(session.ID), map[string]string{"method": string(session.Method), "provider": provider})
	return nil
}

// MailSignIn makes a one-time code for who has an address, and adds the job that
// mails it, which mail makes of the secret. An address that nobody
// signs in by is storage.ErrNotFound. wanted is as in [storage.SignIn].
func (db *DB) MailSignIn(ctx context.Context, email, wanted string, life time.Duration, mail func(to storage.Addressee, code storage.Token, secret string) (storage.NewJob, error)) error {
	account, err := db.AccountByEmail(ctx, email, "")
	if err == nil {
		account.UserID, err = db.signsInAs(ctx, account.UserID, wanted)
	}
	if err != nil {
		return err
	}
	secret := newSecret()
	return db.changeOf(ctx, "mail sign-in", account.UserID, func(ctx context.Context, t *tx) error {
		code, err := t.createToken(ctx, account.UserID, secret, storage.NewToken{Kind: storage.SignInToken, Name: "mail", Life: life, Method: storage.ByMail})
		if err != nil {
			return err
		}
		if err := t.auditToken(ctx, code, "", nil); err != nil {
			return err
		}
		return t.tell(ctx, account.UserID, func(to storage.Addressee) (storage.NewJob, error) { return mail(to, code, secret) })
	})
}

// OnlyWorkspace returns the workspace that signing in leads to where there is one
// alone; storage.ErrNotFound of none or several.
func (db *DB) OnlyWorkspace(ctx context.Context) (storage.Workspace, error) {
	var row workspaceRow
	err := db.read(ctx, "find the only workspace", func(ctx context.Context, s session) error {
		return s.Get(ctx, &row, `SELECT no, id, name, created_at FROM workspaces WHERE (SELECT COUNT(*) FROM workspaces) = 1`)
	})
	return row.workspace(), err
}

// SamePerson says whether two users are one person: they are one user, or have one account.
func (db *DB) SamePerson(ctx context.Context, userID, otherID string) (same bool, err error) {
	err = db.read(ctx, "compare users", func(ctx context.Context, s session) error {
		return s.Get(ctx, &same, `SELECT EXISTS (SELECT 1 FROM users u WHERE u.id = ? AND u.id IN `+ofPerson+`)`, otherID, userID, userID)
	})
	return same, err
}

// JoinedWorkspaces are the workspaces that the principal's person is in, those too where they
// were deactivated, in the order of joining.
func (db *DB) JoinedWorkspaces(ctx context.Context, principal storage.Principal) (list []storage.JoinedWorkspace, err error) {
	var rows []struct {
		ID, Name string
		UserID   string `db:"user_id"`
		Role     storage.Role
		Disabled bool
	}
	err = db.read(ctx, "list workspaces of a person", func(ctx context.Context, s session) error {
		return s.List(ctx, &rows, `SELECT w.id, w.name, u.id AS user_id, u.role, u.disabled_at > 0 AS disabled FROM users u JOIN workspaces w ON w.no = u.workspace_no
			WHERE u.id IN `+ofPerson+` ORDER BY u.created_at, u.id`, principal.UserID, principal.UserID)
	})
	for _, r := range rows {
		list = append(list, storage.JoinedWorkspace{Workspace: storage.Workspace{ID: r.ID, Name: r.Name}, UserID: r.UserID, Role: r.Role, Disabled: r.Disabled})
	}
	return list, err
}

// Switch ends the session that the principal came with, and makes one of the same person in
// another workspace, which ends when that would have. How it began goes with it, and when
// they proved by a way of their own who they are. A workspace that they are not in, or not
// any more, is storage.ErrNotFound; a session that is over already storage.ErrSignedOut, so
// that of two switches at once one is made; and one in which nothing but a provider or an
// invitation says who they are storage.ErrOwnProof. Neither workspace learns of the other:
// one records a sign-out, the other a sign-in. See [storage.MaySwitch] for who may not.
func (db *DB) Switch(ctx context.Context, principal storage.Principal, workspaceID string) (made storage.Token, secret string, err error) {
	secret = newSecret()
	err = db.changeBoth(ctx, "switch workspace", principal.WorkspaceID, workspaceID, func(ctx context.Context, here, there *tx) error {
		before, err := here.sessionToLeave(ctx, principal)
		if err != nil {
			return err
		}
		var userID string
		err = there.Get(ctx, &userID, `SELECT u.id FROM users u WHERE u.workspace_no = ? AND u.disabled_at = 0 AND u.id IN `+ofPerson, there.workspaceNo, principal.UserID, principal.UserID)
		if err != nil {
			return err
		}
		made, err = there.takeOver(ctx, before, userID, secret)
		if err != nil {
			return err
		}
		if err := here.leaveSession(ctx, principal, before); err != nil {
			return err
		}
		return there.auditSignIn(ctx, made, "")
	})
	if err != nil {
		return storage.Token{}, "", err
	}
	return made, secret, nil
}

// leavingSession is a session that goes on as one in another workspace.
type leavingSession struct {
	tokenRow
	Device      string
	OwnProvedAt int64 `db:"own_proved_at"`
}

// sessionToLeave is the session that a principal came with, which nobody else ends now.
func (t *tx) sessionToLeave(ctx context.Context, principal storage.Principal) (row leavingSession, err error) {
	err = t.Get(ctx, &row, t.ForUpdate(`SELECT `+tokenColumns+`, t.device, t.own_proved_at FROM tokens t WHERE t.id = ? AND t.user_id = ?`), principal.CredentialID, principal.UserID)
	switch {
	case err != nil:
		return row, err
	case !storage.MaySwitch(principal, row.Kind):
		return row, storage.ErrOnlyBrowsersSwitch
	case row.over(t.now):
		return row, storage.ErrSignedOut
	case row.OwnProvedAt == 0 && !row.Method.OfPerson():
		return row, storage.ErrOwnProof
	}
	return row, nil
}

// leaveSession ends a session that goes on elsewhere.
func (t *tx) leaveSession(ctx context.Context, principal storage.Principal, before leavingSession) error {
	_, err := t.Exec(ctx, `UPDATE tokens SET ended_at = ? WHERE id = ?`, toMS(t.now), before.ID)
	t.audit(ctx, principal, storage.AuditSignOut, onToken(before.ID), nil)
	return err
}

// takeOver makes a session of a user's that goes on for one of another workspace.
func (t *tx) takeOver(ctx context.Context, before leavingSession, userID, secret string) (storage.Token, error) {
	n := storage.NewToken{Kind: storage.SessionToken, Name: before.Name, Method: before.Method}
	if before.ExpiresAt > 0 {
		n.Life = fromMS(before.ExpiresAt).Sub(t.now)
	}
	made, err := t.createToken(ctx, userID, secret, n)
	if err != nil {
		return made, err
	}
	made.Address, made.Agent = origin(ctx)
	if err := t.writeOrigin(ctx, made, before.Device, proofRow{before.OwnProvedAt, before.OwnProvedAt}); err != nil {
		return made, err
	}
	// Signing out ends the provider's session too, whichever workspace one is in.
	_, err = t.Exec(ctx, `INSERT INTO provider_sessions (token_id, identity_id, provider, id_token)
		SELECT CAST(? AS TEXT), identity_id, provider, id_token FROM provider_sessions WHERE token_id = ?`, made.ID, before.ID)
	if err != nil {
		return made, err
	}
	return made, t.signedIn(ctx, userID)
}
