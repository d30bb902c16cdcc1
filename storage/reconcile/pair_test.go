package reconcile

import (
	"strings"
	"sync"
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func TestPairAtFirstStart(t *testing.T) {
	eachStores(t, func(h *harness) {
		var nodes sync.WaitGroup
		for range 4 {
			nodes.Go(func() {
				if err := h.Pair(h.t.Context()); err != nil {
					h.t.Error(err)
				}
			})
		}
		nodes.Wait()
		h.agrees()
	})
}

// A version without ids left messages and no marker.
func TestPairAfterAnUpgrade(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.people().send()
		h.agrees()
	})
}

// A node that ends between marking the store and committing the database has
// bound the one and not the other.
func TestPairWasCutOff(t *testing.T) {
	eachStores(t, func(h *harness) {
		b, err := h.Records.Bind(t.Context(), h.choose)
		h.check(err)
		h.check(h.Records.Rebind(t.Context(), ""))
		h.agrees()
		if again, _ := h.Records.Binding(t.Context()); again != b {
			t.Errorf("bound to %+v, before to %+v", again, b)
		}
	})
}

// An empty database, because the old one was lost or the address is wrong.
func TestAnotherDatabase(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.agrees()
		h.people().send()
		empty := newHarness(h.t, storagetest.New(h.t), h.Objects)
		d := empty.disagrees(false)
		for _, want := range []string{"hark reindex", "HARK_S3_PREFIX", "HARK_DATABASE_URL", d.Database.Database, d.Marker.Database} {
			if !strings.Contains(d.Reason(), want) {
				h.t.Errorf("%q is not in: %s", want, d.Reason())
			}
		}
		// What is recorded meanwhile changes nothing.
		empty.people().send()
		empty.disagrees(false)
		h.agrees()
	})
}

// The same, of a version that left no marker.
func TestAnotherDatabaseWithoutMarker(t *testing.T) {
	for name, key := range map[string]string{
		"original":  storage.NewOriginalKey(storage.NewID(), storage.NewID()),
		"rendition": "renditions/" + storage.NewID() + "/" + strings.Repeat("x", 43),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, storagetest.New(t), newStore(t))
			h.put(key, sound)
			if d := h.disagrees(false); !strings.Contains(d.Reason(), "hark reindex") {
				t.Errorf("%s", d.Reason())
			}
			h.people().send()
			h.disagrees(false)
		})
	}
}

// A store that holds nothing of what the database knows, and two nodes with
// one database and a store each.
func TestAnotherStore(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.agrees()
		other := newHarness(h.t, h.Records, newStore(h.t))
		d := other.disagrees(true)
		for _, want := range []string{"HARK_S3_BUCKET", "HARK_S3_PREFIX", d.Database.Store} {
			if !strings.Contains(d.Reason(), want) {
				h.t.Errorf("%q is not in: %s", want, d.Reason())
			}
		}
		third := newHarness(h.t, storagetest.New(h.t), other.Objects)
		third.agrees()
		if d := other.disagrees(true); !strings.Contains(d.Reason(), d.Marker.Store) {
			h.t.Errorf("%s", d.Reason())
		}
		h.agrees()
	})
}

func TestEmptyStoreOfAnUpgradedDatabase(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		newHarness(t, db, newStore(t)).people().send()
		newHarness(t, db, newStore(t)).disagrees(false)
	})
}

func TestForeignObjectsAreNoRecordings(t *testing.T) {
	h := newHarness(t, storagetest.New(t), newStore(t))
	for _, key := range []string{"dump.sql", "w/readme.txt", "renditions/scene.png"} {
		h.put(key, sound)
	}
	h.agrees()
}

func FuzzParseMarker(f *testing.F) {
	f.Add([]byte(`{"format":1,"store":"01890a5d-ac96-774b-bcce-b302099a8057","database":"","bound_at":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseMarker(b); err == nil && (m.Store == "" || m.Format != markerFormat) {
			t.Errorf("%q was taken: %+v", b, m)
		}
	})
}
