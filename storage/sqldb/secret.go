package sqldb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"hark/storage"
	"hark/storage/sqldb/conn"
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
		return s.Get(ctx, &value, `SELECT value FROM instance WHERE name = ?`, name)
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
		_, err := t.Exec(ctx, `INSERT INTO instance (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, hex.EncodeToString(fresh))
		if err != nil {
			return err
		}
		return t.Get(ctx, &value, `SELECT value FROM instance WHERE name = ?`, name)
	})
	return value, err
}

// StoredSecrets returns, in hex by their names, the secrets that the database
// holds itself. A new database holds one at least, and one whose secrets were
// erased none.
func (db *DB) StoredSecrets(ctx context.Context) (map[string]string, error) {
	var rows []struct{ Name, Value string }
	err := db.read(ctx, "read secrets", func(ctx context.Context, s session) error {
		return s.List(ctx, &rows, `SELECT name, value FROM instance WHERE name IN (?, ?) AND value <> ''`, cursorKey, signingKey)
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
	if db.Dialect() == conn.Postgres { // other nodes may read them at any time
		return errors.New("erase secrets: nodes share them through Postgres")
	}
	err := db.write(ctx, "erase secrets", func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, `UPDATE instance SET value = '' WHERE name IN (?, ?)`, cursorKey, signingKey)
		return err
	})
	if err != nil {
		return err
	}
	// SQLite overwrote what the rows held: the change goes from the log to the
	// file, and the older pages go with the log.
	done, err := db.conn.TruncateLog(ctx)
	if err != nil {
		return fmt.Errorf("erase secrets: %w", err)
	}
	if !done {
		db.log.WarnContext(ctx, "another process reads the database: the secrets that were moved stay in its write-ahead log until that is written anew")
	}
	return nil
}
