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
	"hark/transcribe/pipeline"
)

// written returns the manifest of a message, as it is read back from the
// store, and notes that it was written.
func (w *world) written(id string) (storage.Manifest, *storage.StoredTranscript) {
	w.tb.Helper()
	m, transcript := must2(w.Manifest(w.tb.Context(), id))(w.tb)
	w.check(w.ManifestWritten(w.tb.Context(), m))
	read := must(storage.ParseManifest(must(m.Encode())(w.tb)))(w.tb)
	read.Revision = m.Revision
	return read, transcript
}

func (w *world) stale() []string {
	w.tb.Helper()
	return must(w.StaleManifests(w.tb.Context(), "", 10))(w.tb)
}

func TestManifestTellsAll(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m, job := w.send(w.bob, w.room.ID)
		live := w.speak("n1")
		if stale := w.stale(); !slices.Equal(stale, []string{m.ID}) {
			t.Fatalf("stale: %v", stale)
		}
		got, transcript := w.written(m.ID)
		want := storage.Manifest{
			Format: 1, WrittenAt: got.WrittenAt, Revision: 1,
			Workspace:    storage.ManifestWorkspace{ID: w.ada.WorkspaceID, Name: "home", CreatedAt: got.Workspace.CreatedAt},
			Conversation: storage.ManifestConversation{ID: w.room.ID, Kind: storage.Channel, Title: "room", CreatedBy: w.ada.UserID, CreatedAt: w.room.CreatedAt, Members: []string{w.ada.UserID, w.bob.UserID}},
			People:       []storage.ManifestPerson{{ID: w.ada.UserID, Name: "Ada", Role: storage.Owner}, {ID: w.bob.UserID, Name: "Bob", Role: storage.RoleMember}},
			Message:      storage.ManifestMessage{ID: m.ID, AuthorID: w.bob.UserID, RecordedAt: m.RecordedAt, CreatedAt: m.CreatedAt},
			Original:     storage.ManifestOriginal{Key: m.Original.Key, Format: "wav", Bytes: 44, SHA256: "ab", Filename: "clip.wav"},
		}
		if !reflect.DeepEqual(got, want) || transcript != nil {
			t.Errorf("%+v\n%+v", got, want)
		}
		_, _, err := w.Manifest(t.Context(), m.ID)
		wantErr(t, err, storage.ErrNotFound) // written as it is

		task := w.begin(job)
		w.check(w.SaveSound(t.Context(), task, pipeline.Sound{DurationMS: 700, Peaks: make([]float64, 100), LoudnessLUFS: -18.5}))
		w.check(w.SaveRendition(t.Context(), task, rendition(task)))
		w.check(w.SaveTranscript(t.Context(), task, spoken("well said")))
		got, transcript = w.written(m.ID)
		if got.Message.DurationMS != 700 || *got.Message.LoudnessLUFS != -18.5 || len(got.Message.Waveform) != 100 ||
			got.Rendition == nil || got.Rendition.Key != task.RenditionKey || got.TranscriptVersion != 1 {
			t.Errorf("%+v", got)
		}
		if transcript == nil || transcript.Version != 1 || transcript.Text() != "well said" {
			t.Errorf("%+v", transcript)
		}

		// A recording has a manifest when its sound is in the store.
		if stale := w.stale(); len(stale) != 0 {
			t.Errorf("stale: %v", stale)
		}
		w.finish(finished(live, "n1", "spoken live"))
		if got, transcript := w.written(live.ID); got.Message.DurationMS != 2500 || transcript.Text() != "spoken live" {
			t.Errorf("%+v, %+v", got, transcript)
		}
	})
}

// Whatever a manifest tells makes it stale when it changes: of a message its
// own, of a conversation and its members that of the newest message.
func TestManifestGoesStale(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		older, newer := w.say(w.ada, w.room.ID, "older"), w.say(w.bob, w.room.ID, "newer")
		title := "Other"
		for _, change := range []struct {
			what  string
			of    string
			do    func() error
			holds func(storage.Manifest) bool
		}{
			{"title", older.ID, func() error {
				_, err := w.UpdateMessage(t.Context(), w.ada, older.ID, storage.MessagePatch{Title: &title})
				return err
			}, func(m storage.Manifest) bool { return m.Message.Title == "Other" }},
			{"conversation", newer.ID, func() error {
				_, err := w.UpdateConversation(t.Context(), w.ada, w.room.ID, "hall")
				return err
			}, func(m storage.Manifest) bool { return m.Conversation.Title == "hall" }},
			{"new member", newer.ID, func() error {
				return w.AddConversationMember(t.Context(), w.ada, w.room.ID, w.eve.UserID)
			}, func(m storage.Manifest) bool { return slices.Contains(m.Conversation.Members, w.eve.UserID) }},
			{"member who left", newer.ID, func() error {
				return w.RemoveConversationMember(t.Context(), w.ada, w.room.ID, w.eve.UserID)
			}, func(m storage.Manifest) bool { return !slices.Contains(m.Conversation.Members, w.eve.UserID) }},
		} {
			for _, id := range w.stale() {
				w.written(id)
			}
			w.check(change.do())
			if stale := w.stale(); !slices.Equal(stale, []string{change.of}) {
				t.Fatalf("%s: stale are %v", change.what, stale)
			}
			if m, _ := must2(w.Manifest(t.Context(), change.of))(t); !change.holds(m) {
				t.Errorf("%s: %+v", change.what, m)
			}
		}
		// One that changes while its manifest is written stays stale.
		m, _ := must2(w.Manifest(t.Context(), newer.ID))(t)
		must(w.UpdateMessage(t.Context(), w.bob, newer.ID, storage.MessagePatch{Title: &title}))(t)
		w.check(w.ManifestWritten(t.Context(), m))
		if stale := w.stale(); !slices.Equal(stale, []string{newer.ID}) {
			t.Errorf("stale: %v", stale)
		}
		// Of two that are written at once, nobody knows which lies there.
		first, _ := must2(w.Manifest(t.Context(), newer.ID))(t)
		title = "Last"
		must(w.UpdateMessage(t.Context(), w.bob, newer.ID, storage.MessagePatch{Title: &title}))(t)
		second, _ := must2(w.Manifest(t.Context(), newer.ID))(t)
		w.check(w.ManifestWritten(t.Context(), first))
		w.check(w.ManifestWritten(t.Context(), second))
		if stale := w.stale(); !slices.Equal(stale, []string{newer.ID}) {
			t.Errorf("stale: %v", stale)
		}
		w.check(w.DeleteMessage(t.Context(), w.bob, newer.ID))
		wantErr(t, w.ManifestWritten(t.Context(), m), storage.ErrNotFound)
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
		w := &world{DB: db, tb: t}
		w.check(db.Rebind(ctx, "s3"))
		if b := must(db.Binding(ctx))(t); b.Store != "s3" || b.Database != none.Database {
			t.Errorf("%+v", b)
		}
	})
}
