package sqldb_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"hark/media/transcript"
	"hark/storage"
	"hark/storage/sqldb"
)

// harness is a workspace with people in it.
type harness struct {
	*sqldb.DB
	tb testing.TB

	ada storage.Principal // the owner
	bob storage.Principal // a member
	eve storage.Principal // a member who is in no conversation
	mal storage.Principal // the owner of another workspace

	room storage.Conversation // of ada and bob
}

func newHarness(tb testing.TB, db *sqldb.DB) *harness {
	tb.Helper()
	h := &harness{DB: db, tb: tb}
	home, ada, err := db.CreateWorkspace(tb.Context(), "home", "Ada")
	if err != nil {
		tb.Fatal(err)
	}
	h.ada = storage.Principal{WorkspaceID: home.ID, UserID: ada.ID, UserName: "Ada", Kind: storage.KindPerson, Role: storage.Owner}
	h.bob = h.user("Bob", storage.RoleMember)
	h.eve = h.user("Eve", storage.RoleMember)
	other, owner, err := db.CreateWorkspace(tb.Context(), "elsewhere", "Mal")
	if err != nil {
		tb.Fatal(err)
	}
	h.mal = storage.Principal{WorkspaceID: other.ID, UserID: owner.ID, UserName: "Mal", Kind: storage.KindPerson, Role: storage.Owner}
	h.room = h.conversation(h.ada, h.bob)
	return h
}

func (h *harness) user(name string, role storage.Role) storage.Principal {
	h.tb.Helper()
	u := must(h.CreateUser(h.tb.Context(), h.ada.WorkspaceID, name, role))(h.tb)
	return storage.Principal{WorkspaceID: u.WorkspaceID, UserID: u.ID, UserName: u.Name, Kind: u.Kind, Role: u.Role}
}

// conversation makes a channel of the first and the others.
func (h *harness) conversation(maker storage.Principal, others ...storage.Principal) storage.Conversation {
	h.tb.Helper()
	var ids []string
	for _, a := range others {
		ids = append(ids, a.UserID)
	}
	return h.make(maker, storage.Channel, "room", ids...)
}

// make makes a conversation, or finds the direct one that is there.
func (h *harness) make(maker storage.Principal, kind storage.ConversationKind, title string, ids ...string) storage.Conversation {
	h.tb.Helper()
	c, _, err := h.CreateConversation(h.tb.Context(), maker, storage.NewConversation{Kind: kind, Title: title, MemberIDs: ids})
	h.check(err)
	return c
}

// oldHarness is newHarness by statements that every version of the schema takes.
func oldHarness(tb testing.TB, db *sqldb.DB) *harness {
	tb.Helper()
	h := &harness{DB: db, tb: tb}
	workspace := func(no int, name string) string {
		id := storage.NewID()
		h.exec(`INSERT INTO workspaces (no, id, name, created_at, last_user) VALUES (?, ?, ?, 1, 100)`, no, id, name)
		return id
	}
	home, elsewhere := workspace(1, "home"), workspace(2, "elsewhere")
	h.ada = h.oldUser(home, 1, 1, "Ada", storage.Owner)
	h.bob = h.oldUser(home, 1, 2, "Bob", storage.RoleMember)
	h.eve = h.oldUser(home, 1, 3, "Eve", storage.RoleMember)
	h.mal = h.oldUser(elsewhere, 2, 1, "Mal", storage.Owner)
	h.room = h.oldConversation(1, storage.Channel, "room", h.ada, h.bob)
	return h
}

func (h *harness) exec(query string, args ...any) {
	h.tb.Helper()
	h.check(h.Exec(h.tb.Context(), query, args...))
}

func (h *harness) oldUser(workspaceID string, workspaceNo, no int, name string, role storage.Role) storage.Principal {
	h.tb.Helper()
	a := storage.Principal{WorkspaceID: workspaceID, UserID: storage.NewID(), UserName: name, Role: role}
	h.exec(`INSERT INTO users (id, workspace_no, no, name, role, created_at) VALUES (?, ?, ?, ?, ?, 1)`, a.UserID, workspaceNo, no, name, role)
	return a
}

func (h *harness) oldConversation(workspaceNo int, kind storage.ConversationKind, title string, members ...storage.Principal) storage.Conversation {
	h.tb.Helper()
	c := storage.Conversation{ID: storage.NewID(), WorkspaceID: members[0].WorkspaceID, Kind: kind, Title: title}
	h.exec(`UPDATE workspaces SET last_conversation = last_conversation + 1 WHERE no = ?`, workspaceNo)
	h.exec(`INSERT INTO conversations (id, workspace_no, no, kind, title, created_by, created_at, active_at)
		VALUES (?, ?, (SELECT last_conversation FROM workspaces WHERE no = ?), ?, ?, ?, 1, 1)`, c.ID, workspaceNo, workspaceNo, kind, title, members[0].UserID)
	for _, m := range members {
		h.exec(`INSERT INTO conversation_members (conversation_id, user_id, joined_at) VALUES (?, ?, 1)`, c.ID, m.UserID)
	}
	return c
}

// oldToken makes a credential, and returns its secret.
func (h *harness) oldToken(of storage.Principal, kind storage.TokenKind) string {
	h.tb.Helper()
	id := storage.NewID()
	sum := sha256.Sum256([]byte("secret of " + id))
	h.exec(`INSERT INTO tokens (id, user_id, kind, name, hash, created_at) VALUES (?, ?, ?, 'old', ?, 1)`, id, of.UserID, kind, hex.EncodeToString(sum[:]))
	return "secret of " + id
}

func newMessage(room storage.Conversation) storage.NewMessage {
	id := storage.NewID()
	return storage.NewMessage{
		ID: id, ConversationID: room.ID,
		Original: storage.Original{Key: storage.NewOriginalKey(room.WorkspaceID, id), Format: "wav", Bytes: 44, SHA256: "ab", Filename: "clip.wav"},
	}
}

// send accepts a clip.
func (h *harness) send(by storage.Principal, conversationID string) (storage.Message, storage.JobRef) {
	h.tb.Helper()
	m, created, err := h.Accept(h.tb.Context(), by, newMessage(storage.Conversation{ID: conversationID, WorkspaceID: by.WorkspaceID}))
	if err != nil || !created {
		h.tb.Fatalf("accept: created %v, %v", created, err)
	}
	return m, h.jobOf(m.ID)
}

// jobOf is the job of a message.
func (h *harness) jobOf(messageID string) storage.JobRef {
	h.tb.Helper()
	return must(h.JobOf(h.tb.Context(), messageID))(h.tb)
}

// Rename gives somebody another name.
func (h *harness) Rename(ctx context.Context, who storage.Principal, name string) (storage.Profile, error) {
	return h.ChangeProfile(ctx, who, storage.ProfilePatch{Name: &name})
}

// known says whether an object belongs to a message or a user.
func (h *harness) known(key string) bool {
	h.tb.Helper()
	k, ok := storage.ParseKey(key)
	if !ok {
		h.tb.Fatalf("%s is none of ours", key)
	}
	return must(h.KnownObjects(h.tb.Context(), []string{storage.NewID(), k.ID()}))(h.tb)[k.ID()].Has(k.Kind, key)
}

// begin begins a job.
func (h *harness) begin(job storage.JobRef) storage.Task {
	h.tb.Helper()
	return must(h.beginFor(job.ID, "worker", time.Minute))(h.tb)
}

// beginFor begins a message's job, as a worker does.
func (h *harness) beginFor(id, worker string, lease time.Duration) (storage.Task, error) {
	job, err := h.BeginJob(h.tb.Context(), storage.Transcribe, id, worker, lease)
	if err != nil {
		return storage.Task{}, err
	}
	return h.Task(h.tb.Context(), job)
}

// rendition is what a worker made of a task.
func rendition(task storage.Task) storage.Rendition {
	return storage.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 1}
}

// say sends a clip in which text is said, a word every half second, and works
// it until it is ready.
func (h *harness) say(by storage.Principal, conversationID, text string) storage.Message {
	h.tb.Helper()
	m, job := h.send(by, conversationID)
	h.check(h.SaveTranscript(h.tb.Context(), h.begin(job), spoken(text)))
	return must(h.Message(h.tb.Context(), by, m.ID))(h.tb)
}

// spoken is a transcript of text: the nth word lasts from n*500 to n*500+400 ms.
func spoken(text string) *transcript.Transcript {
	t := &transcript.Transcript{Language: "en", Engine: "test", Model: "none"}
	var words []transcript.Word
	for i, f := range strings.Fields(text) {
		words = append(words, transcript.Word{Text: f, StartMS: int64(i) * 500, EndMS: int64(i)*500 + 400, Confidence: 0.9375})
	}
	if len(words) > 0 {
		t.Segments = []transcript.Segment{transcript.NewSegment(words)}
	}
	return t
}

func (h *harness) check(err error) {
	h.tb.Helper()
	if err != nil {
		h.tb.Fatal(err)
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
