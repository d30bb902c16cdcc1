package sqldb

import (
	"context"
	"crypto/rand"
	"strconv"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

// newRecoveryCode is made of random characters, each with five bits.
func newRecoveryCode() string {
	code := make([]byte, storage.RecoveryCodeLength)
	_, _ = rand.Read(code) // never fails
	for i, b := range code {
		code[i] = storage.RecoveryAlphabet[b%byte(len(storage.RecoveryAlphabet))]
	}
	return string(code)
}

// NewRecoveryCodes makes recovery codes for the principal, of which only hashes are
// kept, ends those that they had, and tells them by mail, by the job that notice makes,
// which may be nil. See [storage.MayChangeAccount] and storage.ErrStepUp for who may not.
func (db *DB) NewRecoveryCodes(ctx context.Context, principal storage.Principal, notice func(email string) (storage.NewJob, error)) (codes []string, err error) {
	var args []any
	for range storage.RecoveryCodes {
		code := newRecoveryCode()
		codes, args = append(codes, code), append(args, hashSecret(code), principal.UserID)
	}
	err = db.changeBy(ctx, "make recovery codes", principal, func(ctx context.Context, t *tx) error {
		account, err := t.holdAccount(ctx, principal.UserID)
		if err != nil {
			return err
		}
		if err := t.mustProve(ctx, principal, account); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, `DELETE FROM recovery_codes WHERE user_id = ?`, principal.UserID); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, `INSERT INTO recovery_codes (hash, user_id) VALUES `+conn.Tuples(len(codes), 2), args...); err != nil {
			return err
		}
		t.audit(ctx, principal, storage.AuditRecoveryCodesMade, onUser(principal.UserID), map[string]string{
			"made": number(int64(len(codes))), "ended": number(int64(account.Recovery)),
		})
		return t.tell(ctx, principal.UserID, notice)
	})
	return codes, err
}

// useRecoveryCode uses up a recovery code of a user, whose other ways in stay as they
// are. One that is gone is storage.ErrNotFound.
func (t *tx) useRecoveryCode(ctx context.Context, userID, code string) error {
	user, err := t.user(ctx, userID)
	if err != nil {
		return err
	}
	n, err := t.Exec(ctx, `DELETE FROM recovery_codes WHERE hash = ? AND user_id = ?`, hashSecret(code), userID)
	if err == nil && n == 0 {
		err = storage.ErrNotFound
	}
	if err != nil {
		return err
	}
	account, err := t.accountOf(ctx, userID)
	if err != nil {
		return err
	}
	t.audit(ctx, storage.Principal{UserID: user.ID, UserName: user.Name}, storage.AuditRecoveryCodeUsed, onUser(user.ID), map[string]string{"left": strconv.Itoa(account.Recovery)})
	return nil
}
