package sqldb_test

import (
	"testing"
	"time"

	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func TestLease(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		take := func(holder string, length time.Duration, want bool) {
			t.Helper()
			if held := must(db.TakeLease(t.Context(), "maintenance", holder, length))(t); held != want {
				t.Errorf("%s holds it: %v, want %v", holder, held, want)
			}
		}
		take("a", time.Minute, true)
		take("b", time.Minute, false)
		take("a", time.Minute, true) // renewed
		if held := must(db.TakeLease(t.Context(), "another", "b", time.Minute))(t); !held {
			t.Error("a lease of another name is taken")
		}
		h.check(db.DropLease(t.Context(), "maintenance", "b"))
		take("b", time.Minute, false)
		h.check(db.DropLease(t.Context(), "maintenance", "a"))
		take("b", -time.Minute, true)
		take("a", time.Minute, true) // b's has run out
		take("b", time.Minute, false)
		h.exec(`UPDATE leases SET until = until + 3600000`) // by a clock that has been set back since
		take("b", time.Minute, true)
	})
}

// A node whose clock is ahead takes nothing from others.
func TestLeaseGoesByTheDatabasesClock(t *testing.T) {
	url := storagetest.Postgres(t)
	ahead, db := storagetest.Open(t, url, storagetest.Clock(2*time.Minute)), storagetest.Open(t, url)
	if held := must(db.TakeLease(t.Context(), "maintenance", "a", time.Minute))(t); !held {
		t.Fatal("a free lease is not given")
	}
	if held := must(ahead.TakeLease(t.Context(), "maintenance", "b", time.Minute))(t); held {
		t.Error("a node whose clock is ahead took the lease")
	}
}
