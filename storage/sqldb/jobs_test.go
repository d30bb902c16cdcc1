package sqldb_test

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func (h *harness) state(id string) storage.Message {
	h.tb.Helper()
	return must(h.Message(h.tb.Context(), h.ada, id))(h.tb)
}

func TestJobFromStartToFinish(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m, job := h.send(h.ada, h.room.ID)
		task := h.begin(job)
		want := storage.Task{
			Job: storage.Job{
				JobRef:      storage.JobRef{ID: job.ID, Kind: storage.Transcribe, Attempt: 1},
				WorkspaceID: h.ada.WorkspaceID, Subject: m.ID, Try: 1,
			},
			MessageID: m.ID,
			Key:       m.Original.Key, Format: "wav", Bytes: 44, RenditionKey: task.RenditionKey,
		}
		if !reflect.DeepEqual(task, want) || task.RenditionKey != storage.RenditionKey(m.Original.Key) {
			t.Errorf("task %+v\nwant %+v", task, want)
		}
		if got := h.state(m.ID); got.State != storage.Processing {
			t.Errorf("state %s", got.State)
		}
		_, err := h.BeginJob(t.Context(), storage.Transcribe, job.ID, "other", time.Minute)
		wantErr(t, err, storage.ErrBusy)

		peaks := make([]float64, 100)
		peaks[3], peaks[4], peaks[5] = 0.1234, 2, math.NaN()
		h.check(h.SaveSound(t.Context(), task, storage.Sound{DurationMS: 2500, Peaks: peaks, LoudnessLUFS: math.Inf(-1)}))
		h.check(h.SaveRendition(t.Context(), task, storage.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 99}))
		if err := h.SaveRendition(t.Context(), task, storage.Rendition{Key: "elsewhere"}); err == nil {
			t.Error("a rendition at another key was taken")
		}
		for range 2 { // the second time changes nothing
			h.check(h.SaveTranscript(t.Context(), task, spoken("hello there")))
		}
		got := h.state(m.ID)
		if got.State != storage.Ready || got.Progress != 1 || got.DurationMS != 2500 || *got.Loudness != -70 ||
			got.TranscriptVersion != 1 || got.Language != "en" ||
			!reflect.DeepEqual(got.Rendition, &storage.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 99}) ||
			len(got.Waveform) != 100 || got.Waveform[3] != 0.1234 || got.Waveform[4] != 1 || got.Waveform[5] != 0 {
			t.Errorf("message %+v", got)
		}
		if !h.known(task.RenditionKey) {
			t.Error("the rendition is not known")
		}
		_, err = h.BeginJob(t.Context(), storage.Transcribe, job.ID, "other", time.Minute)
		wantErr(t, err, storage.ErrNotFound)
		wantErr(t, h.FailJob(t.Context(), task.Job, "late", -1), storage.ErrStale)

		_, err = h.RetryMessage(t.Context(), h.ada, m.ID)
		h.check(err)
		again := h.jobOf(m.ID)
		_, err = h.RetryMessage(t.Context(), h.ada, m.ID)
		wantErr(t, err, storage.ErrConflict)
		second := h.begin(again)
		if again.ID != job.ID || again.Attempt != 1 || second.Attempt != 2 || second.Try != 1 || !second.HaveRendition || !second.HaveSound {
			t.Errorf("again %+v, %+v", again, second)
		}
		wantErr(t, h.SaveTranscript(t.Context(), task, spoken("late")), storage.ErrStale)
		_, err = h.RetryMessage(t.Context(), h.ada, m.ID)
		wantErr(t, err, storage.ErrConflict)
	})
}

func TestExpiredLeaseGoesToAnotherWorker(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m, job := h.send(h.ada, h.room.ID)
		first := must(h.beginFor(job.ID, "first", 0))(t) // a lease that is over at once
		due := must(h.DueJobs(t.Context(), 10))(t)
		if !slices.Contains(due, storage.JobRef{ID: job.ID, Kind: storage.Transcribe, Attempt: 1}) {
			t.Errorf("due %v", due)
		}
		h.check(h.SaveSound(t.Context(), first, storage.Sound{DurationMS: 1})) // nobody took it over yet
		second := h.begin(job)
		if second.Attempt != 2 || !second.HaveSound {
			t.Errorf("second %+v", second)
		}
		wantErr(t, h.RenewLease(t.Context(), first.Job, time.Minute), storage.ErrStale)
		wantErr(t, h.SaveSound(t.Context(), first, storage.Sound{}), storage.ErrStale)
		wantErr(t, h.SaveTranscript(t.Context(), first, spoken("first")), storage.ErrStale)
		wantErr(t, h.FailJob(t.Context(), first.Job, "x", -1), storage.ErrStale)
		wantErr(t, h.ReleaseJob(t.Context(), first.Job), storage.ErrStale)
		h.check(h.RenewLease(t.Context(), second.Job, time.Minute))
		h.check(h.SaveTranscript(t.Context(), second, spoken("second")))
		wantErr(t, h.SaveTranscript(t.Context(), first, spoken("first")), storage.ErrStale)
		if tr := must(h.Transcript(t.Context(), h.ada, m.ID))(t); tr.Text() != "second" || tr.Version != 1 {
			t.Errorf("transcript %+v", tr)
		}
	})
}

func TestJobThatKillsItsWorkersFails(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m, job := h.send(h.ada, h.room.ID)
		attempts := 0
		for {
			_, err := h.BeginJob(t.Context(), storage.Transcribe, job.ID, "dies", 0) // a lease that is over at once
			switch {
			case err == nil:
				attempts++
				continue
			case errors.Is(err, storage.ErrBusy):
				// It waits, so that it takes no other job down with it.
				_, err := h.BeginJob(t.Context(), storage.Transcribe, job.ID, "dies", 0)
				wantErr(t, err, storage.ErrBusy)
				h.check(h.EndWaits(t.Context()))
				continue
			}
			wantErr(t, err, storage.ErrNotFound)
			break
		}
		if attempts < 20 || attempts > 30 {
			t.Errorf("given up after %d attempts", attempts)
		}
		if got := h.state(m.ID); got.State != storage.Failed || got.FailureReason == "" {
			t.Errorf("message %+v", got)
		}
		_, err := h.RetryMessage(t.Context(), h.ada, m.ID)
		h.check(err)
		if task := h.begin(h.jobOf(m.ID)); task.Attempt != attempts+1 || task.Try != 1 {
			t.Errorf("task %+v after %d attempts", task, attempts)
		}
	})
}

func TestFailAndRelease(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m, job := h.send(h.ada, h.room.ID)
		h.check(h.FailJob(t.Context(), h.begin(job).Job, "try later", time.Hour))
		if got := h.state(m.ID); got.State != storage.Received || got.FailureReason != "" {
			t.Errorf("message %+v", got)
		}
		if due := must(h.DueJobs(t.Context(), 10))(t); len(due) != 0 {
			t.Errorf("due at once: %v", due)
		}
		released := h.begin(job)
		h.check(h.ReleaseJob(t.Context(), released.Job))
		wantErr(t, h.ReleaseJob(t.Context(), released.Job), storage.ErrStale)
		task := h.begin(job)
		if task.Attempt != 3 || task.Try != 2 {
			t.Errorf("a released attempt counts: %+v", task)
		}
		h.check(h.SaveRendition(t.Context(), task, storage.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 1}))
		h.check(h.FailJob(t.Context(), task.Job, "The clip is broken.", -1))
		if got := h.state(m.ID); got.State != storage.Failed || got.FailureReason != "The clip is broken." || got.Hopeless || got.Rendition == nil {
			t.Errorf("message %+v", got)
		}
		hopeless, job := h.send(h.ada, h.room.ID)
		h.check(h.FailJob(t.Context(), h.begin(job).Job, "The clip is broken.", storage.Hopeless))
		if got := h.state(hopeless.ID); got.State != storage.Failed || got.FailureReason != "The clip is broken." || !got.Hopeless {
			t.Errorf("message %+v", got)
		}
		if queued := must(h.ObjectsToDelete(t.Context(), 9))(t); len(queued) != 0 {
			t.Errorf("queued %v", queued)
		}
	})
}

func TestDueJobsAndQueueStats(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		_, a := h.send(h.ada, h.room.ID)
		_, b := h.send(h.ada, h.room.ID)
		bulk := newMessage(h.room)
		bulk.Priority = storage.Bulk
		_, _, err := h.Accept(t.Context(), h.ada, bulk)
		h.check(err)
		c := h.jobOf(bulk.ID)
		if due := must(h.DueJobs(t.Context(), 10))(t); !slices.Equal(due, []storage.JobRef{a, b, c}) {
			t.Errorf("due %v", due)
		}
		h.check(h.MarkPublished(t.Context(), []storage.JobRef{a, c}))
		if due := must(h.DueJobs(t.Context(), 10))(t); !slices.Equal(due, []storage.JobRef{b}) {
			t.Errorf("due %v", due)
		}
		h.begin(a)
		must(h.BeginJob(t.Context(), storage.Transcribe, b.ID, "dies", 0))(t)
		stats := must(h.QueueStats(t.Context()))(t)
		if len(stats) != 4 || stats[2] != (storage.QueueStats{Kind: storage.Mail}) || stats[0].Kind != storage.Transcribe || stats[0].Waiting != 1 || stats[0].Running != 1 || stats[1].Priority != storage.Bulk ||
			stats[1].Waiting != 1 || stats[1].Running != 0 || stats[1].OldestAge < 0 || stats[1].OldestAge > time.Minute {
			t.Errorf("stats %+v", stats)
		}
		h.check(h.AddJob(t.Context(), h.ada.WorkspaceID, storage.NewJob{Kind: "later", Subject: "x"})) // by a newer version
		stats = must(h.QueueStats(t.Context()))(t)
		if len(stats) != 6 || stats[4].Kind != "later" || stats[4].Waiting != 1 || stats[5].Waiting != 0 {
			t.Errorf("of a kind that is not known: %+v", stats)
		}
	})
}
