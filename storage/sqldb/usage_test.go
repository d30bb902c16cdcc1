package sqldb_test

import (
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// What is stored, and what somebody sent today, follows all that makes, changes
// and deletes recordings.
func TestUsage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		want := func(when string, who storage.Principal, want storage.Usage) {
			t.Helper()
			if got := must(h.Usage(t.Context(), who))(t); got != want {
				t.Errorf("%s: %+v; want %+v", when, got, want)
			}
		}
		want("at first", h.ada, storage.Usage{})
		m, job := h.send(h.ada, h.room.ID)
		h.send(h.bob, h.room.ID)
		h.send(h.ada, h.conversation(h.ada).ID)
		want("three clips", h.ada, storage.Usage{Today: 88, Stored: 132, Waiting: 2})
		want("three clips", h.bob, storage.Usage{Today: 44, Stored: 132, Waiting: 1})
		want("elsewhere", h.mal, storage.Usage{})

		task := h.begin(job)
		want("begun", h.ada, storage.Usage{Today: 88, Stored: 132, Waiting: 1})
		h.check(h.SaveRendition(t.Context(), task, storage.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 1000}))
		want("with a rendition", h.ada, storage.Usage{Today: 88, Stored: 1132, Waiting: 1})

		live := must(h.BeginRecording(t.Context(), h.bob, newRecording(h.room, "n1")))(t)
		want("speaking", h.bob, storage.Usage{Today: 44, Stored: 1132, Waiting: 1})
		h.finish(finished(live, "n1", "hello"))
		want("spoken", h.bob, storage.Usage{Today: 121, Stored: 1209, Waiting: 1})

		h.check(h.DeleteMessage(t.Context(), h.ada, m.ID))
		want("deleted", h.ada, storage.Usage{Today: 88, Stored: 165, Waiting: 1})
		h.exec(`UPDATE usage SET day = day - 1`)
		want("the next day", h.ada, storage.Usage{Stored: 165, Waiting: 1})
		h.send(h.ada, h.room.ID)
		want("a clip of that day", h.ada, storage.Usage{Today: 44, Stored: 209, Waiting: 2})
		h.check(h.DeleteConversation(t.Context(), h.ada, h.room.ID))
		must(h.PurgeDeleted(t.Context()))(t)
		want("without the conversation", h.ada, storage.Usage{Today: 44, Stored: 44, Waiting: 1})
	})
}

// What each person's messages take follows all that makes, changes and deletes them,
// and was there before it was kept.
func TestUsageByMember(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		want := func(when string, who storage.Principal, bytes, ms int64) {
			t.Helper()
			for _, u := range must(h.members(who.UserName))(t) {
				if u.Stored != bytes || u.SoundMS != ms {
					t.Errorf("%s: %+v; want %d bytes, %d ms", when, u, bytes, ms)
				}
			}
		}
		m, job := h.send(h.bob, h.room.ID)
		h.send(h.eve, h.conversation(h.eve).ID)
		want("sent", h.bob, 44, 0)
		task := h.begin(job)
		h.check(h.SaveRendition(t.Context(), task, storage.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 1000}))
		h.check(h.SaveSound(t.Context(), task, storage.Sound{DurationMS: 2500, Peaks: make([]float64, 100)}))
		want("worked on", h.bob, 1044, 2500)
		if u := must(h.WorkspaceUsage(t.Context(), h.ada))(t); u.Stored != 1088 || u.SoundMS != 2500 || u.Members != 3 || u.Guests != 0 {
			t.Errorf("the workspace takes %+v", u)
		}
		_, newest, err := db.SchemaVersion(t.Context())
		h.check(err)
		h.check(db.MigrateBack(t.Context(), newest-1))
		h.check(db.Migrate(t.Context()))
		want("counted anew", h.bob, 1044, 2500)
		want("counted anew", h.eve, 44, 0)
		h.check(h.DeleteMessage(t.Context(), h.ada, m.ID))
		want("deleted", h.bob, 0, 0)
		if u := must(h.WorkspaceUsage(t.Context(), h.ada))(t); u.Stored != 44 || u.SoundMS != 0 {
			t.Errorf("the workspace takes %+v", u)
		}
		_, err = h.WorkspaceUsage(t.Context(), h.bob)
		wantErr(t, err, storage.ErrForbidden)
		_, _, err = h.MemberUsages(t.Context(), h.bob, "", storage.Page{})
		wantErr(t, err, storage.ErrForbidden)
	})
}

// members is what those take who are called so.
func (h *harness) members(name string) ([]storage.MemberUsage, error) {
	found, _, err := h.MemberUsages(h.tb.Context(), h.ada, name, storage.Page{})
	if err == nil && len(found) == 0 {
		err = storage.ErrNotFound
	}
	return found, err
}

func TestQuotasOfWorkspace(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		bound := storage.Quotas{Stored: 100, Waiting: 5}
		h.check(set(h, storage.QuotasPatch{Stored: new(int64(60)), Waiting: new(5)}, bound))
		h.check(set(h, storage.QuotasPatch{BytesPerDay: new(int64(1 << 40))}, bound))
		for _, patch := range []storage.QuotasPatch{{Stored: new(int64(101))}, {Waiting: new(6)}, {Stored: new(int64(-1))}, {Stored: new(int64(1)), BytesPerDay: new(int64(-1))}} {
			wantErr(t, set(h, patch, bound), storage.ErrInvalid)
		}
		if u := must(h.Usage(t.Context(), h.bob))(t); u.Quotas != (storage.Quotas{Stored: 60, Waiting: 5, BytesPerDay: 1 << 40}) {
			t.Errorf("%+v", u.Quotas)
		}
		if u := must(h.Usage(t.Context(), h.mal))(t); u.Quotas != (storage.Quotas{}) {
			t.Errorf("elsewhere %+v", u.Quotas)
		}
		_, err := h.SetQuotas(t.Context(), h.bob, storage.QuotasPatch{Stored: new(int64(0))}, bound)
		wantErr(t, err, storage.ErrForbidden)
		h.wholeAudit()
	})
}

func set(h *harness, patch storage.QuotasPatch, bound storage.Quotas) error {
	_, err := h.SetQuotas(h.tb.Context(), h.ada, patch, bound)
	return err
}
