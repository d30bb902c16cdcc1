package storagetest_test

import (
	"testing"

	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func TestEachIsMigratedAndEmpty(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		have, newest, err := db.SchemaVersion(t.Context())
		if err != nil || have != newest || have == 0 {
			t.Errorf("schema version %d of %d, %v", have, newest, err)
		}
		workspaces, err := db.Workspaces(t.Context())
		if err != nil || len(workspaces) != 0 {
			t.Errorf("%v, %v; want nothing", workspaces, err)
		}
	})
}
