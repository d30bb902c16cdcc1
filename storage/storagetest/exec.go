package storagetest

import (
	"database/sql"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/mattn/go-sqlite3"    // the driver "sqlite3"
)

// Exec runs statements on a database as another program would: on a connection
// of its own.
func Exec(tb testing.TB, url string, statements ...string) {
	tb.Helper()
	driver, address := "pgx", url
	if path, embedded := strings.CutPrefix(url, "sqlite://"); embedded {
		driver, address = "sqlite3", path
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // every statement was answered
	for _, statement := range statements {
		if _, err := db.ExecContext(tb.Context(), statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
}
