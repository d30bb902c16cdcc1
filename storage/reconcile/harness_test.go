package reconcile

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"hark/media/transcript"
	"hark/storage"
	"hark/storage/blob"
	"hark/storage/blob/embedded"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// sound is the beginning of a WAV file, which is as much as anybody looks at here.
var sound = append([]byte("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00"), make([]byte, 64)...)

// harness is a Hark's database and object store, with people who speak.
type harness struct {
	*Stores
	t   *testing.T
	log *bytes.Buffer

	owner storage.Principal
	room  storage.Conversation
}

// each runs a test with an embedded store and each kind of database.
func eachStores(t *testing.T, test func(h *harness)) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) { test(newHarness(t, db, newStore(t))) })
}

func newStore(t *testing.T) *blob.Store {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	server, err := embedded.Serve(t.Context(), t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	store, err := blob.Open(t.Context(), server.Config())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func newHarness(t *testing.T, db *sqldb.DB, objects *blob.Store) *harness {
	t.Helper()
	h := &harness{t: t, log: &bytes.Buffer{}}
	h.Stores = &Stores{Records: db, Objects: objects, Logger: slog.New(slog.NewTextHandler(h.log, nil))}
	return h
}

// people makes the first workspace.
func (h *harness) people() *harness {
	h.t.Helper()
	owner, created, err := h.Records.Bootstrap(h.t.Context(), "Hark", "Ada")
	h.check(err)
	h.owner = owner
	if created {
		list, _, err := h.Records.Conversations(h.t.Context(), owner, storage.Page{})
		h.check(err)
		h.room = list[0] // General
	}
	return h
}

// send keeps and records a message as intake does.
func (h *harness) send() storage.Message {
	h.t.Helper()
	id := storage.NewID()
	key := storage.NewOriginalKey(h.owner.WorkspaceID, id)
	h.put(key, sound)
	m, _, err := h.Records.Accept(h.t.Context(), h.owner, storage.NewMessage{
		ID: id, ConversationID: h.room.ID,
		Original: storage.Original{Key: key, Format: "wav", Bytes: int64(len(sound)), SHA256: "ab"},
	})
	h.check(err)
	return m
}

// say sends a message and does its job.
func (h *harness) say(text string) storage.Message {
	h.t.Helper()
	m := h.send()
	job, err := h.Records.BeginJob(h.t.Context(), storage.Transcribe, m.ID, "worker", time.Minute)
	h.check(err)
	task, err := h.Records.Task(h.t.Context(), job)
	h.check(err)
	var words []transcript.Word
	for i, w := range strings.Fields(text) {
		words = append(words, transcript.Word{Text: w, StartMS: int64(i) * 100, EndMS: int64(i)*100 + 90})
	}
	h.check(h.Records.SaveTranscript(h.t.Context(), task, &transcript.Transcript{
		Engine: "test", Model: "none", Segments: []transcript.Segment{transcript.NewSegment(words)},
	}))
	h.check(h.WriteManifest(h.t.Context(), m.ID))
	return m
}

func (h *harness) put(key string, b []byte) {
	h.t.Helper()
	_, err := h.Objects.Put(h.t.Context(), key, "audio/wav", bytes.NewReader(b), int64(len(b)))
	h.check(err)
}

// keys lists what is in the store.
func (h *harness) keys() (keys []string) {
	h.t.Helper()
	h.check(h.Objects.List(h.t.Context(), "", func(o blob.Object) error {
		keys = append(keys, o.Key)
		return nil
	}))
	return keys
}

// disagrees makes sure that database and store do not agree.
func (h *harness) disagrees(otherStore bool) *Disagreement {
	h.t.Helper()
	for _, ask := range []func() error{
		func() error { return h.Pair(h.t.Context()) },
		func() error { return h.Check(h.t.Context()) },
	} {
		var d *Disagreement
		if err := ask(); !errors.As(err, &d) || d.OtherStore != otherStore {
			h.t.Fatalf("database and store: %v", err)
		}
	}
	var d *Disagreement
	errors.As(h.Check(h.t.Context()), &d)
	return d
}

func (h *harness) agrees() {
	h.t.Helper()
	h.check(h.Pair(h.t.Context()))
	h.check(h.Check(h.t.Context()))
}

func (h *harness) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// aged is a time at which all that is there now is old enough to be an orphan.
func aged() time.Time { return time.Now().Add(orphanAge + time.Hour) }
