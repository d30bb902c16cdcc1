package sqldb

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

type passkeyRow struct {
	ID             string
	UserID         string `db:"user_id"`
	Name           string
	CredentialID   string `db:"credential_id"`
	PublicKey      string `db:"public_key"`
	SignCount      uint32 `db:"sign_count"`
	BackupEligible bool   `db:"backup_eligible"`
	BackedUp       bool   `db:"backed_up"`
	Transports     string
	CreatedAt      int64 `db:"created_at"`
	LastUsedAt     int64 `db:"last_used_at"`
}

const passkeyColumns = `id, user_id, name, credential_id, public_key, sign_count, backup_eligible, backed_up, transports, created_at, last_used_at`

func (r passkeyRow) passkey() (storage.Passkey, error) {
	credential, err := base64.RawURLEncoding.DecodeString(r.CredentialID)
	key, keyErr := base64.RawURLEncoding.DecodeString(r.PublicKey)
	return storage.Passkey{
		ID: r.ID, UserID: r.UserID, Name: r.Name, CreatedAt: fromMS(r.CreatedAt), LastUsedAt: fromMS(r.LastUsedAt),
		CredentialID: credential, PublicKey: key, SignCount: r.SignCount, BackupEligible: r.BackupEligible, BackedUp: r.BackedUp,
		Transports: strings.Fields(r.Transports),
	}, errors.Join(err, keyErr)
}

// Passkeys returns the passkeys of the person that the principal is, in whichever of their
// workspaces they were made, oldest first.
func (db *DB) Passkeys(ctx context.Context, principal storage.Principal) ([]storage.Passkey, error) {
	var rows []passkeyRow
	err := db.read(ctx, "list passkeys", func(ctx context.Context, s session) error {
		return s.List(ctx, &rows, `SELECT `+passkeyColumns+` FROM passkeys WHERE user_id IN `+ofPerson+` ORDER BY id`, principal.UserID, principal.UserID)
	})
	passkeys := make([]storage.Passkey, len(rows))
	for i, r := range rows {
		one, rowErr := r.passkey()
		passkeys[i], err = one, errors.Join(err, rowErr)
	}
	return passkeys, err
}

// PasskeyOf returns the passkey that an authenticator names by a credential's id, whoever's
// it is; storage.ErrNotFound where there is none.
func (db *DB) PasskeyOf(ctx context.Context, credentialID []byte) (storage.Passkey, error) {
	var row passkeyRow
	err := db.read(ctx, "find passkey", func(ctx context.Context, s session) error {
		return s.Get(ctx, &row, `SELECT `+passkeyColumns+` FROM passkeys WHERE credential_id = ?`, base64.RawURLEncoding.EncodeToString(credentialID))
	})
	if err != nil {
		return storage.Passkey{}, err
	}
	return row.passkey()
}

// AddPasskey gives the principal a passkey that answered a challenge, and tells them by
// mail, by the job that notice makes, which may be nil. One that is there already, or one too many, is
// storage.ErrConflict; see [storage.MayChangeAccount] and storage.ErrStepUp for who may
// not, and [DB.SignIn] for the challenge.
func (db *DB) AddPasskey(ctx context.Context, principal storage.Principal, p storage.Passkey, challenge storage.Challenge, notice storage.Notice) (storage.Passkey, error) {
	err := db.changeBy(ctx, "add passkey", principal, func(ctx context.Context, t *tx) (err error) {
		if p.Name, err = storage.CleanName(p.Name); err != nil {
			return err
		}
		account, err := t.holdAccount(ctx, principal.UserID)
		if err != nil {
			return err
		}
		if err := t.mustProve(ctx, principal, account); err != nil {
			return err
		}
		if account.Passkeys >= storage.MaxPasskeys {
			return storage.ErrConflict
		}
		if err := t.useChallenge(ctx, challenge); err != nil {
			return err
		}
		p.ID, p.UserID, p.CreatedAt = storage.NewID(), principal.UserID, t.now
		_, err = t.Exec(ctx, `INSERT INTO passkeys (`+passkeyColumns+`) VALUES `+conn.Tuples(1, 11), p.ID, p.UserID, p.Name,
			base64.RawURLEncoding.EncodeToString(p.CredentialID), base64.RawURLEncoding.EncodeToString(p.PublicKey), int64(p.SignCount),
			p.BackupEligible, p.BackedUp, clean(strings.Join(p.Transports, " ")), toMS(t.now), 0)
		if err != nil {
			return err
		}
		if err := t.proved(ctx, principal); err != nil {
			return err
		}
		t.audit(ctx, principal, storage.AuditPasskeyAdded, onUser(p.UserID), map[string]string{"passkey_id": p.ID, "name": p.Name})
		return t.tell(ctx, p.UserID, notice)
	})
	return p, err
}

// RenamePasskey gives a passkey of the principal's another name; storage.ErrNotFound
// where it is none of theirs.
func (db *DB) RenamePasskey(ctx context.Context, principal storage.Principal, id, name string) (p storage.Passkey, err error) {
	err = db.changeBy(ctx, "rename passkey", principal, func(ctx context.Context, t *tx) error {
		name, err := storage.CleanName(name)
		if err != nil {
			return err
		}
		if p, err = t.passkey(ctx, principal, id); err != nil {
			return err
		}
		if _, err := t.inBrowser(ctx, principal); err != nil || p.Name == name {
			return err
		}
		if _, err := t.Exec(ctx, `UPDATE passkeys SET name = ? WHERE id = ?`, name, id); err != nil {
			return err
		}
		t.audit(ctx, principal, storage.AuditPasskeyRenamed, onUser(principal.UserID), map[string]string{"passkey_id": id, "from": p.Name, "to": name})
		p.Name = name
		return nil
	})
	return p, err
}

// RemovePasskey ends a passkey of the principal's; what was signed in by it goes on.
// storage.ErrNotFound where it is none of theirs. Where they would have no way in any more
// it fails with storage.ErrLastWayIn; byMail says whether links can be mailed. See
// [storage.MayChangeAccount] and storage.ErrStepUp for who may not.
func (db *DB) RemovePasskey(ctx context.Context, principal storage.Principal, id string, byMail bool) error {
	return db.changeBy(ctx, "remove passkey", principal, func(ctx context.Context, t *tx) error {
		account, err := t.holdAccount(ctx, principal.UserID)
		if err != nil {
			return err
		}
		p, err := t.passkey(ctx, principal, id)
		if err != nil {
			return err
		}
		if err := t.mustProve(ctx, principal, account); err != nil {
			return err
		}
		if err := account.mayRemovePasskey(byMail); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, `DELETE FROM passkeys WHERE id = ?`, id); err != nil {
			return err
		}
		t.audit(ctx, principal, storage.AuditPasskeyRemoved, onUser(principal.UserID), map[string]string{"passkey_id": id, "name": p.Name})
		return nil
	})
}

func (t *tx) passkey(ctx context.Context, principal storage.Principal, id string) (storage.Passkey, error) {
	var row passkeyRow
	if err := t.Get(ctx, &row, `SELECT `+passkeyColumns+` FROM passkeys WHERE id = ? AND user_id IN `+ofPerson, id, principal.UserID, principal.UserID); err != nil {
		return storage.Passkey{}, err
	}
	return row.passkey()
}

// ProveByPasskey notes that the principal used a passkey of theirs, as [DB.Prove] does of
// their password. It fails as [DB.SignIn] does.
func (db *DB) ProveByPasskey(ctx context.Context, principal storage.Principal, use storage.PasskeyUse) error {
	return db.changeBy(ctx, "prove identity", principal, func(ctx context.Context, t *tx) error {
		if err := t.usePasskey(ctx, principal.UserID, use); err != nil {
			return err
		}
		return t.proved(ctx, principal)
	})
}

// RefusePasskey records that a passkey was not taken though its signature was good:
// its count of signatures went back, so that there may be a copy of it. What is sent
// twice has the count of the first time, and is no sign of that: the challenge is used
// up, and fails as [DB.SignIn] does.
func (db *DB) RefusePasskey(ctx context.Context, p storage.Passkey, challenge storage.Challenge) error {
	userID, err := db.signsInAs(ctx, p.UserID, "")
	if err != nil {
		return err
	}
	return db.changeOf(ctx, "refuse passkey", userID, func(ctx context.Context, t *tx) error {
		if err := t.useChallenge(ctx, challenge); err != nil {
			return err
		}
		t.audit(ctx, storage.Principal{}, storage.AuditPasskeyRefused, onUser(userID), map[string]string{
			"passkey_id": p.ID, "name": p.Name, "reason": "its count of signatures went back",
		})
		return nil
	})
}

// usePasskey uses up the challenge that a passkey of a user's person signed, and notes that it was
// used. One that is gone, or was used further meanwhile, is storage.ErrNotFound.
func (t *tx) usePasskey(ctx context.Context, userID string, use storage.PasskeyUse) error {
	if err := t.useChallenge(ctx, use.Challenge); err != nil {
		return err
	}
	n, err := t.Exec(ctx, `UPDATE passkeys SET sign_count = ?, backed_up = ?, last_used_at = ? WHERE id = ? AND user_id IN `+ofPerson+`
		AND (sign_count < ? OR sign_count = 0 AND CAST(? AS BIGINT) = 0)`,
		int64(use.SignCount), use.BackedUp, toMS(t.now), use.PasskeyID, userID, userID, int64(use.SignCount), int64(use.SignCount))
	if err == nil && n == 0 {
		err = storage.ErrNotFound
	}
	return err
}

// useChallenge notes that a challenge was answered. One that was before, or has run out,
// is storage.ErrExpired.
func (t *tx) useChallenge(ctx context.Context, c storage.Challenge) error {
	if !t.now.Before(c.Expires) {
		return storage.ErrExpired
	}
	if _, err := t.Exec(ctx, `DELETE FROM used_challenges WHERE expires_at <= ?`, toMS(t.now)); err != nil {
		return err
	}
	n, err := t.Exec(ctx, `INSERT INTO used_challenges (hash, expires_at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING`, hashSecret(c.Value), toMS(c.Expires)+1)
	if err == nil && n == 0 {
		err = storage.ErrExpired
	}
	return err
}

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
func (db *DB) NewRecoveryCodes(ctx context.Context, principal storage.Principal, notice storage.Notice) (codes []string, err error) {
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
		if _, err := t.Exec(ctx, `DELETE FROM recovery_codes WHERE user_id IN `+ofPerson, principal.UserID, principal.UserID); err != nil {
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

// useRecoveryCode uses up a recovery code of a user's person, whose other ways in stay as they
// are. One that is gone is storage.ErrNotFound.
func (t *tx) useRecoveryCode(ctx context.Context, userID, code string) error {
	user, err := t.user(ctx, userID)
	if err != nil {
		return err
	}
	n, err := t.Exec(ctx, `DELETE FROM recovery_codes WHERE hash = ? AND user_id IN `+ofPerson, hashSecret(code), userID, userID)
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
