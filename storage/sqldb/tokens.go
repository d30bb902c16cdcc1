package sqldb

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"

	"hark/storage"
)

const (
	secretPrefix = "hark_"
	secretBytes  = 32
	lastUsedStep = time.Minute
)

// newSecret is hark_ and 43 characters of base62 made of 32 random bytes.
func newSecret() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("%s%043s", secretPrefix, new(big.Int).SetBytes(b).Text(62))
}

// hashSecret is how a secret is kept. Secrets of 256 random bits need no salt
// and no slow hash.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// CreateToken makes a credential for a user and returns its secret, which is
// not kept. A ttl of 0 means for ever; a kind or a ttl that cannot be is
// storage.ErrInvalid.
func (db *DB) CreateToken(ctx context.Context, userID string, kind storage.TokenKind, name string, ttl time.Duration) (storage.Token, string, error) {
	secret := newSecret()
	var token storage.Token
	err := db.write(ctx, "create token", func(ctx context.Context, t *tx) (err error) {
		token, err = t.createToken(ctx, userID, kind, name, secret, ttl)
		return err
	})
	return token, secret, err
}

func (t *tx) createToken(ctx context.Context, userID string, kind storage.TokenKind, name, secret string, ttl time.Duration) (storage.Token, error) {
	if err := storage.CheckToken(kind, ttl); err != nil {
		return storage.Token{}, err
	}
	token := storage.Token{ID: storage.NewID(), UserID: userID, Kind: kind, Name: clean(name), CreatedAt: t.now}
	if ttl > 0 {
		token.ExpiresAt = t.now.Add(ttl)
	}
	_, err := t.exec(ctx, `INSERT INTO tokens (id, user_id, kind, name, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		token.ID, token.UserID, token.Kind, token.Name, hashSecret(secret), toMS(token.CreatedAt), toMS(token.ExpiresAt))
	return token, err
}

// ImportToken makes a secret that was chosen elsewhere an API token of the
// user. Importing it again does nothing; a secret that is somebody else's, or
// revoked, is storage.ErrConflict.
func (db *DB) ImportToken(ctx context.Context, userID, name, secret string) error {
	return db.write(ctx, "import token", func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `INSERT INTO tokens (id, user_id, kind, name, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (hash) DO NOTHING`, storage.NewID(), userID, storage.APIToken, clean(name), hashSecret(secret), toMS(t.now))
		if err != nil || n == 1 {
			return err
		}
		var same int
		err = t.get(ctx, &same, `SELECT COUNT(*) FROM tokens WHERE hash = ? AND user_id = ? AND kind = ? AND ended_at = 0`,
			hashSecret(secret), userID, storage.APIToken)
		if err == nil && same == 0 {
			return storage.ErrConflict
		}
		return err
	})
}

type tokenRow struct {
	ID         string
	UserID     string `db:"user_id"`
	Kind       storage.TokenKind
	Name       string
	CreatedAt  int64 `db:"created_at"`
	LastUsedAt int64 `db:"last_used_at"`
	ExpiresAt  int64 `db:"expires_at"`
	EndedAt    int64 `db:"ended_at"`
}

const tokenColumns = `t.id, t.user_id, t.kind, t.name, t.created_at, t.last_used_at, t.expires_at, t.ended_at`

func (r tokenRow) token() storage.Token {
	return storage.Token{
		ID: r.ID, UserID: r.UserID, Kind: r.Kind, Name: r.Name,
		CreatedAt: fromMS(r.CreatedAt), LastUsedAt: fromMS(r.LastUsedAt), ExpiresAt: fromMS(r.ExpiresAt),
	}
}

// over says whether the token has expired, was revoked or is used up.
func (r tokenRow) over(now time.Time) bool {
	return r.EndedAt != 0 || r.ExpiresAt != 0 && r.ExpiresAt <= toMS(now)
}

// Authenticate returns whom a secret of this kind belongs to. A secret that
// never was, or was revoked, is storage.ErrNotFound; one that has run out is
// storage.ErrExpired.
func (db *DB) Authenticate(ctx context.Context, secret string, kind storage.TokenKind) (storage.Actor, error) {
	var row struct {
		tokenRow
		UserName  string `db:"user_name"`
		Role      storage.Role
		Workspace string
		Now       int64
	}
	err := db.read(ctx, "authenticate", func(ctx context.Context, s session) error {
		err := s.get(ctx, &row, `SELECT `+tokenColumns+`, u.name AS user_name, u.role, w.id AS workspace, `+s.dialect.now()+` AS now
			FROM tokens t JOIN users u ON u.id = t.user_id JOIN workspaces w ON w.no = u.workspace_no
			WHERE t.hash = ? AND t.kind = ?`, hashSecret(secret), kind)
		switch {
		case err != nil:
			return err
		case row.EndedAt != 0:
			return storage.ErrNotFound
		case row.over(fromMS(row.Now)):
			return storage.ErrExpired
		}
		return nil
	})
	if err != nil {
		return storage.Actor{}, err
	}
	db.noteUse(ctx, row.tokenRow, fromMS(row.Now))
	return storage.Actor{WorkspaceID: row.Workspace, UserID: row.UserID, UserName: row.UserName, Role: row.Role, TokenID: row.ID}, nil
}

// noteUse writes when the token was last used, once a minute at the most. It
// is a courtesy: failing to write it fails nothing.
func (db *DB) noteUse(ctx context.Context, row tokenRow, at time.Time) {
	now := toMS(at.Truncate(lastUsedStep))
	if row.LastUsedAt >= now {
		return
	}
	err := db.write(ctx, "note use of token", func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE tokens SET last_used_at = ? WHERE id = ? AND last_used_at < ?`, now, row.ID, now)
		return err
	})
	if err != nil {
		db.log.WarnContext(ctx, "could not note the use of a token", "token", row.ID, "error", err)
	}
}

// Redeem turns the secret of a sign-in address into a session of its user, once.
// A secret that never was is storage.ErrNotFound, one that is used up or has
// run out storage.ErrExpired.
func (db *DB) Redeem(ctx context.Context, signInSecret string, ttl time.Duration) (storage.Token, string, error) {
	secret := newSecret()
	var session storage.Token
	err := db.write(ctx, "redeem sign-in", func(ctx context.Context, t *tx) error {
		var row tokenRow
		err := t.get(ctx, &row, t.dialect.forUpdate(`SELECT `+tokenColumns+` FROM tokens t WHERE t.hash = ? AND t.kind = ?`),
			hashSecret(signInSecret), storage.SignInToken)
		if err != nil {
			return err
		}
		if row.over(t.now) {
			return storage.ErrExpired
		}
		if _, err := t.exec(ctx, `UPDATE tokens SET ended_at = ?, last_used_at = ? WHERE id = ?`, toMS(t.now), toMS(t.now), row.ID); err != nil {
			return err
		}
		session, err = t.createToken(ctx, row.UserID, storage.SessionToken, row.Name, secret, ttl)
		return err
	})
	return session, secret, err
}

// Tokens returns the actor's own credentials that are not over, oldest first.
func (db *DB) Tokens(ctx context.Context, actor storage.Actor) ([]storage.Token, error) {
	var rows []tokenRow
	err := db.read(ctx, "list tokens", func(ctx context.Context, s session) error {
		return s.list(ctx, &rows, `SELECT `+tokenColumns+` FROM tokens t WHERE t.user_id = ? AND t.ended_at = 0
			AND (t.expires_at = 0 OR t.expires_at > (SELECT `+s.dialect.now()+`)) ORDER BY t.id`, actor.UserID)
	})
	tokens := make([]storage.Token, len(rows))
	for i, r := range rows {
		tokens[i] = r.token()
	}
	return tokens, err
}

// RevokeToken ends a credential: one's own or, for owners and admins,
// anybody's in the workspace.
func (db *DB) RevokeToken(ctx context.Context, actor storage.Actor, tokenID string) error {
	return db.write(ctx, "revoke token", func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `UPDATE tokens SET ended_at = ? WHERE id = ? AND ended_at = 0 AND (user_id = ? OR ? = 1 AND user_id IN
			(SELECT u.id FROM users u JOIN workspaces w ON w.no = u.workspace_no WHERE w.id = ?))`,
			toMS(t.now), tokenID, actor.UserID, flag(rules(actor)), actor.WorkspaceID)
		if err == nil && n == 0 {
			return storage.ErrNotFound
		}
		return err
	})
}

// TokenEnded says whether a credential was revoked, by signing out too: what
// was begun with it should end. One that has run out is not meant.
func (db *DB) TokenEnded(ctx context.Context, tokenID string) (bool, error) {
	var live int
	err := db.read(ctx, "check token", func(ctx context.Context, s session) error {
		return s.get(ctx, &live, `SELECT COUNT(*) FROM tokens WHERE id = ? AND ended_at = 0`, tokenID)
	})
	return live == 0, err
}

// rules says whether the actor may change what others made.
func rules(actor storage.Actor) bool {
	return actor.Role == storage.Owner || actor.Role == storage.Admin
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
