package conn

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"

	"github.com/jmoiron/sqlx"

	"hark/storage"
)

// Session runs statements on a pool or in a transaction. It is valid while the
// function runs that it was given to.
type Session struct {
	Ext sqlx.ExtContext // runs them as they are, without translating errors
	Dialect
}

// Get reads one row; none is storage.ErrNotFound.
func (s Session) Get(ctx context.Context, dest any, query string, args ...any) error {
	return s.fail(sqlx.GetContext(ctx, s.Ext, dest, s.Ext.Rebind(query), args...))
}

// List reads all rows into the slice that dest points to, in place of what an
// earlier try left in it.
func (s Session) List(ctx context.Context, dest any, query string, args ...any) error {
	reflect.ValueOf(dest).Elem().SetZero()
	return s.fail(sqlx.SelectContext(ctx, s.Ext, dest, s.Ext.Rebind(query), args...))
}

// Exec runs a statement and returns how many rows it touched.
func (s Session) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := s.Ext.ExecContext(ctx, s.Ext.Rebind(query), args...)
	if err != nil {
		return 0, s.fail(err)
	}
	n, err := res.RowsAffected()
	return n, s.fail(err)
}

func (s Session) fail(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return storage.ErrNotFound
	}
	return s.translate(err)
}

// Tuples renders n tuples of width placeholders: (?,?),(?,?).
func Tuples(n, width int) string {
	tuple := "(" + strings.TrimSuffix(strings.Repeat("?,", width), ",") + ")"
	return strings.TrimSuffix(strings.Repeat(tuple+",", n), ",")
}

// InChunks calls fn for ranges of at most size until n is covered: a statement
// has only so many placeholders.
func InChunks(n, size int, fn func(from, to int) error) error {
	for from := 0; from < n; from += size {
		if err := fn(from, min(from+size, n)); err != nil {
			return err
		}
	}
	return nil
}
