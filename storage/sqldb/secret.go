package sqldb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// Secret returns the 32 random bytes that this service keeps under a name,
// made by whoever asks first: all nodes get the same, and so they do after a
// restart.
func (db *DB) Secret(ctx context.Context, name string) ([]byte, error) {
	var value string
	err := db.write(ctx, "read secret", func(ctx context.Context, t *tx) error {
		fresh := make([]byte, 32)
		if _, err := rand.Read(fresh); err != nil {
			return err
		}
		_, err := t.exec(ctx, `INSERT INTO instance (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, hex.EncodeToString(fresh))
		if err != nil {
			return err
		}
		return t.get(ctx, &value, `SELECT value FROM instance WHERE name = ?`, name)
	})
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(value)
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	return secret, nil
}
