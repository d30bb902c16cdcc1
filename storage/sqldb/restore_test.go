package sqldb_test

import (
	"reflect"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
	"hark/transcribe/pipeline"
)

// What manifests tell of one database makes the same messages in another, for
// the same people, found by the same words.
func TestRestore(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		lost := storagetest.New(t)
		w := newWorld(t, lost)
		ready, job := w.send(w.bob, w.room.ID)
		task := w.begin(job)
		w.check(w.SaveSound(t.Context(), task, pipeline.Sound{DurationMS: 700, Peaks: make([]float64, 100), LoudnessLUFS: -18.5}))
		w.check(w.SaveRendition(t.Context(), task, rendition(task)))
		w.check(w.SaveTranscript(t.Context(), task, spoken("never lost")))
		silent, _ := w.send(w.ada, w.room.ID)
		live := w.speak("n1")

		var all []sqldb.Restored
		for _, id := range []string{ready.ID, silent.ID} {
			m, transcript := w.written(id)
			all = append(all, sqldb.Restored{Manifest: m, Transcript: transcript})
		}
		inPieces := all[1].Manifest
		inPieces.Message.ID, inPieces.Original, inPieces.Message.CreatedAt = live.ID, storage.ManifestOriginal{Key: live.Original.Key}, live.CreatedAt
		all = append(all, sqldb.Restored{Manifest: inPieces, Node: "n1"})

		fresh, _ := must2(db.Bootstrap(t.Context(), "Hark", "Owner"))(t)
		must(db.CreateConversation(t.Context(), fresh, storage.Channel, "General", nil))(t)
		for again := range 2 {
			w.check(db.RestoreWorkspace(t.Context(), all[0].Workspace))
			if n := must(db.Restore(t.Context(), w.ada.WorkspaceID, all))(t); n != 3*(1-again) {
				t.Errorf("restored %d", n)
			}
		}
		for _, m := range []storage.Message{ready, silent, live} {
			want, got := must(lost.Message(t.Context(), w.bob, m.ID))(t), must(db.Message(t.Context(), w.bob, m.ID))(t)
			got.UpdatedAt = want.UpdatedAt
			if m.ID == live.ID {
				got.RecordedAt = want.RecordedAt
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("restored\n%+v from\n%+v", got, want)
			}
		}
		if got := must(db.Transcript(t.Context(), w.bob, ready.ID))(t); got.Text() != "never lost" || got.Version != 1 {
			t.Errorf("%+v", got)
		}
		if r := must(db.Search(t.Context(), w.ada, storage.Query{Text: "lost"}))(t); len(r.Hits) != 1 {
			t.Errorf("hits %+v", r.Hits)
		}
		if c := must(db.Conversation(t.Context(), w.ada, w.room.ID))(t); c.MemberCount != 2 || !c.LastMessageAt.Equal(live.CreatedAt) {
			t.Errorf("%+v", c)
		}
		_, err := db.Message(t.Context(), w.eve, ready.ID)
		wantErr(t, err, storage.ErrNotFound)
		if due := must(db.DueJobs(t.Context(), 10))(t); len(due) != 1 || due[0].ID != silent.ID {
			t.Errorf("due: %+v", due)
		}
		if mine := must(db.RecordingsOf(t.Context(), "n1"))(t); len(mine) != 1 || mine[0].MessageID != live.ID {
			t.Errorf("recordings: %+v", mine)
		}
		if got := must(db.LostRecordings(t.Context(), time.Minute, 10))(t); len(got) != 1 {
			t.Errorf("lost recordings: %+v", got)
		}

		// The workspace that the empty database was given is not needed any more.
		if names := must(db.DropUnusedWorkspaces(t.Context()))(t); len(names) != 1 || names[0] != "Hark" {
			t.Errorf("dropped %v", names)
		}
		owner, created := must2(db.Bootstrap(t.Context(), "Hark", "Owner"))(t)
		if created || owner.UserID != w.ada.UserID {
			t.Errorf("the owner is %+v", owner)
		}
		if names := must(db.DropUnusedWorkspaces(t.Context()))(t); len(names) != 0 {
			t.Errorf("dropped %v", names)
		}
	})
}
