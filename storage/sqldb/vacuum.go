package sqldb

import (
	"context"
	"fmt"
	"strings"
)

// Vacuum does at once what autovacuum does in Postgres some time after many
// changes, so that what is measured next is a database in service. It does
// nothing on SQLite.
func (db *DB) Vacuum(ctx context.Context) error {
	if err := db.dialect.vacuum(ctx, session{db.writer, db.dialect}); err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	return nil
}

func (sqlite) vacuum(context.Context, session) error { return nil }

// vacuum names the tables, since without names statistics of partitioned ones
// are gathered as well, which autovacuum never does.
func (postgres) vacuum(ctx context.Context, s session) error {
	var tables []string
	err := s.list(ctx, &tables, `SELECT CAST(CAST(oid AS regclass) AS text) FROM pg_class
		WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())`)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `VACUUM (ANALYZE) `+strings.Join(tables, ", "))
	return err
}
