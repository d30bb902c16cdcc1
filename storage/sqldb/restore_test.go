package sqldb_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"hark/media/transcript"
	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// What the API would refuse is not kept because a manifest says it, and a
// transcript comes back with what it does not know.
func TestRestoreTidies(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		lost := storagetest.New(t)
		h := newHarness(t, lost)
		sent, job := h.send(h.ada, h.room.ID)
		said := spoken("half of it")
		said.Segments[0].Channel, said.LanguageDoubt = 2, true
		said.AddGaps(transcript.Gap{StartMS: 9000, EndMS: 9500, Reason: transcript.NotUnderstood})
		h.check(h.SaveTranscript(t.Context(), h.begin(job), said))
		m, transcript := h.written(sent.ID)
		m.Message.Title, m.Conversation.Title, m.Workspace.Name = strings.Repeat("x", 500), "a\nb", strings.Repeat("y", 500)
		m.Message.RecordedAt, m.Message.DurationMS, m.Original.Filename = storage.Now().Add(time.Hour), -4, "../x.wav"

		h.check(db.RestoreWorkspace(t.Context(), m.Workspace))
		must(db.Restore(t.Context(), m.Workspace.ID, []sqldb.Restored{{Manifest: m, Transcript: transcript}}))(t)
		got := must(db.Message(t.Context(), h.ada, sent.ID))(t)
		if len(got.Title) != storage.MaxTitle || got.RecordedAt.After(got.CreatedAt) || got.DurationMS != 0 || got.Original.Filename != "x.wav" {
			t.Errorf("%+v", got)
		}
		if c := must(db.Conversation(t.Context(), h.ada, h.room.ID))(t); c.Title != "a b" {
			t.Errorf("%+v", c)
		}
		back := must(db.Transcript(t.Context(), h.ada, sent.ID))(t)
		if !reflect.DeepEqual(back.Gaps, said.Gaps) || !back.LanguageDoubt || back.Segments[0].Channel != 2 {
			t.Errorf("%+v", back)
		}
		if due := must(db.DueJobs(t.Context(), 10))(t); len(due) != 1 {
			t.Errorf("due: %+v", due) // to be measured
		}
	})
}

// What manifests tell of one database makes the same messages in another, for
// the same people, found by the same words.
func TestRestore(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		lost := storagetest.New(t)
		h := newHarness(t, lost)
		ready, job := h.send(h.bob, h.room.ID)
		task := h.begin(job)
		h.check(h.SaveSound(t.Context(), task, storage.Sound{DurationMS: 700, Peaks: make([]float64, 100), LoudnessLUFS: -18.5}))
		h.check(h.SaveRendition(t.Context(), task, rendition(task)))
		h.check(h.SaveTranscript(t.Context(), task, spoken("never lost")))
		silent, _ := h.send(h.ada, h.room.ID)
		live := h.speak("n1")

		var all []sqldb.Restored
		for _, id := range []string{ready.ID, silent.ID} {
			m, transcript := h.written(id)
			all = append(all, sqldb.Restored{Manifest: m, Transcript: transcript})
		}
		inPieces := all[1].Manifest
		inPieces.Message.ID, inPieces.Original, inPieces.Message.CreatedAt = live.ID, storage.ManifestOriginal{Key: live.Original.Key}, live.CreatedAt
		all = append(all, sqldb.Restored{Manifest: inPieces, Node: "n1"})

		begun, _ := must2(db.Bootstrap(t.Context(), "Hark", "Owner"))(t)
		h.check(db.SetEmail(t.Context(), begun.UserID, "ada@example.org"))
		_, _, err := db.CreateInvitation(t.Context(), begun, storage.NewInvitation{Role: storage.RoleMember, Uses: 1, Life: time.Hour})
		h.check(err)
		for again := range 2 {
			h.check(db.RestoreWorkspace(t.Context(), all[0].Workspace))
			if n := must(db.Restore(t.Context(), h.ada.WorkspaceID, all))(t); n != 3*(1-again) {
				t.Errorf("restored %d", n)
			}
		}
		for _, m := range []storage.Message{ready, silent, live} {
			want, got := must(lost.Message(t.Context(), h.bob, m.ID))(t), must(db.Message(t.Context(), h.bob, m.ID))(t)
			got.UpdatedAt = want.UpdatedAt
			if !got.Heard.Done {
				t.Errorf("%s is new again", m.ID)
			}
			want.Heard = got.Heard
			if m.ID == live.ID {
				got.RecordedAt = want.RecordedAt
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("restored\n%+v from\n%+v", got, want)
			}
		}
		if got := must(db.Transcript(t.Context(), h.bob, ready.ID))(t); got.Text() != "never lost" || got.Version != 1 {
			t.Errorf("%+v", got)
		}
		if r := must(db.Search(t.Context(), h.ada, storage.Query{Text: "lost"}))(t); len(r.Hits) != 1 {
			t.Errorf("hits %+v", r.Hits)
		}
		if c := must(db.Conversation(t.Context(), h.ada, h.room.ID))(t); c.MemberCount != 2 || !c.LastMessageAt.Equal(live.CreatedAt) {
			t.Errorf("%+v", c)
		}
		_, err = db.Message(t.Context(), h.eve, ready.ID)
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
		if created || owner.UserID != h.ada.UserID {
			t.Errorf("the owner is %+v", owner)
		}
		h.check(db.SetEmail(t.Context(), h.ada.UserID, "ada@example.org")) // which is nobody else's any more
		if names := must(db.DropUnusedWorkspaces(t.Context()))(t); len(names) != 0 {
			t.Errorf("dropped %v", names)
		}
	})
}
