package sqldb

import (
	"context"
	"errors"

	"hark/storage"
)

// waiting is what of a change of an account waits to be confirmed, nil for nothing, and
// what is done at once.
func waiting(before accountRow, change storage.AccountChange) (waits *storage.AccountChange, now storage.AccountChange, err error) {
	if change.Confirm == nil || change.Email == nil || *change.Email == before.Email {
		return nil, change, nil
	}
	if err := storage.CheckEmail(*change.Email); err != nil {
		return nil, change, err
	}
	waits = &storage.AccountChange{Email: change.Email, Confirm: change.Confirm}
	if before.ID == "" {
		waits.PasswordHash = change.PasswordHash
		return waits, storage.AccountChange{}, nil
	}
	return waits, storage.AccountChange{PasswordHash: change.PasswordHash}, nil
}

// askEmail has an address wait until it is confirmed, in place of one that waited before, in
// whichever workspace the person asked for it. One that is another account's waits too, but nobody can confirm it: who reads it is told
// that somebody tried.
func (t *tx) askEmail(ctx context.Context, principal storage.Principal, before accountRow, change storage.AccountChange) error {
	secret, password := newSecret(), ""
	if change.PasswordHash != nil {
		password = *change.PasswordHash
	}
	if err := t.endEmailChanges(ctx, principal.UserID); err != nil {
		return err
	}
	_, err := t.Exec(ctx, `INSERT INTO email_changes (user_id, email, password, code, expires_at) VALUES (?, ?, ?, ?, ?)`,
		principal.UserID, *change.Email, password, hashSecret(secret), toMS(t.now.Add(storage.EmailChangeLife)))
	if err != nil {
		return err
	}
	t.audit(ctx, principal, storage.AuditEmailAsked, onUser(principal.UserID), map[string]string{"change": kindOfChange(before.Email, *change.Email)})
	var mine, theirs storage.Addressee
	if err := t.Get(ctx, &mine.Language, `SELECT language FROM users WHERE id = ?`, principal.UserID); err != nil {
		return err
	}
	mine.Email = *change.Email
	err = t.Get(ctx, &theirs, `SELECT a.email, COALESCE(u.language, '') AS language FROM accounts a LEFT JOIN users u ON u.account_id = a.id
		WHERE a.email_key = ? AND a.id <> ? ORDER BY u.created_at, u.id LIMIT 1`, clean(storage.EmailKey(*change.Email)), before.ID)
	if notThere(err) != nil {
		return err
	}
	write := func() (storage.NewJob, error) { return change.Confirm.Confirm(mine, secret) }
	if theirs.Email != "" {
		write = func() (storage.NewJob, error) { return change.Confirm.Taken(theirs) }
	}
	job, err := write()
	if err != nil {
		return err
	}
	return t.job(ctx, job)
}

// notThere is nil for what is not there.
func notThere(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// endEmailChanges ends what the person that a user is waits to confirm, in all of their
// workspaces.
func (t *tx) endEmailChanges(ctx context.Context, userID string) error {
	_, err := t.Exec(ctx, `DELETE FROM email_changes WHERE user_id IN `+ofPerson, userID, userID)
	return err
}

// endEmailChangesHere is endEmailChanges for what was asked for as the user alone, where
// their workspace ends it and not they themselves: it has no say in the others.
func (t *tx) endEmailChangesHere(ctx context.Context, userID string) error {
	_, err := t.Exec(ctx, `DELETE FROM email_changes WHERE user_id = ?`, userID)
	return err
}

// emailWaiting is the address that waits under a condition; storage.ErrNotFound where none
// does, or not any more.
func (s session) emailWaiting(ctx context.Context, condition string, args ...any) (storage.EmailChange, error) {
	var row struct {
		UserID    string `db:"user_id"`
		Name      string
		Workspace string
		AccountID string `db:"account_id"`
		Email     string
		ExpiresAt int64 `db:"expires_at"`
	}
	err := s.Get(ctx, &row, `SELECT ec.user_id, u.name, w.name AS workspace, COALESCE(u.account_id, '') AS account_id, ec.email, ec.expires_at
		FROM email_changes ec JOIN users u ON u.id = ec.user_id JOIN workspaces w ON w.no = u.workspace_no
		WHERE u.disabled_at = 0 AND ec.expires_at > (SELECT `+s.NowSQL()+`) AND `+condition, args...)
	if err != nil {
		return storage.EmailChange{}, err
	}
	return storage.EmailChange{
		UserID: row.UserID, UserName: row.Name, Workspace: row.Workspace, AccountID: row.AccountID, Email: row.Email, ExpiresAt: fromMS(row.ExpiresAt),
	}, nil
}

// EmailChange returns what the code of a link confirms; storage.ErrNotFound where that is
// nothing, or nothing any more. Nothing is used up.
func (db *DB) EmailChange(ctx context.Context, code string) (c storage.EmailChange, err error) {
	err = db.read(ctx, "read e-mail change", func(ctx context.Context, s session) error {
		c, err = s.emailWaiting(ctx, `ec.code = ?`, hashSecret(code))
		return err
	})
	return c, err
}

// ConfirmEmail sets the address that the code of a link confirms, for the user who asked
// for it, whoever opens the link, and uses the code up. The address of before is told, by
// what told makes. A code that is good for nothing, or nothing any more, is
// storage.ErrNotFound; an address that is another account's by now storage.ErrConflict.
func (db *DB) ConfirmEmail(ctx context.Context, code string, told storage.Notice) (c storage.EmailChange, err error) {
	if c, err = db.EmailChange(ctx, code); err != nil {
		return c, err
	}
	err = db.changeOf(ctx, "confirm e-mail", c.UserID, func(ctx context.Context, t *tx) error {
		before, err := t.holdAccount(ctx, c.UserID)
		if err != nil {
			return err
		}
		if c, err = t.emailWaiting(ctx, `ec.code = ?`, hashSecret(code)); err != nil {
			return err
		}
		change := storage.AccountChange{Email: &c.Email}
		if before.ID == "" {
			var password string
			if err := t.Get(ctx, &password, `SELECT password FROM email_changes WHERE user_id = ?`, c.UserID); err != nil {
				return err
			}
			if password != "" {
				change.PasswordHash = &password
			}
		}
		if before.Email != "" {
			if err := t.tell(ctx, c.UserID, told); err != nil { // at the address of before
				return err
			}
		}
		_, err = t.setAccount(ctx, storage.Principal{UserID: c.UserID, UserName: c.UserName}, before, change)
		if err == nil {
			err = t.endEmailChanges(ctx, c.UserID)
		}
		return err
	})
	return c, err
}

// CancelEmail has the address that waits to be confirmed wait no more, if there is one, in
// whichever workspace the person asked for it.
func (db *DB) CancelEmail(ctx context.Context, principal storage.Principal) error {
	return db.changeBy(ctx, "cancel e-mail change", principal, func(ctx context.Context, t *tx) error {
		if _, err := t.inBrowser(ctx, principal); err != nil {
			return err
		}
		return t.endEmailChanges(ctx, principal.UserID)
	})
}
