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
func (h *harness) speak(node string) storage.Message {
	h.tb.Helper()
	return must(h.BeginRecording(h.tb.Context(), h.ada, newRecording(h.room, node)))(h.tb)
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

func (h *harness) finish(f storage.FinishedRecording) (storage.Message, storage.JobRef) {
	h.tb.Helper()
	return must(h.FinishRecording(h.tb.Context(), f))(h.tb), h.jobOf(f.ID)
}

// said lists the messages in which bob finds a word.
func (h *harness) said(word string) []string {
	h.tb.Helper()
	var ids []string
	for _, hit := range must(h.Search(h.tb.Context(), h.bob, storage.Query{Text: word}))(h.tb).Hits {
		ids = append(ids, hit.Message.ID)
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
		h := newHarness(t, db)
		question, _ := h.send(h.bob, h.room.ID)
		seq := must(h.LastSeq(t.Context(), h.bob))(t)
		r := newRecording(h.room, "n1")
		r.Title, r.ReplyTo, r.ReplyAtMS = "Hm\x00", question.ID, 700
		m := must(h.BeginRecording(t.Context(), h.ada, r))(t)
		want := storage.Message{
			ID: r.ID, WorkspaceID: h.ada.WorkspaceID, ConversationID: h.room.ID, AuthorID: h.ada.UserID, AuthorName: "Ada", AuthorNo: 1, AuthorKind: storage.KindPerson,
			Draft: storage.Draft{Title: "Hm", ReplyTo: question.ID, ReplyAtMS: 700, RecordedAt: m.CreatedAt}, State: storage.Recording, Original: storage.Original{Key: r.OriginalKey},
			CreatedAt: m.CreatedAt, UpdatedAt: m.CreatedAt, Heard: storage.Heard{Done: true},
		}
		if !reflect.DeepEqual(m, want) || time.Since(m.CreatedAt) > time.Minute {
			t.Errorf("got  %+v\nwant %+v", m, want)
		}
		events := must(h.EventsAfter(t.Context(), h.bob, seq, 0))(t)
		if len(events) != 1 || events[0].Type != storage.MessageCreated || string(events[0].Data) != `{"state":"recording"}` {
			t.Errorf("events %+v", events)
		}
		if list := must(h.Messages(t.Context(), h.bob, h.room.ID, storage.MessagePage{}))(t).Messages; len(list) != 2 || list[0].ID != m.ID {
			t.Errorf("bob sees %+v", list)
		}
		live := must(h.RecordingsOf(t.Context(), "n1"))(t)
		if len(live) != 1 || live[0] != (storage.LiveRecording{
			MessageID: m.ID, WorkspaceID: m.WorkspaceID, ConversationID: m.ConversationID, AuthorID: m.AuthorID, OriginalKey: m.Original.Key,
			Node: "n1", LeaseUntil: m.CreatedAt.Add(time.Minute), BegunAt: m.CreatedAt, Captions: storage.CaptionsPrivate,
		}) {
			t.Errorf("live %+v", live)
		}

		// It has no job, and nothing minds that.
		due := must(h.DueJobs(t.Context(), 10))(t)
		if slices.ContainsFunc(due, func(j storage.JobRef) bool { return j.ID == m.ID }) {
			t.Errorf("due %v", due)
		}
		_, err := h.RetryMessage(t.Context(), h.ada, m.ID)
		wantErr(t, err, storage.ErrConflict)
		_, err = h.BeginJob(t.Context(), storage.Transcribe, m.ID, "worker", time.Minute)
		wantErr(t, err, storage.ErrNotFound)
		_, err = h.Transcript(t.Context(), h.ada, m.ID)
		wantErr(t, err, storage.ErrNotFound)
		title := "Yes"
		if got := must(h.UpdateMessage(t.Context(), h.ada, m.ID, storage.MessagePatch{Title: &title}))(t); got.Title != title || got.State != storage.Recording {
			t.Errorf("renamed %+v", got)
		}

		for _, key := range []string{m.Original.Key, storage.PiecesOf(m.Original.Key) + "000003"} {
			if !h.known(key) {
				t.Errorf("%s is not known", key)
			}
		}
		h.finish(finished(m, "n1", ""))
		if h.known(storage.PiecesOf(m.Original.Key) + "000003") {
			t.Error("a piece is known when the whole is there")
		}
	})
}

func TestHeardMessageIsReadyWhenItEnds(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.speak("n1")
		seq := must(h.LastSeq(t.Context(), h.bob))(t)
		f := finished(m, "n1", "heard while spoken")
		f.EndReason = "disconnected"
		got, job := h.finish(f)
		if got.State != storage.Ready || got.Progress != 1 || got.DurationMS != 2500 || got.Original != f.Original || *got.Loudness != -20.5 ||
			len(got.Waveform) != 100 || got.Waveform[7] != 0.5 || got.TranscriptVersion != 1 || got.Language != "en" || got.EndReason != "disconnected" {
			t.Errorf("message %+v", got)
		}
		again := h.state(m.ID)
		again.Heard = storage.Heard{} // which who finishes it is not told
		if !reflect.DeepEqual(again, got) {
			t.Errorf("read again: %+v", again)
		}
		if said := h.said("spoken"); !slices.Equal(said, []string{m.ID}) {
			t.Errorf("found %v", said)
		}
		if live := must(h.RecordingsOf(t.Context(), "n1"))(t); len(live) != 0 {
			t.Errorf("live %v", live)
		}
		if due := must(h.DueJobs(t.Context(), 10))(t); !slices.Equal(due, []storage.JobRef{job}) || job.ID != m.ID || job.Attempt != 0 {
			t.Errorf("due %v, job %v", due, job)
		}

		// Again, after a crash between the commit and what came next.
		other := finished(m, "n1", "something else")
		again, sameJob := h.finish(other)
		if !reflect.DeepEqual(again, got) || sameJob != job {
			t.Errorf("finished again: %+v, %v", again, sameJob)
		}

		_, err := h.RetryMessage(t.Context(), h.ada, m.ID)
		wantErr(t, err, storage.ErrConflict) // its job has not ended
		task := h.begin(job)
		if !task.HaveTranscript || !task.HaveSound || task.HaveRendition || task.Format != "ogg_opus" || task.Bytes != 77 {
			t.Errorf("task %+v", task)
		}
		_, err = h.SaveProgress(t.Context(), task, 0.5)
		wantErr(t, err, storage.ErrStale)
		h.check(h.SaveRendition(t.Context(), task, rendition(task)))
		for range 2 { // the second time changes nothing
			h.check(h.FinishJob(t.Context(), task.Job))
		}
		wantErr(t, h.FailJob(t.Context(), task.Job, "late", -1), storage.ErrStale)
		h.alwaysReady(m.ID, seq)

		_, err = h.RetryMessage(t.Context(), h.ada, m.ID)
		h.check(err)
		task = h.begin(h.jobOf(m.ID))
		if task.HaveTranscript || !task.HaveRendition || h.state(m.ID).State != storage.Processing {
			t.Errorf("retried: task %+v, state %s", task, h.state(m.ID).State)
		}
		wantErr(t, h.FinishJob(t.Context(), task.Job), storage.ErrStale)
		h.check(h.SaveTranscript(t.Context(), task, spoken("heard again")))
		if h.state(m.ID).TranscriptVersion != 2 || len(h.said("spoken")) != 0 || len(h.said("again")) != 1 {
			t.Errorf("after the retry: %+v", h.state(m.ID))
		}
	})
}

// alwaysReady fails the test unless the message is ready and every event of it
// since seq said so.
func (h *harness) alwaysReady(id string, seq int64) {
	h.tb.Helper()
	if got := h.state(id); got.State != storage.Ready || got.FailureReason != "" || got.Progress != 1 {
		h.tb.Errorf("message %+v", got)
	}
	events := must(h.EventsAfter(h.tb.Context(), h.bob, seq, 0))(h.tb)
	for _, e := range events {
		if e.MessageID == id && string(e.Data) != `{"state":"ready"}` {
			h.tb.Errorf("listeners were told %s", e.Data)
		}
	}
	if len(events) == 0 {
		h.tb.Error("nothing was told")
	}
}

func TestPoorTranscriptIsImprovedBehindTheScenes(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.speak("n1")
		seq := must(h.LastSeq(t.Context(), h.bob))(t)
		f := finished(m, "n1", "half of it")
		f.Improve = true
		_, job := h.finish(f)
		h.check(h.FailJob(t.Context(), h.begin(job).Job, "later", 0))
		h.check(h.ReleaseJob(t.Context(), h.begin(job).Job))
		task := h.begin(job)
		if task.HaveTranscript || !task.HaveSound || task.Attempt != 3 {
			t.Errorf("task %+v", task)
		}
		if said := h.said("half"); len(said) != 1 {
			t.Errorf("found %v meanwhile", said)
		}
		h.check(h.SaveTranscript(t.Context(), task, spoken("all of it")))
		if tr := must(h.Transcript(t.Context(), h.bob, m.ID))(t); tr.Version != 2 || tr.Text() != "all of it" {
			t.Errorf("transcript %+v", tr)
		}
		if len(h.said("half")) != 0 || len(h.said("all")) != 1 {
			t.Errorf("found %v and %v", h.said("half"), h.said("all"))
		}
		h.alwaysReady(m.ID, seq)
	})
}

func TestFailuresLeaveAReadyMessageReady(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		seq := must(h.LastSeq(t.Context(), h.bob))(t)
		m := h.speak("n1")
		seq++
		_, job := h.finish(finished(m, "n1", "kept"))
		h.check(h.FailJob(t.Context(), h.begin(job).Job, "No encoder.", -1))
		h.alwaysReady(m.ID, seq)
		_, err := h.BeginJob(t.Context(), storage.Transcribe, job.ID, "worker", time.Minute)
		wantErr(t, err, storage.ErrNotFound)

		// One whose workers die is given up too.
		m = h.speak("n1")
		seq = must(h.LastSeq(t.Context(), h.bob))(t)
		_, job = h.finish(finished(m, "n1", "kept"))
		for err = nil; !errors.Is(err, storage.ErrNotFound); {
			if _, err = h.BeginJob(t.Context(), storage.Transcribe, job.ID, "dies", 0); errors.Is(err, storage.ErrBusy) {
				h.check(h.EndWaits(t.Context()))
			}
		}
		h.alwaysReady(m.ID, seq)
		if _, err := h.RetryMessage(t.Context(), h.ada, m.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestUnheardRecordingIsReceived(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.speak("n1")
		f := finished(m, "n1", "")
		f.DurationMS = (11 * time.Minute).Milliseconds()
		got, job := h.finish(f)
		if got.State != storage.Received || got.TranscriptVersion != 0 || got.Waveform != nil || got.Loudness != nil || got.EndReason != "" {
			t.Errorf("message %+v", got)
		}
		if job.Priority != storage.PriorityOf(11*time.Minute) || job.Priority == storage.PriorityOf(time.Minute) {
			t.Errorf("priority %v", job.Priority)
		}
		task := h.begin(job)
		if task.HaveTranscript || task.HaveSound || h.state(m.ID).State != storage.Processing {
			t.Errorf("task %+v", task)
		}
		h.check(h.SaveTranscript(t.Context(), task, spoken("at last")))
		if h.state(m.ID).State != storage.Ready || len(h.said("last")) != 1 {
			t.Errorf("message %+v", h.state(m.ID))
		}
	})
}

func TestDroppedAndDeletedRecordingsLeaveNothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		dropped, deleted := h.speak("n1"), h.speak("n1")
		other := h.conversation(h.ada)
		gone := must(h.BeginRecording(t.Context(), h.ada, newRecording(other, "n1")))(t)
		wantErr(t, h.DropRecording(t.Context(), dropped.ID, "n2"), storage.ErrStale)
		seq := must(h.LastSeq(t.Context(), h.bob))(t)
		h.check(h.DropRecording(t.Context(), dropped.ID, "n1"))
		events := must(h.EventsAfter(t.Context(), h.bob, seq, 0))(t)
		if len(events) != 1 || events[0].Type != storage.MessageDeleted || events[0].MessageID != dropped.ID {
			t.Errorf("events %+v", events)
		}
		h.check(h.DeleteMessage(t.Context(), h.ada, deleted.ID))
		h.check(h.DeleteConversation(t.Context(), h.ada, other.ID))
		h.purge(1)

		if held := must(h.RenewRecordings(t.Context(), "n1", time.Minute))(t); len(held) != 0 {
			t.Errorf("held %v", held)
		}
		for _, m := range []storage.Message{dropped, deleted, gone} {
			_, err := h.FinishRecording(t.Context(), finished(m, "n1", "too late"))
			wantErr(t, err, storage.ErrNotFound)
			wantErr(t, h.DropRecording(t.Context(), m.ID, "n1"), storage.ErrNotFound)
			_, err = h.ClaimRecording(t.Context(), m.ID, "n1", "n2", time.Minute)
			wantErr(t, err, storage.ErrNotFound)
		}
		// A recorder may put the sound after the first deletion: it goes later.
		queued := must(h.ObjectsToDelete(t.Context(), 20))(t)
		for _, m := range []storage.Message{dropped, deleted, gone} {
			if key := storage.MessagePrefix(m.WorkspaceID, m.ID); !slices.Contains(queued, key) {
				t.Errorf("queued %v, not %s", queued, key)
			}
		}
		h.check(h.ForgetObjects(t.Context(), queued))
		if again := must(h.ObjectsToDeleteAgain(t.Context()))(t); len(again) != len(queued) {
			t.Errorf("once more: %v", again)
		}
		if c := must(h.Conversation(t.Context(), h.ada, h.room.ID))(t); !c.LastMessageAt.IsZero() {
			t.Errorf("the room's last message was at %v", c.LastMessageAt)
		}
		m := h.speak("n1")
		h.finish(finished(m, "n1", ""))
		wantErr(t, h.DropRecording(t.Context(), m.ID, "n1"), storage.ErrStale)
	})
}

func TestAnotherNodeTakesOver(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		r := newRecording(h.room, "n1")
		r.Lease = -time.Minute // over since
		m := must(h.BeginRecording(t.Context(), h.ada, r))(t)
		mine := h.speak("n2")
		if lost := must(h.LostRecordings(t.Context(), 0, 9))(t); !slices.Equal(ids(lost), []string{m.ID}) {
			t.Errorf("lost %v", lost)
		}
		if lost := must(h.LostRecordings(t.Context(), 2*time.Minute, 9))(t); len(lost) != 0 {
			t.Errorf("lost two minutes ago: %v", lost)
		}
		_, err := h.ClaimRecording(t.Context(), m.ID, "n3", "n2", time.Minute)
		wantErr(t, err, storage.ErrBusy) // it is not n3's
		_, err = h.ClaimRecording(t.Context(), mine.ID, "n2", "n1", time.Minute)
		wantErr(t, err, storage.ErrBusy) // n2 has renewed it meanwhile
		must(h.ClaimRecording(t.Context(), mine.ID, "n2", "n2", time.Minute))(t)

		got := must(h.ClaimRecording(t.Context(), m.ID, "n1", "n2", time.Minute))(t)
		if got.MessageID != m.ID || got.Node != "n2" || got.OriginalKey != m.Original.Key || got.WorkspaceID != m.WorkspaceID || !got.LeaseUntil.After(storage.Now()) {
			t.Errorf("claimed %+v", got)
		}
		if held := must(h.RenewRecordings(t.Context(), "n1", time.Minute))(t); len(held) != 0 {
			t.Errorf("n1 holds %v", held)
		}
		held := must(h.RenewRecordings(t.Context(), "n2", 5*time.Minute))(t)
		slices.Sort(held)
		if !slices.Equal(held, []string{m.ID, mine.ID}) {
			t.Errorf("n2 holds %v", held)
		}
		for _, live := range must(h.RecordingsOf(t.Context(), "n2"))(t) {
			if time.Until(live.LeaseUntil) < 4*time.Minute {
				t.Errorf("lease %v", live.LeaseUntil)
			}
		}

		_, err = h.FinishRecording(t.Context(), finished(m, "n1", "late"))
		wantErr(t, err, storage.ErrStale)
		wrong := finished(m, "n2", "")
		wrong.Original.Key = "elsewhere"
		if _, err := h.FinishRecording(t.Context(), wrong); err == nil {
			t.Error("an original at another key was taken")
		}
		h.finish(finished(m, "n2", "in time"))
		if got, _ := h.finish(finished(m, "n1", "late")); got.TranscriptVersion != 1 || len(h.said("late")) != 0 {
			t.Errorf("message %+v", got)
		}
	})
}

// An author who has left meanwhile is recorded to the end.
func TestAuthorLeavesMeanwhile(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := must(h.BeginRecording(t.Context(), h.bob, newRecording(h.room, "n1")))(t)
		h.check(h.RemoveConversationMember(t.Context(), h.bob, h.room.ID, h.bob.UserID))
		if got, _ := h.finish(finished(m, "n1", "goodbye")); got.State != storage.Ready || got.AuthorName != "Bob" {
			t.Errorf("message %+v", got)
		}
	})
}

func TestOngoingRecordings(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		check := func(want ...storage.OngoingRecording) {
			t.Helper()
			got := must(h.OngoingRecordings(t.Context(), h.ada, h.room.ID))(t)
			for i := range got {
				if !got[i].PausedAt.IsZero() && time.Since(got[i].PausedAt) < time.Minute {
					got[i].PausedAt = time.Unix(1, 0)
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		}
		check()
		m := h.speak("n1")
		draft := newRecording(h.room, "n2") // what it becomes is for bob alone; that he records is not
		draft.Unsent = true
		bobs := must(h.BeginRecording(t.Context(), h.bob, draft))(t)
		ada := storage.OngoingRecording{UserID: h.ada.UserID, UserName: "Ada", UserNo: m.AuthorNo, UserKind: storage.KindPerson, StartedAt: m.CreatedAt}
		bob := storage.OngoingRecording{UserID: h.bob.UserID, UserName: "Bob", UserNo: bobs.AuthorNo, UserKind: storage.KindPerson, StartedAt: bobs.CreatedAt}
		check(ada, bob)
		for _, paused := range []bool{false, true, true, false, true} {
			h.check(h.PauseRecording(t.Context(), m.ID, "n1", paused))
			if ada.PausedAt = (time.Time{}); paused {
				ada.PausedAt = time.Unix(1, 0)
			}
			check(ada, bob)
		}
		wantErr(t, h.PauseRecording(t.Context(), m.ID, "n2", false), storage.ErrStale)
		for _, outsider := range []storage.Principal{h.eve, h.mal} {
			_, err := h.OngoingRecordings(t.Context(), outsider, h.room.ID)
			wantErr(t, err, storage.ErrNotFound)
		}

		h.finish(finished(m, "n1", ""))
		check(bob)
		wantErr(t, h.PauseRecording(t.Context(), m.ID, "n1", true), storage.ErrStale)
		must(h.RenewRecordings(t.Context(), "n2", -time.Second))(t) // the node has fallen silent
		check()
	})
}
