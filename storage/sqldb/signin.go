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
		err := t.Get(ctx, &current, `SELECT a.password FROM accounts a JOIN users u ON u.account_id = a.id WHERE u.id = ?`, s.UserID)
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
	_, err = t.Exec(ctx, `UPDATE tokens SET address = ?, agent = ?, device = ?, proved_at = ? WHERE id = ?`, made.Address, made.Agent, device, toMS(proved), made.ID)
	if err != nil || known && made.Method != storage.ByRecovery || s.Notice == nil {
		return err
	}
	return t.tell(ctx, made.UserID, func(to storage.Addressee) (storage.NewJob, error) { return s.Notice(to, *made) })
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
// signs in by is storage.ErrNotFound.
func (db *DB) MailSignIn(ctx context.Context, email string, life time.Duration, mail func(to storage.Addressee, code storage.Token, secret string) (storage.NewJob, error)) error {
	account, err := db.AccountByEmail(ctx, email, "")
	if err == nil && account.UserID == "" {
		err = storage.ErrNotFound
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
