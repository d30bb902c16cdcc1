package conn

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
var migrationFiles embed.FS

// ErrNewerSchema is the error of a database that a newer Hark has migrated:
// this one does not know what its columns mean.
var ErrNewerSchema = errors.New("the database belongs to a newer Hark")

// Migrate brings the schema to the newest version, each step in a transaction
// of its own. On Postgres several nodes may do so at once: one works, the
// others wait for it. A schema that is newer than this build is left as it is
// and refused with ErrNewerSchema.
func (db *DB) Migrate(ctx context.Context) error {
	if err := db.dialect.translate(db.migrate(ctx)); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (db *DB) migrate(ctx context.Context) (err error) {
	provider, err := db.Migrations()
	if err != nil {
		return err
	}
	unlock, err := db.dialect.lockMigrations(ctx, db.writer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	results, err := provider.Up(ctx)
	for _, r := range results {
		db.log.InfoContext(ctx, "migrated", "version", r.Source.Version, "took", r.Duration)
	}
	if err != nil {
		return err
	}
	have, newest, err := provider.GetVersions(ctx) // after the wait for a node that may have been a newer one
	if err == nil && have > newest {
		return fmt.Errorf("%w: its schema is version %d, and this hark knows versions up to %d; "+
			"use the hark that upgraded it, or a newer one, or restore the backup made before the upgrade", ErrNewerSchema, have, newest)
	}
	return err
}

// SchemaVersion returns the version that the database has, and the newest
// that this build knows. They differ until [DB.Migrate] has run.
func (db *DB) SchemaVersion(ctx context.Context) (have, newest int64, err error) {
	provider, err := db.Migrations()
	if err != nil {
		return 0, 0, fmt.Errorf("read schema version: %w", err)
	}
	have, newest, err = provider.GetVersions(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("read schema version: %w", err)
	}
	return have, newest, nil
}

// Migrations returns what brings the schema to a version, without the lock
// under which Migrate does so.
func (db *DB) Migrations() (*goose.Provider, error) {
	dialect, files, err := db.dialect.migrations()
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(dialect, db.writer.DB, files)
	if err != nil {
		return nil, errors.Join(errors.New("read the migrations"), err)
	}
	return provider, nil
}

// Schema returns the migrations of a dialect, in order, as they stand in their
// files. It is nil for a dialect that does not exist.
func Schema(dialect string) []string {
	files, _ := fs.Glob(migrationFiles, "migrations/"+dialect+"/*.sql") // the pattern is good
	var all []string
	for _, name := range files {
		text, _ := fs.ReadFile(migrationFiles, name) // embedded, so it is there
		all = append(all, string(text))
	}
	return all
}
