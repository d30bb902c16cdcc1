package conn

import (
	"context"
	"fmt"
	"strings"
)

// Vacuum does at once what autovacuum does in Postgres some time after many
// changes, so that what is measured next is a database in service. It does
// nothing on SQLite.
func (db *DB) Vacuum(ctx context.Context) error {
	if err := db.dialect.vacuum(ctx, Session{db.writer, db.dialect}); err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	return nil
}

// TruncateLog empties the write-ahead log of SQLite, in which what was deleted
// stands still. done is false while another process reads an older state. On
// Postgres it does nothing.
func (db *DB) TruncateLog(ctx context.Context) (done bool, err error) {
	return db.dialect.truncateLog(ctx, Session{db.writer, db.dialect})
}

func (sqlite) vacuum(context.Context, Session) error { return nil }

// vacuum names the tables, since without names statistics of partitioned ones
// are gathered as well, which autovacuum never does.
func (postgres) vacuum(ctx context.Context, s Session) error {
	var tables []string
	err := s.List(ctx, &tables, `SELECT CAST(CAST(oid AS regclass) AS text) FROM pg_class
		WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())`)
	if err != nil {
		return err
	}
	_, err = s.Exec(ctx, `VACUUM (ANALYZE) `+strings.Join(tables, ", "))
	return err
}
