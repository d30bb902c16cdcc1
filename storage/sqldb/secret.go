package sqldb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"hark/storage"
)

// The names of the secrets. The rows that hold them are never deleted: that of
// the cursor key is also the lock of the instance (see lockInstance).
const (
	cursorKey  = "cursor_key"
	signingKey = "api signing key"
)

// secretSource keeps secrets elsewhere than in the database.
type secretSource interface {
	Secret(name string) ([]byte, error)
}

// SigningKey returns the 32 random bytes with which the API signs and seals.
// All nodes get the same, and so they do after a restart.
func (db *DB) SigningKey(ctx context.Context) ([]byte, error) { return db.secret(ctx, signingKey) }

// secret returns the secret of a name. Where the database keeps it, it is made
// by whoever asks first.
func (db *DB) secret(ctx context.Context, name string) ([]byte, error) {
	if db.secrets != nil {
		return db.secrets.Secret(name)
	}
	var value string
	err := db.read(ctx, "read secret", func(ctx context.Context, s session) error {
		return s.get(ctx, &value, `SELECT value FROM instance WHERE name = ?`, name)
	})
	if errors.Is(err, storage.ErrNotFound) {
		value, err = db.makeSecret(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	if value == "" {
		return nil, fmt.Errorf("read secret %s: it was moved out of the database", name)
	}
	secret, err := hex.DecodeString(value)
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	return secret, nil
}

// makeSecret makes a secret, unless another node was faster, and returns it.
func (db *DB) makeSecret(ctx context.Context, name string) (value string, err error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails
	err = db.write(ctx, "make secret", func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO instance (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, hex.EncodeToString(fresh))
		if err != nil {
			return err
		}
		return t.get(ctx, &value, `SELECT value FROM instance WHERE name = ?`, name)
	})
	return value, err
}

// StoredSecrets returns, in hex by their names, the secrets that the database
// holds itself. A new database holds one at least, and one whose secrets were
// erased none.
func (db *DB) StoredSecrets(ctx context.Context) (map[string]string, error) {
	var rows []struct{ Name, Value string }
	err := db.read(ctx, "read secrets", func(ctx context.Context, s session) error {
		return s.list(ctx, &rows, `SELECT name, value FROM instance WHERE name IN (?, ?) AND value <> ''`, cursorKey, signingKey)
	})
	found := make(map[string]string, len(rows))
	for _, r := range rows {
		found[r.Name] = r.Value
	}
	return found, err
}

// EraseSecrets takes the secrets out of a database of one machine, for good:
// neither the file nor its log holds their bytes when it returns, unless
// another process is reading, which is logged. No other process may be using
// them.
func (db *DB) EraseSecrets(ctx context.Context) error {
	if err := db.dialect.eraseSecrets(ctx, db); err != nil {
		return fmt.Errorf("erase secrets: %w", err)
	}
	return nil
}

// eraseSecrets has SQLite overwrite what the row held, and moves the change
// from the log to the file, whose older pages go with the log.
func (sqlite) eraseSecrets(ctx context.Context, db *DB) error {
	err := db.write(ctx, "erase secrets", func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE instance SET value = '' WHERE name IN (?, ?)`, cursorKey, signingKey)
		return err
	})
	if err != nil {
		return err
	}
	done, err := db.truncateLog(ctx)
	if err == nil && !done {
		db.log.WarnContext(ctx, "another process reads the database: the secrets that were moved stay in its write-ahead log until that is written anew")
	}
	return err
}

// eraseSecrets refuses: other nodes may read them at any time.
func (postgres) eraseSecrets(context.Context, *DB) error {
	return errors.New("nodes share them through Postgres")
}
