package sqldb_test

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
	"hark/transcribe"
	"hark/transcribe/pipeline"
)

func TestMessageComesBackAsItWasSent(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m := newMessage(w.room)
		m.Title, m.DurationMS, m.Priority = "a\x00b\xff", 1500, transcribe.Bulk
		m.RecordedAt = time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.FixedZone("east", 3600))
		got, job, created, err := w.Accept(t.Context(), w.ada, m)
		if err != nil || !created || job.Priority != transcribe.Bulk || job.Attempt != 0 {
			t.Fatalf("job %+v, created %v, %v", job, created, err)
		}
		want := storage.Message{
			ID: m.ID, WorkspaceID: w.ada.WorkspaceID, ConversationID: w.room.ID, AuthorID: w.ada.UserID, AuthorName: "Ada",
			Title: "ab\uFFFD", RecordedAt: m.RecordedAt.UTC(), CreatedAt: got.CreatedAt, UpdatedAt: got.CreatedAt,
			State: storage.Received, DurationMS: 1500, Original: m.Original,
		}
		if !reflect.DeepEqual(got, want) || time.Since(got.CreatedAt) > time.Minute {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		_, _, _, err = w.Accept(t.Context(), w.ada, m)
		wantErr(t, err, storage.ErrConflict)
	})
}

func TestMessagesPage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		sent := w.sendMany(5)
		var got []string
		page := storage.MessagePage{Page: storage.Page{Limit: 2}}
		for first := true; first || page.Cursor != ""; first = false {
			list := must(w.Messages(t.Context(), w.bob, w.room.ID, page))(t)
			got = append(got, idsOf(list)...)
			if (list.Newer == "") != first {
				t.Errorf("first page %v, cursor back %q", first, list.Newer)
			}
			if page.Cursor = list.Older; first {
				w.check(w.DeleteMessage(t.Context(), w.ada, got[1])) // the one that the cursor points to
			}
		}
		if !reflect.DeepEqual(got, sent) {
			t.Errorf("listed %v, want %v", got, sent)
		}
	})
}

func TestMessagesAround(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		sent := w.sendMany(9)
		list := func(page storage.MessagePage) storage.MessageList {
			t.Helper()
			return must(w.Messages(t.Context(), w.bob, w.room.ID, page))(t)
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
		w.check(w.DeleteMessage(t.Context(), w.ada, sent[2]))
		check(follow(middle.Newer, 5), sent[:2], true, false)
		for _, id := range sent[:2] {
			w.check(w.DeleteMessage(t.Context(), w.ada, id))
		}
		nothing := follow(middle.Newer, 5)
		check(nothing, nil, true, false)
		check(follow(nothing.Older, 2), sent[3:5], true, true)

		for _, id := range []string{sent[0], storage.NewID(), "x"} {
			_, err := w.Messages(t.Context(), w.bob, w.room.ID, storage.MessagePage{Around: id})
			wantErr(t, err, storage.ErrNotFound)
		}
		other, _ := w.send(w.ada, w.conversation(w.ada, w.bob).ID)
		_, err := w.Messages(t.Context(), w.bob, w.room.ID, storage.MessagePage{Around: other.ID})
		wantErr(t, err, storage.ErrNotFound)
	})
}

// sendMany sends clips into the room; their ids, the newest first.
func (w *world) sendMany(n int) []string {
	w.tb.Helper()
	sent := make([]string, n)
	for i := range sent {
		m, _ := w.send(w.ada, w.room.ID)
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
		w := newWorld(t, db)
		_, _, err := w.MessageByKey(t.Context(), w.ada, "k")
		wantErr(t, err, storage.ErrNotFound)

		request := func(hash string) storage.NewMessage {
			m := newMessage(w.room)
			m.IdempotencyKey, m.RequestHash = "k", hash
			return m
		}
		// Twenty at once make one message.
		var wg sync.WaitGroup
		var mu sync.Mutex
		ids, made := map[string]bool{}, 0
		for range 20 {
			wg.Go(func() {
				m, job, created, err := w.Accept(t.Context(), w.ada, request("h"))
				mu.Lock()
				defer mu.Unlock()
				if err != nil || job.ID == "" {
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
		list := must(w.Messages(t.Context(), w.ada, w.room.ID, storage.MessagePage{}))(t).Messages
		if len(list) != 1 {
			t.Fatalf("%d messages are kept", len(list))
		}

		_, _, _, err = w.Accept(t.Context(), w.ada, request("other"))
		var reused *storage.KeyReusedError
		if wantErr(t, err, storage.ErrKeyReused); !errors.As(err, &reused) || !ids[reused.MessageID] {
			t.Errorf("the message there is not named: %v", err)
		}
		m, hash, err := w.MessageByKey(t.Context(), w.ada, "k")
		if err != nil || hash != "h" || !ids[m.ID] {
			t.Errorf("by key: %v, %q, %v", m.ID, hash, err)
		}
		if _, _, created, err := w.Accept(t.Context(), w.bob, request("bob's")); err != nil || !created {
			t.Errorf("another user's key: created %v, %v", created, err)
		}
		w.check(w.SweepIdentity(t.Context()))
		w.check(w.DeleteMessage(t.Context(), w.ada, m.ID))
		_, _, _, err = w.Accept(t.Context(), w.ada, request("h"))
		wantErr(t, err, storage.ErrKeySpent) // not made a second time
		_, _, err = w.MessageByKey(t.Context(), w.ada, "k")
		wantErr(t, err, storage.ErrKeySpent)
	})
}

func TestDeletedMessagesLeaveNothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		idle, _ := w.send(w.ada, w.room.ID)
		worked, job := w.send(w.ada, w.room.ID)
		task := w.begin(job)
		for _, m := range []storage.Message{idle, worked} {
			if !w.known(m.Original.Key) {
				t.Error("an original is not known")
			}
			w.check(w.DeleteMessage(t.Context(), w.ada, m.ID))
			if w.known(m.Original.Key) {
				t.Error("a deleted original is known")
			}
		}
		wantErr(t, w.SaveSound(t.Context(), task, pipeline.Sound{}), storage.ErrStale)
		wantErr(t, w.SaveRendition(t.Context(), task, pipeline.Rendition{Key: task.RenditionKey}), storage.ErrStale)
		wantErr(t, w.SaveTranscript(t.Context(), task, spoken("x")), storage.ErrStale)
		wantErr(t, w.RenewLease(t.Context(), task, time.Minute), storage.ErrStale)
		wantErr(t, w.FailJob(t.Context(), task, "x", 0), storage.ErrStale)
		wantErr(t, w.ReleaseJob(t.Context(), task), storage.ErrStale)
		_, err := w.BeginJob(t.Context(), job.ID, "w", time.Minute)
		wantErr(t, err, storage.ErrNotFound)

		doomed := must(w.DoomedObjects(t.Context(), 10))(t)
		if len(doomed) != 2 {
			t.Errorf("doomed %v", doomed)
		}
		for _, m := range []storage.Message{idle, worked} {
			if prefix := storage.MessagePrefix(m.WorkspaceID, m.ID); !contains(doomed, prefix) {
				t.Errorf("%s is not doomed", prefix)
			}
		}
		w.check(w.ForgetObjects(t.Context(), doomed))
		if left := must(w.DoomedObjects(t.Context(), 10))(t); len(left) != 0 {
			t.Errorf("still doomed: %v", left)
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
		w := newWorld(t, db)
		m, job := w.send(w.ada, w.room.ID)
		_, err := w.Transcript(t.Context(), w.ada, m.ID)
		wantErr(t, err, storage.ErrNotFound)
		want := &transcribe.Transcript{Language: "fr", Engine: "e", Model: "m", Segments: []transcribe.Segment{
			transcribe.NewSegment([]transcribe.Word{{Text: "Où,", StartMS: 10, EndMS: 20, Confidence: 0.9731}, {Text: "là?", StartMS: 15, EndMS: 4000}}),
			transcribe.NewSegment([]transcribe.Word{{Text: "👍", StartMS: 7_200_000, EndMS: 7_200_001, Confidence: 1}}),
		}}
		w.check(w.SaveTranscript(t.Context(), w.begin(job), want))
		got := must(w.Transcript(t.Context(), w.bob, m.ID))(t)
		if !reflect.DeepEqual(got.Transcript, *want) || got.Version != 1 || got.MessageID != m.ID || got.CreatedAt.IsZero() {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}
