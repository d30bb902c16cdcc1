package sqldb_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/transcribe"
	"hark/transcribe/pipeline"
)

// world is a workspace with people in it.
type world struct {
	*sqldb.DB
	tb testing.TB

	ada storage.Actor // the owner
	bob storage.Actor // a member
	eve storage.Actor // a member who is in no conversation
	mal storage.Actor // the owner of another workspace

	room storage.Conversation // of ada and bob
}

func newWorld(tb testing.TB, db *sqldb.DB) *world {
	tb.Helper()
	w := &world{DB: db, tb: tb}
	w.ada, _ = must2(db.Bootstrap(tb.Context(), "home", "Ada"))(tb)
	w.bob = w.user("Bob", storage.RoleMember)
	w.eve = w.user("Eve", storage.RoleMember)
	other, owner, err := db.CreateWorkspace(tb.Context(), "elsewhere", "Mal")
	if err != nil {
		tb.Fatal(err)
	}
	w.mal = storage.Actor{WorkspaceID: other.ID, UserID: owner.ID, UserName: "Mal", Role: storage.Owner}
	w.room = w.conversation(w.ada, w.bob)
	return w
}

func (w *world) user(name string, role storage.Role) storage.Actor {
	w.tb.Helper()
	u := must(w.CreateUser(w.tb.Context(), w.ada.WorkspaceID, name, role))(w.tb)
	return storage.Actor{WorkspaceID: u.WorkspaceID, UserID: u.ID, UserName: u.Name, Role: u.Role}
}

// conversation makes a channel of the first and the others.
func (w *world) conversation(maker storage.Actor, others ...storage.Actor) storage.Conversation {
	w.tb.Helper()
	var ids []string
	for _, a := range others {
		ids = append(ids, a.UserID)
	}
	return must(w.CreateConversation(w.tb.Context(), maker, storage.Channel, "room", ids))(w.tb)
}

func newMessage(room storage.Conversation) storage.NewMessage {
	id := storage.NewID()
	return storage.NewMessage{
		ID: id, ConversationID: room.ID,
		Original: storage.Original{Key: storage.NewOriginalKey(room.WorkspaceID, id), Format: "wav", Bytes: 44, SHA256: "ab", Filename: "clip.wav"},
	}
}

// send accepts a clip.
func (w *world) send(by storage.Actor, conversationID string) (storage.Message, storage.JobRef) {
	w.tb.Helper()
	m, job, created, err := w.Accept(w.tb.Context(), by, newMessage(storage.Conversation{ID: conversationID, WorkspaceID: by.WorkspaceID}))
	if err != nil || !created {
		w.tb.Fatalf("accept: created %v, %v", created, err)
	}
	return m, job
}

// known says whether an object belongs to a message.
func (w *world) known(key string) bool {
	w.tb.Helper()
	k, ok := storage.ParseKey(key)
	if !ok {
		w.tb.Fatalf("%s is none of ours", key)
	}
	return must(w.KnownObjects(w.tb.Context(), []string{storage.NewID(), k.Message}))(w.tb)[k.Message].Has(k.Kind, key)
}

// begin begins a job.
func (w *world) begin(job storage.JobRef) pipeline.Task {
	w.tb.Helper()
	return must(w.BeginJob(w.tb.Context(), job.ID, "worker", time.Minute))(w.tb)
}

// rendition is what a worker made of a task.
func rendition(task pipeline.Task) pipeline.Rendition {
	return pipeline.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 1}
}

// say sends a clip in which text is said, a word every half second, and works
// it until it is ready.
func (w *world) say(by storage.Actor, conversationID, text string) storage.Message {
	w.tb.Helper()
	m, job := w.send(by, conversationID)
	w.check(w.SaveTranscript(w.tb.Context(), w.begin(job), spoken(text)))
	return must(w.Message(w.tb.Context(), by, m.ID))(w.tb)
}

// spoken is a transcript of text: the nth word lasts from n*500 to n*500+400 ms.
func spoken(text string) *transcribe.Transcript {
	t := &transcribe.Transcript{Language: "en", Engine: "test", Model: "none"}
	var words []transcribe.Word
	for i, f := range strings.Fields(text) {
		words = append(words, transcribe.Word{Text: f, StartMS: int64(i) * 500, EndMS: int64(i)*500 + 400, Confidence: 0.9375})
	}
	if len(words) > 0 {
		t.Segments = []transcribe.Segment{transcribe.NewSegment(words)}
	}
	return t
}

func (w *world) check(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

// wantErr fails the test unless err is the sentinel.
func wantErr(tb testing.TB, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Errorf("got error %v, want %v", err, want)
	}
}

// must unwraps what a call returns: must(f())(tb).
func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func must2[T, U any](v T, u U, err error) func(testing.TB) (T, U) {
	return func(tb testing.TB) (T, U) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v, u
	}
}
