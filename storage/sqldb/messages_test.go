package sqldb_test

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"hark/media/transcript"
	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func TestMessageComesBackAsItWasSent(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := newMessage(h.room)
		m.Title, m.DurationMS, m.Priority = "a\x00b\xff", 1500, storage.Bulk
		m.RecordedAt = time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.FixedZone("east", 3600))
		got, created, err := h.Accept(t.Context(), h.ada, m)
		if job := h.jobOf(m.ID); err != nil || !created || job.Priority != storage.Bulk || job.Attempt != 0 {
			t.Fatalf("job %+v, created %v, %v", job, created, err)
		}
		want := storage.Message{
			ID: m.ID, WorkspaceID: h.ada.WorkspaceID, ConversationID: h.room.ID, AuthorID: h.ada.UserID, AuthorName: "Ada", AuthorNo: 1, AuthorKind: storage.KindPerson,
			Draft: storage.Draft{Title: "ab\uFFFD", RecordedAt: m.RecordedAt.UTC()}, CreatedAt: got.CreatedAt, UpdatedAt: got.CreatedAt,
			State: storage.Received, DurationMS: 1500, Original: m.Original, Heard: storage.Heard{Done: true},
		}
		if !reflect.DeepEqual(got, want) || time.Since(got.CreatedAt) > time.Minute {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		_, _, err = h.Accept(t.Context(), h.ada, m)
		wantErr(t, err, storage.ErrConflict)
	})
}

// Times that are still to come become now, and nothing else does.
func TestSpokenInTheFuture(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for _, ahead := range []time.Duration{time.Minute, time.Hour, 7 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
			m := newMessage(h.room)
			m.RecordedAt = storage.Now().Add(ahead)
			got, _, err := h.Accept(t.Context(), h.ada, m)
			if err != nil || !got.RecordedAt.Equal(got.CreatedAt) {
				t.Errorf("%v ahead is kept as %v (%v); want %v", ahead, got.RecordedAt, err, got.CreatedAt)
			}
		}
		m := newMessage(h.room)
		m.RecordedAt = storage.Now().Add(-time.Minute)
		if got, _, err := h.Accept(t.Context(), h.ada, m); err != nil || !got.RecordedAt.Equal(m.RecordedAt) {
			t.Errorf("a minute ago is kept as %v, %v", got.RecordedAt, err)
		}
	})
}

func TestMessagesPage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		sent := h.sendMany(5)
		var got []string
		page := storage.MessagePage{Page: storage.Page{Limit: 2}}
		for first := true; first || page.Cursor != ""; first = false {
			list := must(h.Messages(t.Context(), h.bob, h.room.ID, page))(t)
			got = append(got, idsOf(list)...)
			if (list.Newer == "") != first {
				t.Errorf("first page %v, cursor back %q", first, list.Newer)
			}
			if page.Cursor = list.Older; first {
				h.check(h.DeleteMessage(t.Context(), h.ada, got[1])) // the one that the cursor points to
			}
		}
		if !reflect.DeepEqual(got, sent) {
			t.Errorf("listed %v, want %v", got, sent)
		}
	})
}

func TestMessagesAround(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		sent := h.sendMany(9)
		list := func(page storage.MessagePage) storage.MessageList {
			t.Helper()
			return must(h.Messages(t.Context(), h.bob, h.room.ID, page))(t)
		}
		check := func(got storage.MessageList, want []string, older, newer bool) {
			t.Helper()
			if !reflect.DeepEqual(idsOf(got), want) || (got.Older != "") != older || (got.Newer != "") != newer {
				t.Errorf("listed %v, older %v, newer %v; want %v", idsOf(got), got.Older != "", got.Newer != "", want)
			}
		}
		around := func(at, limit int) storage.MessageList {
			return list(storage.MessagePage{Around: sent[at], Page: storage.Page{Limit: limit}})
		}
		follow := func(cursor string, limit int) storage.MessageList {
			return list(storage.MessagePage{Page: storage.Page{Cursor: cursor, Limit: limit}})
		}
		middle := around(4, 4)
		check(middle, sent[2:6], true, true)
		check(around(0, 4), sent[:4], true, false)
		check(around(8, 4), sent[6:], false, true)
		check(around(4, 1), sent[4:5], true, true)
		check(around(4, 50), sent, false, false)

		// Both ways, and back again.
		check(follow(middle.Older, 2), sent[6:8], true, true)
		check(follow(middle.Older, 3), sent[6:], false, true)
		check(follow(middle.Newer, 1), sent[1:2], true, true)
		end := follow(middle.Newer, 2)
		check(end, sent[:2], true, false)
		check(follow(end.Older, 4), sent[2:6], true, true)
		// What came or went meanwhile.
		h.check(h.DeleteMessage(t.Context(), h.ada, sent[2]))
		check(follow(middle.Newer, 5), sent[:2], true, false)
		for _, id := range sent[:2] {
			h.check(h.DeleteMessage(t.Context(), h.ada, id))
		}
		nothing := follow(middle.Newer, 5)
		check(nothing, nil, true, false)
		check(follow(nothing.Older, 2), sent[3:5], true, true)

		for _, id := range []string{sent[0], storage.NewID(), "x"} {
			_, err := h.Messages(t.Context(), h.bob, h.room.ID, storage.MessagePage{Around: id})
			wantErr(t, err, storage.ErrNotFound)
		}
		other, _ := h.send(h.ada, h.conversation(h.ada, h.bob).ID)
		_, err := h.Messages(t.Context(), h.bob, h.room.ID, storage.MessagePage{Around: other.ID})
		wantErr(t, err, storage.ErrNotFound)
	})
}

// sendMany sends clips into the room; their ids, the newest first.
func (h *harness) sendMany(n int) []string {
	h.tb.Helper()
	sent := make([]string, n)
	for i := range sent {
		m, _ := h.send(h.ada, h.room.ID)
		sent[n-1-i] = m.ID
	}
	return sent
}

func idsOf(list storage.MessageList) (ids []string) {
	for _, m := range list.Messages {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestIdempotencyKey(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		_, _, err := h.MessageByKey(t.Context(), h.ada, "k")
		wantErr(t, err, storage.ErrNotFound)

		request := func(hash string) storage.NewMessage {
			m := newMessage(h.room)
			m.IdempotencyKey, m.RequestHash = "k", hash
			return m
		}
		// Twenty at once make one message.
		var wg sync.WaitGroup
		var mu sync.Mutex
		ids, made := map[string]bool{}, 0
		for range 20 {
			wg.Go(func() {
				m, created, err := h.Accept(t.Context(), h.ada, request("h"))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if ids[m.ID] = true; created {
					made++
				}
			})
		}
		wg.Wait()
		if len(ids) != 1 || made != 1 {
			t.Fatalf("%d messages, %d created", len(ids), made)
		}
		list := must(h.Messages(t.Context(), h.ada, h.room.ID, storage.MessagePage{}))(t).Messages
		if len(list) != 1 {
			t.Fatalf("%d messages are kept", len(list))
		}

		_, _, err = h.Accept(t.Context(), h.ada, request("other"))
		var reused *storage.KeyReusedError
		if wantErr(t, err, storage.ErrKeyReused); !errors.As(err, &reused) || !ids[reused.MessageID] {
			t.Errorf("the message there is not named: %v", err)
		}
		m, hash, err := h.MessageByKey(t.Context(), h.ada, "k")
		if err != nil || hash != "h" || !ids[m.ID] {
			t.Errorf("by key: %v, %q, %v", m.ID, hash, err)
		}
		if _, created, err := h.Accept(t.Context(), h.bob, request("bob's")); err != nil || !created {
			t.Errorf("another user's key: created %v, %v", created, err)
		}
		h.check(h.SweepIdentity(t.Context()))
		h.check(h.DeleteMessage(t.Context(), h.ada, m.ID))
		_, _, err = h.Accept(t.Context(), h.ada, request("h"))
		wantErr(t, err, storage.ErrKeySpent) // not made a second time
		_, _, err = h.MessageByKey(t.Context(), h.ada, "k")
		wantErr(t, err, storage.ErrKeySpent)
	})
}

func TestDeletedMessagesLeaveNothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		idle, _ := h.send(h.ada, h.room.ID)
		worked, job := h.send(h.ada, h.room.ID)
		task := h.begin(job)
		for _, m := range []storage.Message{idle, worked} {
			if !h.known(m.Original.Key) {
				t.Error("an original is not known")
			}
			h.check(h.DeleteMessage(t.Context(), h.ada, m.ID))
			if h.known(m.Original.Key) {
				t.Error("a deleted original is known")
			}
		}
		wantErr(t, h.SaveSound(t.Context(), task, storage.Sound{}), storage.ErrStale)
		wantErr(t, h.SaveRendition(t.Context(), task, storage.Rendition{Key: task.RenditionKey}), storage.ErrStale)
		wantErr(t, h.SaveTranscript(t.Context(), task, spoken("x")), storage.ErrStale)
		wantErr(t, h.RenewLease(t.Context(), task.Job, time.Minute), storage.ErrStale)
		wantErr(t, h.FailJob(t.Context(), task.Job, "x", 0), storage.ErrStale)
		wantErr(t, h.ReleaseJob(t.Context(), task.Job), storage.ErrStale)
		_, err := h.BeginJob(t.Context(), storage.Transcribe, job.ID, "w", time.Minute)
		wantErr(t, err, storage.ErrNotFound)

		queued := must(h.ObjectsToDelete(t.Context(), 10))(t)
		if len(queued) != 2 {
			t.Errorf("queued %v", queued)
		}
		for _, m := range []storage.Message{idle, worked} {
			if prefix := storage.MessagePrefix(m.WorkspaceID, m.ID); !contains(queued, prefix) {
				t.Errorf("%s is not queued for deletion", prefix)
			}
		}
		h.check(h.ForgetObjects(t.Context(), queued))
		if left := must(h.ObjectsToDelete(t.Context(), 10))(t); len(left) != 0 {
			t.Errorf("still queued: %v", left)
		}
	})
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func TestTranscriptComesBackAsItWasSaved(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m, job := h.send(h.ada, h.room.ID)
		_, err := h.Transcript(t.Context(), h.ada, m.ID)
		wantErr(t, err, storage.ErrNotFound)
		want := &transcript.Transcript{Language: "fr", Engine: "e", Model: "m", Segments: []transcript.Segment{
			transcript.NewSegment([]transcript.Word{{Text: "Où,", StartMS: 10, EndMS: 20, Confidence: 0.9731}, {Text: "là?", StartMS: 15, EndMS: 4000}}),
			transcript.NewSegment([]transcript.Word{{Text: "👍", StartMS: 7_200_000, EndMS: 7_200_001, Confidence: 1}}),
		}}
		h.check(h.SaveTranscript(t.Context(), h.begin(job), want))
		got := must(h.Transcript(t.Context(), h.bob, m.ID))(t)
		if !reflect.DeepEqual(got.Transcript, *want) || got.Version != 1 || got.MessageID != m.ID || got.CreatedAt.IsZero() {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}
