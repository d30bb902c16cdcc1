package server

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"hark/cmd/hark/config"
	"hark/storage/keys"
	"hark/storage/sqldb"
)

// instanceKeys is where the instance's keys are.
type instanceKeys struct {
	source interface {
		Secret(name string) ([]byte, error)
	} // nil: in the database
	file    *keys.File // where source is the file in the data folder
	path    string     // of file
	exposed bool       // others could read the database until now
	log     *slog.Logger
}

// openKeys opens what keeps the keys: the operator's secret, a file in the data
// folder beside SQLite, or Postgres itself, which is what nodes share.
func (p *Program) openKeys(ctx context.Context) (instanceKeys, error) {
	k := instanceKeys{path: filepath.Join(p.cfg.Data, config.KeysName), log: p.log}
	k.exposed = slices.ContainsFunc(p.exposed, func(path string) bool { return strings.HasPrefix(filepath.Base(path), "hark.db") })
	if p.cfg.SigningKeyFile != "" {
		secret, err := keys.ReadSecret(p.cfg.SigningKeyFile)
		k.source = secret
		return k, err
	}
	if !p.cfg.Embedded() {
		return k, nil
	}
	file, err := keys.Open(k.path)
	if err != nil {
		return k, err
	}
	k.source, k.file = file, file
	if slices.ContainsFunc(p.exposed, func(path string) bool { return filepath.Base(path) == config.KeysName }) {
		p.log.WarnContext(ctx, "others could read the key file; its keys are replaced, and addresses of sound given out before are no longer valid", "file", k.path)
		return k, file.Forget()
	}
	return k, nil
}

// move takes the keys that an earlier version kept in an SQLite database out of
// it. Those that others could read there are not used any more.
func (k instanceKeys) move(ctx context.Context, db *sqldb.DB) error {
	if k.source == nil || db.Dialect() != "sqlite" {
		return nil
	}
	stored, err := db.StoredSecrets(ctx)
	if err != nil {
		return err
	}
	if len(stored) == 0 {
		if k.file != nil && k.file.Made() {
			k.log.WarnContext(ctx, "the key file is gone and a new one is made: addresses of sound, places in lists and event ids given out before are no longer valid; sessions and tokens are not affected", "file", k.path)
		}
		return nil
	}
	switch {
	case k.file == nil: // the operator's secret takes their place
	case k.exposed:
		k.log.WarnContext(ctx, "others could read the database; the keys in it are replaced, and addresses of sound given out before are no longer valid", "file", k.path)
	default:
		if err := k.file.Keep(stored); err != nil {
			return fmt.Errorf("move the keys out of the database: %w", err)
		}
	}
	return db.EraseSecrets(ctx)
}
