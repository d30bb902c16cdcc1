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
	"hark/transcribe"
	"hark/transcribe/pipeline"
)

func (w *world) state(id string) storage.Message {
	w.tb.Helper()
	return must(w.Message(w.tb.Context(), w.ada, id))(w.tb)
}

func TestJobFromStartToFinish(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m, job := w.send(w.ada, w.room.ID)
		task := w.begin(job)
		want := pipeline.Task{
			JobID: job.ID, MessageID: m.ID, WorkspaceID: w.ada.WorkspaceID, Attempt: 1, MaxAttempts: 5, Try: 1,
			Key: m.Original.Key, Format: "wav", Bytes: 44, RenditionKey: task.RenditionKey,
		}
		if !reflect.DeepEqual(task, want) || task.RenditionKey != storage.RenditionKey(m.Original.Key) {
			t.Errorf("task %+v\nwant %+v", task, want)
		}
		if got := w.state(m.ID); got.State != storage.Processing {
			t.Errorf("state %s", got.State)
		}
		_, err := w.BeginJob(t.Context(), job.ID, "other", time.Minute)
		wantErr(t, err, storage.ErrBusy)

		peaks := make([]float64, 100)
		peaks[3], peaks[4], peaks[5] = 0.1234, 2, math.NaN()
		w.check(w.SaveSound(t.Context(), task, pipeline.Sound{DurationMS: 2500, Peaks: peaks, LoudnessLUFS: math.Inf(-1)}))
		w.check(w.SaveRendition(t.Context(), task, pipeline.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 99}))
		if err := w.SaveRendition(t.Context(), task, pipeline.Rendition{Key: "elsewhere"}); err == nil {
			t.Error("a rendition at another key was taken")
		}
		for range 2 { // the second time changes nothing
			w.check(w.SaveTranscript(t.Context(), task, spoken("hello there")))
		}
		got := w.state(m.ID)
		if got.State != storage.Ready || got.Progress != 1 || got.DurationMS != 2500 || *got.Loudness != -70 ||
			got.TranscriptVersion != 1 || got.Language != "en" ||
			!reflect.DeepEqual(got.Rendition, &storage.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 99}) ||
			len(got.Waveform) != 100 || got.Waveform[3] != 0.1234 || got.Waveform[4] != 1 || got.Waveform[5] != 0 {
			t.Errorf("message %+v", got)
		}
		if !w.known(task.RenditionKey) {
			t.Error("the rendition is not known")
		}
		_, err = w.BeginJob(t.Context(), job.ID, "other", time.Minute)
		wantErr(t, err, storage.ErrNotFound)
		wantErr(t, w.FailJob(t.Context(), task, "late", -1), storage.ErrStale)

		_, again, err := w.RetryMessage(t.Context(), w.ada, m.ID)
		w.check(err)
		_, _, err = w.RetryMessage(t.Context(), w.ada, m.ID)
		wantErr(t, err, storage.ErrConflict)
		second := w.begin(again)
		if again.ID != job.ID || again.Attempt != 1 || second.Attempt != 2 || second.MaxAttempts != 6 || second.Try != 1 || !second.HaveRendition || !second.HaveSound {
			t.Errorf("again %+v, %+v", again, second)
		}
		wantErr(t, w.SaveTranscript(t.Context(), task, spoken("late")), storage.ErrStale)
		_, _, err = w.RetryMessage(t.Context(), w.ada, m.ID)
		wantErr(t, err, storage.ErrConflict)
	})
}

func TestExpiredLeaseGoesToAnotherWorker(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m, job := w.send(w.ada, w.room.ID)
		first := must(w.BeginJob(t.Context(), job.ID, "first", 0))(t) // a lease that is over at once
		due := must(w.DueJobs(t.Context(), 10))(t)
		if !slices.Contains(due, storage.JobRef{ID: job.ID, Attempt: 1}) {
			t.Errorf("due %v", due)
		}
		w.check(w.SaveSound(t.Context(), first, pipeline.Sound{DurationMS: 1})) // nobody took it over yet
		second := w.begin(job)
		if second.Attempt != 2 || !second.HaveSound {
			t.Errorf("second %+v", second)
		}
		wantErr(t, w.RenewLease(t.Context(), first, time.Minute), storage.ErrStale)
		wantErr(t, w.SaveSound(t.Context(), first, pipeline.Sound{}), storage.ErrStale)
		wantErr(t, w.SaveTranscript(t.Context(), first, spoken("first")), storage.ErrStale)
		wantErr(t, w.FailJob(t.Context(), first, "x", -1), storage.ErrStale)
		wantErr(t, w.ReleaseJob(t.Context(), first), storage.ErrStale)
		w.check(w.RenewLease(t.Context(), second, time.Minute))
		w.check(w.SaveTranscript(t.Context(), second, spoken("second")))
		wantErr(t, w.SaveTranscript(t.Context(), first, spoken("first")), storage.ErrStale)
		if tr := must(w.Transcript(t.Context(), w.ada, m.ID))(t); tr.Text() != "second" || tr.Version != 1 {
			t.Errorf("transcript %+v", tr)
		}
	})
}

func TestJobThatKillsItsWorkersFails(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m, job := w.send(w.ada, w.room.ID)
		attempts := 0
		for {
			_, err := w.BeginJob(t.Context(), job.ID, "dies", 0) // a lease that is over at once
			switch {
			case err == nil:
				attempts++
				continue
			case errors.Is(err, storage.ErrBusy):
				// It waits, so that it takes no other job down with it.
				_, err := w.BeginJob(t.Context(), job.ID, "dies", 0)
				wantErr(t, err, storage.ErrBusy)
				w.check(w.EndWaits(t.Context()))
				continue
			}
			wantErr(t, err, storage.ErrNotFound)
			break
		}
		if attempts < 20 || attempts > 30 {
			t.Errorf("given up after %d attempts", attempts)
		}
		if got := w.state(m.ID); got.State != storage.Failed || got.FailureReason == "" {
			t.Errorf("message %+v", got)
		}
		_, again, err := w.RetryMessage(t.Context(), w.ada, m.ID)
		w.check(err)
		if task := w.begin(again); task.Attempt != attempts+1 || task.MaxAttempts != attempts+5 || task.Try != 1 {
			t.Errorf("task %+v after %d attempts", task, attempts)
		}
	})
}

func TestFailAndRelease(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m, job := w.send(w.ada, w.room.ID)
		w.check(w.FailJob(t.Context(), w.begin(job), "try later", time.Hour))
		if got := w.state(m.ID); got.State != storage.Received || got.FailureReason != "" {
			t.Errorf("message %+v", got)
		}
		if due := must(w.DueJobs(t.Context(), 10))(t); len(due) != 0 {
			t.Errorf("due at once: %v", due)
		}
		released := w.begin(job)
		w.check(w.ReleaseJob(t.Context(), released))
		wantErr(t, w.ReleaseJob(t.Context(), released), storage.ErrStale)
		task := w.begin(job)
		if task.Attempt != 3 || task.Try != 2 || task.MaxAttempts != 6 {
			t.Errorf("a released attempt counts: %+v", task)
		}
		w.check(w.SaveRendition(t.Context(), task, pipeline.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 1}))
		w.check(w.FailJob(t.Context(), task, "The clip is broken.", -1))
		if got := w.state(m.ID); got.State != storage.Failed || got.FailureReason != "The clip is broken." || got.Rendition == nil {
			t.Errorf("message %+v", got)
		}
		if doomed := must(w.DoomedObjects(t.Context(), 9))(t); len(doomed) != 0 {
			t.Errorf("doomed %v", doomed)
		}
	})
}

func TestDueJobsAndQueueStats(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		_, a := w.send(w.ada, w.room.ID)
		_, b := w.send(w.ada, w.room.ID)
		bulk := newMessage(w.room)
		bulk.Priority = transcribe.Bulk
		_, c, _, err := w.Accept(t.Context(), w.ada, bulk)
		w.check(err)
		if due := must(w.DueJobs(t.Context(), 10))(t); !slices.Equal(due, []storage.JobRef{a, b, c}) {
			t.Errorf("due %v", due)
		}
		w.check(w.MarkPublished(t.Context(), []storage.JobRef{a, c}))
		if due := must(w.DueJobs(t.Context(), 10))(t); !slices.Equal(due, []storage.JobRef{b}) {
			t.Errorf("due %v", due)
		}
		w.begin(a)
		must(w.BeginJob(t.Context(), b.ID, "dies", 0))(t)
		stats := must(w.QueueStats(t.Context()))(t)
		if len(stats) != 2 || stats[0].Waiting != 1 || stats[0].Running != 1 || stats[1].Priority != transcribe.Bulk ||
			stats[1].Waiting != 1 || stats[1].Running != 0 || stats[1].OldestAge < 0 || stats[1].OldestAge > time.Minute {
			t.Errorf("stats %+v", stats)
		}
	})
}
