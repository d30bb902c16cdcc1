package sqldb_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// written returns the manifest of a message, as it is read back from the
// store, and notes that it was written.
func (h *harness) written(id string) (storage.Manifest, *storage.StoredTranscript) {
	h.tb.Helper()
	m, transcript := must2(h.Manifest(h.tb.Context(), id))(h.tb)
	h.check(h.ManifestWritten(h.tb.Context(), m))
	read := must(storage.ParseManifest(must(m.Encode())(h.tb)))(h.tb)
	read.Revision = m.Revision
	return read, transcript
}

func (h *harness) stale() []string {
	h.tb.Helper()
	return must(h.StaleManifests(h.tb.Context(), "", 10))(h.tb)
}

func TestManifestTellsAll(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m, job := h.send(h.bob, h.room.ID)
		live := h.speak("n1")
		if stale := h.stale(); !slices.Equal(stale, []string{m.ID}) {
			t.Fatalf("stale: %v", stale)
		}
		got, transcript := h.written(m.ID)
		want := storage.Manifest{
			Format: 1, WrittenAt: got.WrittenAt, Revision: 1,
			Workspace:    storage.ManifestWorkspace{ID: h.ada.WorkspaceID, Name: "home", CreatedAt: got.Workspace.CreatedAt},
			Conversation: storage.ManifestConversation{ID: h.room.ID, Kind: storage.Channel, Title: "room", CreatedBy: h.ada.UserID, CreatedAt: h.room.CreatedAt, Members: []string{h.ada.UserID, h.bob.UserID}},
			People:       []storage.ManifestPerson{{ID: h.ada.UserID, Name: "Ada", Role: storage.Owner}, {ID: h.bob.UserID, Name: "Bob", Role: storage.RoleMember}},
			Message:      storage.ManifestMessage{ID: m.ID, AuthorID: h.bob.UserID, RecordedAt: m.RecordedAt, CreatedAt: m.CreatedAt},
			Original:     storage.ManifestOriginal{Key: m.Original.Key, Format: "wav", Bytes: 44, SHA256: "ab", Filename: "clip.wav"},
		}
		if !reflect.DeepEqual(got, want) || transcript != nil {
			t.Errorf("%+v\n%+v", got, want)
		}
		_, _, err := h.Manifest(t.Context(), m.ID)
		wantErr(t, err, storage.ErrNotFound) // written as it is

		task := h.begin(job)
		h.check(h.SaveSound(t.Context(), task, storage.Sound{DurationMS: 700, Peaks: make([]float64, 100), LoudnessLUFS: -18.5}))
		h.check(h.SaveRendition(t.Context(), task, rendition(task)))
		h.check(h.SaveTranscript(t.Context(), task, spoken("well said")))
		got, transcript = h.written(m.ID)
		if got.Message.DurationMS != 700 || *got.Message.LoudnessLUFS != -18.5 || len(got.Message.Waveform) != 100 ||
			got.Rendition == nil || got.Rendition.Key != task.RenditionKey || got.TranscriptVersion != 1 {
			t.Errorf("%+v", got)
		}
		if transcript == nil || transcript.Version != 1 || transcript.Text() != "well said" {
			t.Errorf("%+v", transcript)
		}

		// A recording has a manifest when its sound is in the store.
		if stale := h.stale(); len(stale) != 0 {
			t.Errorf("stale: %v", stale)
		}
		h.finish(finished(live, "n1", "spoken live"))
		if got, transcript := h.written(live.ID); got.Message.DurationMS != 2500 || transcript.Text() != "spoken live" {
			t.Errorf("%+v, %+v", got, transcript)
		}
	})
}

// Whatever a manifest tells makes it stale when it changes: of a message its
// own, of a conversation and its members that of the newest message.
func TestManifestGoesStale(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		older, newer := h.say(h.ada, h.room.ID, "older"), h.say(h.bob, h.room.ID, "newer")
		title := "Other"
		for _, change := range []struct {
			what  string
			of    string
			do    func() error
			holds func(storage.Manifest) bool
		}{
			{"title", older.ID, func() error {
				_, err := h.UpdateMessage(t.Context(), h.ada, older.ID, storage.MessagePatch{Title: &title})
				return err
			}, func(m storage.Manifest) bool { return m.Message.Title == "Other" }},
			{"conversation", newer.ID, func() error {
				_, err := h.UpdateConversation(t.Context(), h.ada, h.room.ID, storage.ConversationPatch{Title: new("hall")})
				return err
			}, func(m storage.Manifest) bool { return m.Conversation.Title == "hall" }},
			{"new member", newer.ID, func() error {
				return h.AddConversationMember(t.Context(), h.ada, h.room.ID, h.eve.UserID)
			}, func(m storage.Manifest) bool { return slices.Contains(m.Conversation.Members, h.eve.UserID) }},
			{"member who left", newer.ID, func() error {
				return h.RemoveConversationMember(t.Context(), h.ada, h.room.ID, h.eve.UserID)
			}, func(m storage.Manifest) bool { return !slices.Contains(m.Conversation.Members, h.eve.UserID) }},
		} {
			for _, id := range h.stale() {
				h.written(id)
			}
			h.check(change.do())
			if stale := h.stale(); !slices.Equal(stale, []string{change.of}) {
				t.Fatalf("%s: stale are %v", change.what, stale)
			}
			if m, _ := must2(h.Manifest(t.Context(), change.of))(t); !change.holds(m) {
				t.Errorf("%s: %+v", change.what, m)
			}
		}
		// One that changes while its manifest is written stays stale.
		m, _ := must2(h.Manifest(t.Context(), newer.ID))(t)
		must(h.UpdateMessage(t.Context(), h.bob, newer.ID, storage.MessagePatch{Title: &title}))(t)
		h.check(h.ManifestWritten(t.Context(), m))
		if stale := h.stale(); !slices.Equal(stale, []string{newer.ID}) {
			t.Errorf("stale: %v", stale)
		}
		// Of two that are written at once, nobody knows which lies there.
		first, _ := must2(h.Manifest(t.Context(), newer.ID))(t)
		title = "Last"
		must(h.UpdateMessage(t.Context(), h.bob, newer.ID, storage.MessagePatch{Title: &title}))(t)
		second, _ := must2(h.Manifest(t.Context(), newer.ID))(t)
		h.check(h.ManifestWritten(t.Context(), first))
		h.check(h.ManifestWritten(t.Context(), second))
		if stale := h.stale(); !slices.Equal(stale, []string{newer.ID}) {
			t.Errorf("stale: %v", stale)
		}
		h.check(h.DeleteMessage(t.Context(), h.bob, newer.ID))
		wantErr(t, h.ManifestWritten(t.Context(), m), storage.ErrNotFound)
	})
}

func TestBind(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		if b := must(db.Binding(ctx))(t); b != (storage.Binding{}) {
			t.Errorf("a fresh database is bound: %+v", b)
		}
		none := must(db.Bind(ctx, func(context.Context, string) (string, error) { return "", nil }))(t)
		if none.Database == "" || none.Store != "" {
			t.Errorf("%+v", none)
		}
		away := errors.New("away")
		_, err := db.Bind(ctx, func(context.Context, string) (string, error) { return "s0", away })
		wantErr(t, err, away)
		bound := must(db.Bind(ctx, func(_ context.Context, id string) (string, error) {
			if id != none.Database {
				t.Errorf("another id: %s", id)
			}
			return "s1", nil
		}))(t)
		again := must(db.Bind(ctx, func(context.Context, string) (string, error) {
			t.Error("asked again")
			return "s2", nil
		}))(t)
		if want := (storage.Binding{Database: none.Database, Store: "s1"}); bound != want || again != want {
			t.Errorf("%+v, %+v; want %+v", bound, again, want)
		}
		h := &harness{DB: db, tb: t}
		h.check(db.Rebind(ctx, "s3"))
		if b := must(db.Binding(ctx))(t); b.Store != "s3" || b.Database != none.Database {
			t.Errorf("%+v", b)
		}
	})
}
