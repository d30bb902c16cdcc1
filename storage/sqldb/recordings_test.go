package sqldb_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func newRecording(room storage.Conversation, node string) storage.NewRecording {
	id := storage.NewID()
	return storage.NewRecording{
		ID: id, ConversationID: room.ID, OriginalKey: storage.NewOriginalKey(room.WorkspaceID, id), Node: node,
		Lease: time.Minute, Captions: storage.CaptionsPrivate,
	}
}

// speak begins a recording by ada in the room.
func (w *world) speak(node string) storage.Message {
	w.tb.Helper()
	return must(w.BeginRecording(w.tb.Context(), w.ada, newRecording(w.room, node)))(w.tb)
}

// finished is what the recorder of a node says of a recording at its end; the
// job has to listen unless text is given.
func finished(m storage.Message, node, text string) storage.FinishedRecording {
	f := storage.FinishedRecording{
		ID: m.ID, Node: node, DurationMS: 2500,
		Original: storage.Original{Key: m.Original.Key, Format: "ogg_opus", Bytes: 77, SHA256: "cd"},
	}
	if text != "" {
		loudness := -20.5
		f.Transcript, f.LoudnessLUFS, f.Peaks = spoken(text), &loudness, make([]float64, 100)
		f.Peaks[7] = 0.5
	}
	return f
}

func (w *world) finish(f storage.FinishedRecording) (storage.Message, storage.JobRef) {
	w.tb.Helper()
	return must2(w.FinishRecording(w.tb.Context(), f))(w.tb)
}

// said lists the messages in which bob finds a word.
func (w *world) said(word string) []string {
	w.tb.Helper()
	var ids []string
	for _, h := range must(w.Search(w.tb.Context(), w.bob, storage.Query{Text: word}))(w.tb).Hits {
		ids = append(ids, h.Message.ID)
	}
	return ids
}

func ids(list []storage.LiveRecording) []string {
	var ids []string
	for _, r := range list {
		ids = append(ids, r.MessageID)
	}
	return ids
}

func TestWhileItIsSpoken(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		question, _ := w.send(w.bob, w.room.ID)
		seq := must(w.LastSeq(t.Context(), w.bob))(t)
		r := newRecording(w.room, "n1")
		r.Title, r.ReplyTo, r.ReplyAtMS = "Hm\x00", question.ID, 700
		m := must(w.BeginRecording(t.Context(), w.ada, r))(t)
		want := storage.Message{
			ID: r.ID, WorkspaceID: w.ada.WorkspaceID, ConversationID: w.room.ID, AuthorID: w.ada.UserID, AuthorName: "Ada",
			Title: "Hm", ReplyTo: question.ID, ReplyAtMS: 700, State: storage.Recording, Original: storage.Original{Key: r.OriginalKey},
			RecordedAt: m.CreatedAt, CreatedAt: m.CreatedAt, UpdatedAt: m.CreatedAt,
		}
		if !reflect.DeepEqual(m, want) || time.Since(m.CreatedAt) > time.Minute {
			t.Errorf("got  %+v\nwant %+v", m, want)
		}
		events := must(w.EventsAfter(t.Context(), w.bob, seq, 0))(t)
		if len(events) != 1 || events[0].Type != storage.MessageCreated || string(events[0].Data) != `{"state":"recording"}` {
			t.Errorf("events %+v", events)
		}
		if list := must(w.Messages(t.Context(), w.bob, w.room.ID, storage.MessagePage{}))(t).Messages; len(list) != 2 || list[0].ID != m.ID {
			t.Errorf("bob sees %+v", list)
		}
		live := must(w.RecordingsOf(t.Context(), "n1"))(t)
		if len(live) != 1 || live[0] != (storage.LiveRecording{
			MessageID: m.ID, WorkspaceID: m.WorkspaceID, ConversationID: m.ConversationID, AuthorID: m.AuthorID, OriginalKey: m.Original.Key,
			Node: "n1", LeaseUntil: m.CreatedAt.Add(time.Minute), BegunAt: m.CreatedAt, Captions: storage.CaptionsPrivate,
		}) {
			t.Errorf("live %+v", live)
		}

		// It has no job, and nothing minds that.
		due := must(w.DueJobs(t.Context(), 10))(t)
		if slices.ContainsFunc(due, func(j storage.JobRef) bool { return j.ID == m.ID }) {
			t.Errorf("due %v", due)
		}
		_, _, err := w.RetryMessage(t.Context(), w.ada, m.ID)
		wantErr(t, err, storage.ErrConflict)
		_, err = w.BeginJob(t.Context(), m.ID, "worker", time.Minute)
		wantErr(t, err, storage.ErrNotFound)
		_, err = w.Transcript(t.Context(), w.ada, m.ID)
		wantErr(t, err, storage.ErrNotFound)
		title := "Yes"
		if got := must(w.UpdateMessage(t.Context(), w.ada, m.ID, storage.MessagePatch{Title: &title}))(t); got.Title != title || got.State != storage.Recording {
			t.Errorf("renamed %+v", got)
		}

		for _, key := range []string{m.Original.Key, storage.PiecesOf(m.Original.Key) + "000003"} {
			if !w.known(key) {
				t.Errorf("%s is not known", key)
			}
		}
		w.finish(finished(m, "n1", ""))
		if w.known(storage.PiecesOf(m.Original.Key) + "000003") {
			t.Error("a piece is known when the whole is there")
		}
	})
}

func TestHeardMessageIsReadyWhenItEnds(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m := w.speak("n1")
		seq := must(w.LastSeq(t.Context(), w.bob))(t)
		f := finished(m, "n1", "heard while spoken")
		f.EndReason = "disconnected"
		got, job := w.finish(f)
		if got.State != storage.Ready || got.Progress != 1 || got.DurationMS != 2500 || got.Original != f.Original || *got.Loudness != -20.5 ||
			len(got.Waveform) != 100 || got.Waveform[7] != 0.5 || got.TranscriptVersion != 1 || got.Language != "en" || got.EndReason != "disconnected" {
			t.Errorf("message %+v", got)
		}
		if !reflect.DeepEqual(w.state(m.ID), got) {
			t.Errorf("read again: %+v", w.state(m.ID))
		}
		if said := w.said("spoken"); !slices.Equal(said, []string{m.ID}) {
			t.Errorf("found %v", said)
		}
		if live := must(w.RecordingsOf(t.Context(), "n1"))(t); len(live) != 0 {
			t.Errorf("live %v", live)
		}
		if due := must(w.DueJobs(t.Context(), 10))(t); !slices.Equal(due, []storage.JobRef{job}) || job.ID != m.ID || job.Attempt != 0 {
			t.Errorf("due %v, job %v", due, job)
		}

		// Again, after a crash between the commit and what came next.
		other := finished(m, "n1", "something else")
		again, sameJob := w.finish(other)
		if !reflect.DeepEqual(again, got) || sameJob != job {
			t.Errorf("finished again: %+v, %v", again, sameJob)
		}

		_, _, err := w.RetryMessage(t.Context(), w.ada, m.ID)
		wantErr(t, err, storage.ErrConflict) // its job has not ended
		task := w.begin(job)
		if !task.HaveTranscript || !task.HaveSound || task.HaveRendition || task.Format != "ogg_opus" || task.Bytes != 77 {
			t.Errorf("task %+v", task)
		}
		_, err = w.SaveProgress(t.Context(), task, 0.5)
		wantErr(t, err, storage.ErrStale)
		w.check(w.SaveRendition(t.Context(), task, rendition(task)))
		for range 2 { // the second time changes nothing
			w.check(w.FinishJob(t.Context(), task))
		}
		wantErr(t, w.FailJob(t.Context(), task, "late", -1), storage.ErrStale)
		w.alwaysReady(m.ID, seq)

		_, job, err = w.RetryMessage(t.Context(), w.ada, m.ID)
		w.check(err)
		task = w.begin(job)
		if task.HaveTranscript || !task.HaveRendition || w.state(m.ID).State != storage.Processing {
			t.Errorf("retried: task %+v, state %s", task, w.state(m.ID).State)
		}
		wantErr(t, w.FinishJob(t.Context(), task), storage.ErrStale)
		w.check(w.SaveTranscript(t.Context(), task, spoken("heard again")))
		if w.state(m.ID).TranscriptVersion != 2 || len(w.said("spoken")) != 0 || len(w.said("again")) != 1 {
			t.Errorf("after the retry: %+v", w.state(m.ID))
		}
	})
}

// alwaysReady fails the test unless the message is ready and every event of it
// since seq said so.
func (w *world) alwaysReady(id string, seq int64) {
	w.tb.Helper()
	if got := w.state(id); got.State != storage.Ready || got.FailureReason != "" || got.Progress != 1 {
		w.tb.Errorf("message %+v", got)
	}
	events := must(w.EventsAfter(w.tb.Context(), w.bob, seq, 0))(w.tb)
	for _, e := range events {
		if e.MessageID == id && string(e.Data) != `{"state":"ready"}` {
			w.tb.Errorf("listeners were told %s", e.Data)
		}
	}
	if len(events) == 0 {
		w.tb.Error("nothing was told")
	}
}

func TestPoorTranscriptIsImprovedBehindTheScenes(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m := w.speak("n1")
		seq := must(w.LastSeq(t.Context(), w.bob))(t)
		f := finished(m, "n1", "half of it")
		f.Improve = true
		_, job := w.finish(f)
		w.check(w.FailJob(t.Context(), w.begin(job), "later", 0))
		w.check(w.ReleaseJob(t.Context(), w.begin(job)))
		task := w.begin(job)
		if task.HaveTranscript || !task.HaveSound || task.Attempt != 3 {
			t.Errorf("task %+v", task)
		}
		if said := w.said("half"); len(said) != 1 {
			t.Errorf("found %v meanwhile", said)
		}
		w.check(w.SaveTranscript(t.Context(), task, spoken("all of it")))
		if tr := must(w.Transcript(t.Context(), w.bob, m.ID))(t); tr.Version != 2 || tr.Text() != "all of it" {
			t.Errorf("transcript %+v", tr)
		}
		if len(w.said("half")) != 0 || len(w.said("all")) != 1 {
			t.Errorf("found %v and %v", w.said("half"), w.said("all"))
		}
		w.alwaysReady(m.ID, seq)
	})
}

func TestFailuresLeaveAReadyMessageReady(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		seq := must(w.LastSeq(t.Context(), w.bob))(t)
		m := w.speak("n1")
		seq++
		_, job := w.finish(finished(m, "n1", "kept"))
		w.check(w.FailJob(t.Context(), w.begin(job), "No encoder.", -1))
		w.alwaysReady(m.ID, seq)
		_, err := w.BeginJob(t.Context(), job.ID, "worker", time.Minute)
		wantErr(t, err, storage.ErrNotFound)

		// One whose workers die is given up too.
		m = w.speak("n1")
		seq = must(w.LastSeq(t.Context(), w.bob))(t)
		_, job = w.finish(finished(m, "n1", "kept"))
		for err = nil; !errors.Is(err, storage.ErrNotFound); {
			if _, err = w.BeginJob(t.Context(), job.ID, "dies", 0); errors.Is(err, storage.ErrBusy) {
				w.check(w.EndWaits(t.Context()))
			}
		}
		w.alwaysReady(m.ID, seq)
		if _, _, err := w.RetryMessage(t.Context(), w.ada, m.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestUnheardRecordingIsReceived(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m := w.speak("n1")
		f := finished(m, "n1", "")
		f.DurationMS = (11 * time.Minute).Milliseconds()
		got, job := w.finish(f)
		if got.State != storage.Received || got.TranscriptVersion != 0 || got.Waveform != nil || got.Loudness != nil || got.EndReason != "" {
			t.Errorf("message %+v", got)
		}
		if job.Priority != storage.PriorityOf(11*time.Minute) || job.Priority == storage.PriorityOf(time.Minute) {
			t.Errorf("priority %v", job.Priority)
		}
		task := w.begin(job)
		if task.HaveTranscript || task.HaveSound || w.state(m.ID).State != storage.Processing {
			t.Errorf("task %+v", task)
		}
		w.check(w.SaveTranscript(t.Context(), task, spoken("at last")))
		if w.state(m.ID).State != storage.Ready || len(w.said("last")) != 1 {
			t.Errorf("message %+v", w.state(m.ID))
		}
	})
}

func TestDroppedAndDeletedRecordingsLeaveNothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		dropped, deleted := w.speak("n1"), w.speak("n1")
		other := w.conversation(w.ada)
		gone := must(w.BeginRecording(t.Context(), w.ada, newRecording(other, "n1")))(t)
		wantErr(t, w.DropRecording(t.Context(), dropped.ID, "n2"), storage.ErrStale)
		seq := must(w.LastSeq(t.Context(), w.bob))(t)
		w.check(w.DropRecording(t.Context(), dropped.ID, "n1"))
		events := must(w.EventsAfter(t.Context(), w.bob, seq, 0))(t)
		if len(events) != 1 || events[0].Type != storage.MessageDeleted || events[0].MessageID != dropped.ID {
			t.Errorf("events %+v", events)
		}
		w.check(w.DeleteMessage(t.Context(), w.ada, deleted.ID))
		w.check(w.DeleteConversation(t.Context(), w.ada, other.ID))

		if held := must(w.RenewRecordings(t.Context(), "n1", time.Minute))(t); len(held) != 0 {
			t.Errorf("held %v", held)
		}
		for _, m := range []storage.Message{dropped, deleted, gone} {
			_, _, err := w.FinishRecording(t.Context(), finished(m, "n1", "too late"))
			wantErr(t, err, storage.ErrNotFound)
			wantErr(t, w.DropRecording(t.Context(), m.ID, "n1"), storage.ErrNotFound)
			_, err = w.ClaimRecording(t.Context(), m.ID, "n1", "n2", time.Minute)
			wantErr(t, err, storage.ErrNotFound)
		}
		// A recorder may put the sound after the first deletion: it goes later.
		doomed := must(w.DoomedObjects(t.Context(), 20))(t)
		for _, m := range []storage.Message{dropped, deleted, gone} {
			if key := storage.MessagePrefix(m.WorkspaceID, m.ID); !slices.Contains(doomed, key) {
				t.Errorf("doomed %v, not %s", doomed, key)
			}
		}
		w.check(w.ForgetObjects(t.Context(), doomed))
		if again := must(w.DoomedAgain(t.Context()))(t); len(again) != len(doomed) {
			t.Errorf("once more: %v", again)
		}
		if c := must(w.Conversation(t.Context(), w.ada, w.room.ID))(t); !c.LastMessageAt.IsZero() {
			t.Errorf("the room's last message was at %v", c.LastMessageAt)
		}
		m := w.speak("n1")
		w.finish(finished(m, "n1", ""))
		wantErr(t, w.DropRecording(t.Context(), m.ID, "n1"), storage.ErrStale)
	})
}

func TestAnotherNodeTakesOver(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		r := newRecording(w.room, "n1")
		r.Lease = -time.Minute // over since
		m := must(w.BeginRecording(t.Context(), w.ada, r))(t)
		mine := w.speak("n2")
		if lost := must(w.LostRecordings(t.Context(), 0, 9))(t); !slices.Equal(ids(lost), []string{m.ID}) {
			t.Errorf("lost %v", lost)
		}
		if lost := must(w.LostRecordings(t.Context(), 2*time.Minute, 9))(t); len(lost) != 0 {
			t.Errorf("lost two minutes ago: %v", lost)
		}
		_, err := w.ClaimRecording(t.Context(), m.ID, "n3", "n2", time.Minute)
		wantErr(t, err, storage.ErrBusy) // it is not n3's
		_, err = w.ClaimRecording(t.Context(), mine.ID, "n2", "n1", time.Minute)
		wantErr(t, err, storage.ErrBusy) // n2 has renewed it meanwhile
		must(w.ClaimRecording(t.Context(), mine.ID, "n2", "n2", time.Minute))(t)

		got := must(w.ClaimRecording(t.Context(), m.ID, "n1", "n2", time.Minute))(t)
		if got.MessageID != m.ID || got.Node != "n2" || got.OriginalKey != m.Original.Key || got.WorkspaceID != m.WorkspaceID || !got.LeaseUntil.After(storage.Now()) {
			t.Errorf("claimed %+v", got)
		}
		if held := must(w.RenewRecordings(t.Context(), "n1", time.Minute))(t); len(held) != 0 {
			t.Errorf("n1 holds %v", held)
		}
		held := must(w.RenewRecordings(t.Context(), "n2", 5*time.Minute))(t)
		slices.Sort(held)
		if !slices.Equal(held, []string{m.ID, mine.ID}) {
			t.Errorf("n2 holds %v", held)
		}
		for _, live := range must(w.RecordingsOf(t.Context(), "n2"))(t) {
			if time.Until(live.LeaseUntil) < 4*time.Minute {
				t.Errorf("lease %v", live.LeaseUntil)
			}
		}

		_, _, err = w.FinishRecording(t.Context(), finished(m, "n1", "late"))
		wantErr(t, err, storage.ErrStale)
		wrong := finished(m, "n2", "")
		wrong.Original.Key = "elsewhere"
		if _, _, err := w.FinishRecording(t.Context(), wrong); err == nil {
			t.Error("an original at another key was taken")
		}
		w.finish(finished(m, "n2", "in time"))
		if got, _ := w.finish(finished(m, "n1", "late")); got.TranscriptVersion != 1 || len(w.said("late")) != 0 {
			t.Errorf("message %+v", got)
		}
	})
}

// An author who has left meanwhile is recorded to the end.
func TestAuthorLeavesMeanwhile(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m := must(w.BeginRecording(t.Context(), w.bob, newRecording(w.room, "n1")))(t)
		w.check(w.RemoveConversationMember(t.Context(), w.bob, w.room.ID, w.bob.UserID))
		if got, _ := w.finish(finished(m, "n1", "goodbye")); got.State != storage.Ready || got.AuthorName != "Bob" {
			t.Errorf("message %+v", got)
		}
	})
}
