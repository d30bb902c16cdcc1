package sqldb

import (
	"cmp"
	"context"
	"errors"
	"time"

	"hark/storage"
)

type accountRow struct {
	ID        string
	Email     string
	Password  string
	CreatedAt int64  `db:"created_at"`
	UserID    string `db:"user_id"`
	Ways      int    // in, of the user: see waysIn
	Passkeys  int    // of the person
	Recovery  int    // codes that they have left
	Linked    int    // identities of the user
	Elsewhere bool   // whether the person is in other workspaces too, or was and may be let in again
}

func (r accountRow) account() storage.Account {
	return storage.Account{
		ID: r.ID, Email: r.Email, PasswordHash: r.Password, CreatedAt: fromMS(r.CreatedAt), UserID: r.UserID,
		Ways: r.Ways, Passkeys: r.Passkeys, RecoveryCodes: r.Recovery,
	}
}

// AccountByEmail returns the account of an address, for who signs in by it in the
// browser that device marks; storage.ErrNotFound where there is none.
func (db *DB) AccountByEmail(ctx context.Context, email, device string) (a storage.Account, err error) {
	err = db.read(ctx, "find account", func(ctx context.Context, s session) error {
		var row accountRow
		err := s.Get(ctx, &row, `SELECT a.id, a.email, a.password, a.created_at, COALESCE(u.id, '') AS user_id
			FROM accounts a LEFT JOIN users u ON u.account_id = a.id AND u.disabled_at = 0
			WHERE a.email_key = ? ORDER BY CASE WHEN u.id = a.last_user_id THEN 0 ELSE 1 END, u.created_at, u.id LIMIT 1`, clean(storage.EmailKey(email)))
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		a = row.account()
		known, knownErr := s.knowsDevice(ctx, a.UserID, device) // of nobody too: it takes as long
		a.KnownDevice = known
		return errors.Join(err, knownErr)
	})
	return a, err
}

// ofPerson is which users are the person that a user is, given by their id twice: those
// of their account or, where they have none, the user alone.
const ofPerson = `(SELECT s.id FROM users s WHERE s.id = ? OR s.account_id = (SELECT o.account_id FROM users o WHERE o.id = ?))`

// samePerson is ofPerson of a user u.
const samePerson = `(SELECT s.id FROM users s WHERE s.id = u.id OR s.account_id = u.account_id)`

// elsewhere is whether the person that a user u is is in other workspaces too.
const elsewhere = `EXISTS (SELECT 1 FROM users e WHERE e.account_id = u.account_id AND e.id <> u.id AND e.disabled_at = 0)`

// everElsewhere is elsewhere with the workspaces in which they are deactivated: let in again,
// they get in by what they have by then.
const everElsewhere = `EXISTS (SELECT 1 FROM users e WHERE e.account_id = u.account_id AND e.id <> u.id)`

// knowsDevice says whether a person signed in before from the browser that device marks.
func (s session) knowsDevice(ctx context.Context, userID, device string) (bool, error) {
	if device == "" {
		return false, nil
	}
	var known int
	err := s.Get(ctx, &known, `SELECT COUNT(*) FROM tokens WHERE user_id IN `+ofPerson+` AND device = ?`, userID, userID, hashSecret(device))
	return known > 0, err
}

// Account returns the principal's account, and how long their credential needs no
// further proof; empty where they have none.
func (db *DB) Account(ctx context.Context, principal storage.Principal) (a storage.Account, err error) {
	err = db.read(ctx, "read account", func(ctx context.Context, s session) error {
		row, err := s.accountOf(ctx, principal.UserID)
		if err != nil {
			return err
		}
		a = row.account()
		var proof struct {
			proofRow
			Now int64
		}
		err = s.Get(ctx, &proof, `SELECT proved_at, own_proved_at, `+s.NowSQL()+` AS now FROM tokens WHERE id = ?`, principal.CredentialID)
		if until := proof.at(row).Add(storage.ProofLife); until.After(fromMS(proof.Now)) {
			a.ProvedUntil = until
		}
		if err != nil {
			return err
		}
		a.Waiting, err = s.emailWaiting(ctx, `ec.user_id IN `+ofPerson, principal.UserID, principal.UserID)
		return notThere(err)
	})
	return a, err
}

// waysIn is how many ways a user u, whose account is a, has to sign in and to prove who
// they are, as storage.Account.Ways counts them.
const waysIn = `(CASE WHEN COALESCE(a.password, '') <> '' THEN 1 ELSE 0 END + ` + passkeysOf + ` + ` + linkedOf + `)`

const (
	passkeysOf = `(SELECT COUNT(*) FROM passkeys p WHERE p.user_id IN ` + samePerson + `)`
	linkedOf   = `(SELECT COUNT(*) FROM identities i WHERE i.user_id = u.id)`
)

// accountOf is the account of a user, without an id where they have none.
func (s session) accountOf(ctx context.Context, userID string) (row accountRow, err error) {
	err = s.Get(ctx, &row, `SELECT COALESCE(a.id, '') AS id, COALESCE(a.email, '') AS email, COALESCE(a.password, '') AS password, COALESCE(a.created_at, 0) AS created_at, u.id AS user_id, `+waysIn+` AS ways,
			`+passkeysOf+` AS passkeys, (SELECT COUNT(*) FROM recovery_codes r WHERE r.user_id IN `+samePerson+`) AS recovery,
			`+linkedOf+` AS linked, `+everElsewhere+` AS elsewhere
		FROM users u LEFT JOIN accounts a ON a.id = u.account_id WHERE u.id = ?`, userID)
	if errors.Is(err, storage.ErrNotFound) {
		return accountRow{UserID: userID}, nil
	}
	return row, err
}

// holdAccount keeps others from changing how a user signs in until the transaction
// ends, and returns their account.
func (t *tx) holdAccount(ctx context.Context, userID string) (accountRow, error) {
	if err := t.holdUser(ctx, userID); err != nil {
		return accountRow{}, err
	}
	if _, err := t.Exec(ctx, `UPDATE accounts SET email = email WHERE id = (SELECT account_id FROM users WHERE id = ?)`, userID); err != nil {
		return accountRow{}, err
	}
	return t.accountOf(ctx, userID)
}

// proofRow is when somebody last proved with a session who they are, 0 for never: by any way,
// and by one that is their own ([storage.SignInMethod.OfPerson]).
type proofRow struct {
	ProvedAt    int64 `db:"proved_at"`
	OwnProvedAt int64 `db:"own_proved_at"`
}

// at is when they proved it as far as that is enough to change how they sign in: what gets
// them into other workspaces too, no provider of one can vouch for.
func (r proofRow) at(account accountRow) time.Time {
	if account.Elsewhere {
		return fromMS(r.OwnProvedAt)
	}
	return fromMS(r.ProvedAt)
}

// mustProve fails with storage.ErrStepUp unless who asks proved who they are, or signed
// in, not long ago. Who has no way in of their own cannot be asked for it: it does then that
// they came by one.
func (t *tx) mustProve(ctx context.Context, principal storage.Principal, account accountRow) error {
	proof, err := t.inBrowser(ctx, principal)
	if err != nil || account.Ways == 0 && (!account.Elsewhere || proof.OwnProvedAt > 0) || !t.now.After(proof.at(account).Add(storage.ProofLife)) {
		return err
	}
	if account.Elsewhere {
		return storage.ErrOwnProof
	}
	return storage.ErrStepUp
}

// mayRemovePasskey fails with storage.ErrLastWayIn where one passkey less leaves somebody no
// way in, here or in another of their workspaces, into which no identity of here is one.
func (r accountRow) mayRemovePasskey(byMail bool) error {
	if r.Elsewhere {
		r.Ways -= r.Linked
	}
	return r.mayRemoveWay(byMail)
}

// mayRemoveWay fails with storage.ErrLastWayIn where one way in less leaves somebody none;
// byMail says whether links can be mailed.
func (r accountRow) mayRemoveWay(byMail bool) error {
	if r.Ways > 1 || byMail && r.Email != "" {
		return nil
	}
	return storage.ErrLastWayIn
}

// inBrowser fails unless who asks does so in a browser that they signed in, and returns
// when they last proved there who they are.
func (t *tx) inBrowser(ctx context.Context, principal storage.Principal) (proofRow, error) {
	var row struct {
		Kind storage.TokenKind
		proofRow
	}
	err := t.Get(ctx, &row, `SELECT kind, proved_at, own_proved_at FROM tokens WHERE id = ? AND user_id = ?`, principal.CredentialID, principal.UserID)
	if err == nil && !storage.MayChangeAccount(principal, row.Kind) {
		err = storage.ErrOnlyBrowsers
	}
	return row.proofRow, err
}

// Prove notes that the principal gave the password which a hash of is kept. It fails
// with storage.ErrConflict where that is not the account's any more.
func (db *DB) Prove(ctx context.Context, principal storage.Principal, passwordHash string) error {
	return db.changeBy(ctx, "prove identity", principal, func(ctx context.Context, t *tx) error {
		account, err := t.accountOf(ctx, principal.UserID)
		if err != nil {
			return err
		}
		if account.Password == "" || account.Password != passwordHash {
			return storage.ErrConflict
		}
		return t.proved(ctx, principal)
	})
}

// proved notes that the principal proved just now who they are, by a way of their own.
func (t *tx) proved(ctx context.Context, principal storage.Principal) error {
	_, err := t.Exec(ctx, `UPDATE tokens SET proved_at = ?, own_proved_at = ? WHERE id = ?`, toMS(t.now), toMS(t.now), principal.CredentialID)
	return err
}

// ChangeAccount sets or changes by what the principal signs in. Links that were not
// used yet end and, with a password that was another, all other sessions. An address
// that is another account's is storage.ErrConflict, unless it is to be confirmed: then who
// asks learns nothing of that. See [storage.MayChangeAccount]
// and storage.ErrStepUp for who may not.
func (db *DB) ChangeAccount(ctx context.Context, principal storage.Principal, change storage.AccountChange) (a storage.Account, err error) {
	err = db.changeBy(ctx, "change account", principal, func(ctx context.Context, t *tx) error {
		before, err := t.holdAccount(ctx, principal.UserID)
		if err != nil {
			return err
		}
		if err := t.mustProve(ctx, principal, before); err != nil {
			return err
		}
		waits, change, err := waiting(before, change)
		if err != nil {
			return err
		}
		after := before
		if waits == nil || change.PasswordHash != nil {
			if after, err = t.setAccount(ctx, principal, before, change); err != nil {
				return err
			}
		}
		if waits != nil {
			if err := t.askEmail(ctx, principal, before, *waits); err != nil {
				return err
			}
		}
		if after.Password != before.Password {
			if err := t.proved(ctx, principal); err != nil {
				return err
			}
		}
		a = after.account()
		return nil
	})
	return a, err
}

// setAccount writes a change of an account, for an operator too, and ends what the
// change is to end.
func (t *tx) setAccount(ctx context.Context, by storage.Principal, before accountRow, change storage.AccountChange) (accountRow, error) {
	after := before
	if change.Email != nil {
		after.Email = *change.Email
		if err := storage.CheckEmail(after.Email); err != nil {
			return after, err
		}
	}
	if change.PasswordHash != nil {
		after.Password = *change.PasswordHash
	}
	if after.Email == "" {
		return after, &storage.InvalidError{Field: "email", Problem: "must be set to sign in by a password"}
	}
	if after == before {
		return after, nil
	}
	if err := t.writeAccount(ctx, &after); err != nil {
		return after, err
	}
	ended, err := t.endSignIns(ctx, after, by.CredentialID, before.Password != "" && after.Password != before.Password)
	if err != nil {
		return after, err
	}
	if after.Email != before.Email {
		t.audit(ctx, by, storage.AuditEmailChanged, onUser(before.UserID), map[string]string{"change": kindOfChange(before.Email, after.Email)})
	}
	if after.Password != before.Password {
		t.audit(ctx, by, storage.AuditPasswordChanged, onUser(before.UserID), map[string]string{"change": kindOfChange(before.Password, after.Password), "ended": number(ended)})
	}
	return after, nil
}

func kindOfChange(before, after string) string {
	switch "" {
	case before:
		return "set"
	case after:
		return "removed"
	}
	return "changed"
}

// writeAccount writes an account, which is made where the user has none.
func (t *tx) writeAccount(ctx context.Context, a *accountRow) error {
	if a.ID != "" {
		_, err := t.Exec(ctx, `UPDATE accounts SET email = ?, email_key = ?, password = ? WHERE id = ?`, a.Email, clean(storage.EmailKey(a.Email)), a.Password, a.ID)
		return err
	}
	a.ID, a.CreatedAt = storage.NewID(), cmp.Or(a.CreatedAt, toMS(t.now))
	_, err := t.Exec(ctx, `INSERT INTO accounts (id, email, email_key, password, created_at) VALUES (?, ?, ?, ?, ?)`,
		a.ID, a.Email, clean(storage.EmailKey(a.Email)), a.Password, a.CreatedAt)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE users SET account_id = ? WHERE id = ?`, a.ID, a.UserID)
	return err
}

// endSignIns ends the one-time links of a person, in all of their workspaces, and the
// addresses that they wait to confirm, and, if so asked, their sessions, but for one. It
// returns how many sessions ended in this workspace, which learns nothing of the others.
func (t *tx) endSignIns(ctx context.Context, account accountRow, but string, sessions bool) (int64, error) {
	const end = `UPDATE tokens SET ended_at = ? WHERE ended_at = 0 AND kind = ? AND id <> ? AND `
	_, err := t.Exec(ctx, end+`user_id IN `+ofPerson, toMS(t.now), storage.SignInToken, but, account.UserID, account.UserID)
	if err == nil {
		err = t.endEmailChanges(ctx, account.UserID)
	}
	if err != nil || !sessions {
		return 0, err
	}
	n, err := t.Exec(ctx, end+`user_id = ?`, toMS(t.now), storage.SessionToken, but, account.UserID)
	if err != nil {
		return n, err
	}
	_, err = t.Exec(ctx, end+`user_id IN `+ofPerson, toMS(t.now), storage.SessionToken, but, account.UserID, account.UserID)
	return n, err
}

// RevokeOthers ends all credentials of the principal but the one that asks, and with them
// the person's sessions and links in other workspaces, from which one could switch here;
// see [storage.MayChangeAccount] and storage.ErrStepUp for who may not.
func (db *DB) RevokeOthers(ctx context.Context, principal storage.Principal) error {
	return db.changeBy(ctx, "revoke other tokens", principal, func(ctx context.Context, t *tx) error {
		account, err := t.holdAccount(ctx, principal.UserID)
		if err != nil {
			return err
		}
		if err := t.mustProve(ctx, principal, account); err != nil {
			return err
		}
		n, err := t.Exec(ctx, `UPDATE tokens SET ended_at = ? WHERE ended_at = 0 AND id <> ? AND user_id = ?`, toMS(t.now), principal.CredentialID, principal.UserID)
		if err != nil {
			return err
		}
		_, err = t.endSignIns(ctx, account, principal.CredentialID, true)
		if err == nil && n > 0 {
			t.audit(ctx, principal, storage.AuditCredentialsEnded, onUser(principal.UserID), map[string]string{"ended": number(n)})
		}
		return err
	})
}

// SetEmail sets the address that a user signs in by, for who runs the server.
func (db *DB) SetEmail(ctx context.Context, userID, email string) error {
	return db.changeOf(ctx, "set e-mail", userID, func(ctx context.Context, t *tx) error {
		before, err := t.holdAccount(ctx, userID)
		if err != nil {
			return err
		}
		_, err = t.setAccount(ctx, storage.Principal{}, before, storage.AccountChange{Email: &email})
		return err
	})
}

// ResetPassword takes a user's password away, if they have one, and ends their sessions
// and one-time links, whichever way they began, for who runs the server. Passkeys and
// linked identities stay.
func (db *DB) ResetPassword(ctx context.Context, userID string) error {
	return db.changeOf(ctx, "reset password", userID, func(ctx context.Context, t *tx) error {
		before, err := t.holdAccount(ctx, userID)
		if err != nil {
			return err
		}
		if before.Password != "" {
			_, err = t.setAccount(ctx, storage.Principal{}, before, storage.AccountChange{PasswordHash: new(string)})
			return err
		}
		ended, err := t.endSignIns(ctx, before, "", true)
		if err == nil && ended > 0 {
			t.audit(ctx, storage.Principal{}, storage.AuditCredentialsEnded, onUser(userID), map[string]string{"ended": number(ended)})
		}
		return err
	})
}
