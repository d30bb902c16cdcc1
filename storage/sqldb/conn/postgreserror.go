package conn

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"hark/storage"
)

// errReadOnly is the error of a server that answers but takes no changes, as a
// standby does.
var errReadOnly = fmt.Errorf("%w: the database takes no changes: it is read-only, or a standby", storage.ErrUnreachable)

// The classes of error that mean something to Hark (PostgreSQL, appendix A).
const (
	pgForeignKey      = "23503"
	pgUnique          = "23505"
	pgCheck           = "23514"
	pgReadOnly        = "25006"
	pgIdleTransaction = "25P03" // ended by the server's idle_in_transaction_session_timeout
	pgSerialization   = "40001"
	pgDeadlock        = "40P01"
	pgDiskFull        = "53100"
	pgLockTimeout     = "55P03"
	pgCancelled       = "57014" // by the server's statement_timeout: what Hark gives up ends with its context's error
	pgIOError         = "58030"

	pgConnection   = "08" // classes begin so
	pgResources    = "53" // memory, connections
	pgIntervention = "57P0"
)

func (postgres) translate(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		if lostConnection(err) {
			return fmt.Errorf("%w: %w", storage.ErrUnreachable, err)
		}
		return err
	}
	switch e.Code {
	case pgUnique:
		return fmt.Errorf("%w: %w", storage.ErrConflict, err)
	case pgForeignKey:
		return fmt.Errorf("%w: %w", storage.ErrNotFound, err)
	case pgCheck:
		return fmt.Errorf("%w: %w", storage.ErrInvalid, err)
	case pgDiskFull:
		return fmt.Errorf("%w: %w", storage.ErrNoSpace, err)
	case pgReadOnly:
		return fmt.Errorf("%w: %w", errReadOnly, err)
	case pgIdleTransaction, pgLockTimeout, pgCancelled, pgIOError:
		return fmt.Errorf("%w: %w", storage.ErrUnreachable, err)
	}
	for _, class := range []string{pgConnection, pgResources, pgIntervention} {
		if strings.HasPrefix(e.Code, class) {
			return fmt.Errorf("%w: %w", storage.ErrUnreachable, err)
		}
	}
	return err
}

// lostConnection says whether err is of a server that is not there, or a
// connection to it that broke.
func lostConnection(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &connect):
		return true
	case errors.Is(err, context.DeadlineExceeded): // who gave it knows whether it was short
		return false
	}
	return errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// passing leaves out what took its time already.
func (p postgres) passing(err error) bool {
	switch pgCode(err) {
	case pgSerialization, pgDeadlock:
		return true
	case pgCancelled, pgLockTimeout:
		return false
	}
	return errors.Is(p.translate(err), storage.ErrUnreachable)
}

// undone trusts the server's own word only: a COMMIT whose connection broke, or
// that the server was stopped in, may have been done.
func (postgres) undone(err error) bool {
	code := pgCode(err)
	return code == pgSerialization || code == pgDeadlock
}

// stale says so of connections that the server ends, or that remember a server
// which was read-only.
func (postgres) stale(err error) bool {
	return errors.Is(err, errReadOnly) || strings.HasPrefix(pgCode(err), pgIntervention) || pgCode(err) == "" && lostConnection(err)
}

// pgCode is the server's code for an error, or nothing.
func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
