package reconcile

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"hark/storage"
)

// latest is what the newest manifests tell of workspaces, conversations and
// people. It is safe for concurrent use.
type latest struct {
	mu            sync.Mutex
	workspaces    map[string]dated[storage.ManifestWorkspace]
	conversations map[string]dated[storage.ManifestConversation]
	people        map[string]dated[storage.ManifestPerson]
	owners        map[string]string // by workspace: the first of its owners
}

// dated is something as it was at a time.
type dated[T any] struct {
	at    time.Time
	value T
}

func newLatest() *latest {
	return &latest{
		workspaces:    map[string]dated[storage.ManifestWorkspace]{},
		conversations: map[string]dated[storage.ManifestConversation]{},
		people:        map[string]dated[storage.ManifestPerson]{},
		owners:        map[string]string{},
	}
}

// learn takes from a manifest what is newer than what is known.
func (t *latest) learn(m storage.Manifest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	newer(t.workspaces, m.Workspace.ID, m.WrittenAt, m.Workspace)
	newer(t.conversations, m.Conversation.ID, m.WrittenAt, m.Conversation)
	for _, p := range m.People {
		newer(t.people, p.ID, m.WrittenAt, p)
		if first := t.owners[m.Workspace.ID]; p.Role.Owns() && (first == "" || p.ID < first) {
			t.owners[m.Workspace.ID] = p.ID
		}
	}
}

func newer[T any](known map[string]dated[T], id string, at time.Time, value T) {
	if old, there := known[id]; !there || old.at.Before(at) {
		known[id] = dated[T]{at, value}
	}
}

// correct replaces what a manifest tells of anything but its message by what
// the newest manifests do.
func (t *latest) correct(m *storage.Manifest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m.Workspace = t.workspaces[m.Workspace.ID].value
	m.Conversation = t.conversations[m.Conversation.ID].value
	ids := append([]string{t.owners[m.Workspace.ID], m.Message.AuthorID, m.Conversation.CreatedBy}, m.Conversation.Members...)
	slices.Sort(ids) // who came first, first: ids are sorted by time
	m.People = nil
	for _, id := range slices.Compact(ids) {
		if p, there := t.people[id]; there {
			m.People = append(m.People, p.value)
		}
	}
}

// recoveredTitle is the conversation of recordings without a manifest.
const recoveredTitle = "Recovered"

// recoveredManifest returns a manifest for a recording that has none: by the owner, in a
// conversation that only the owner is in.
func (r *reindexer) recoveredManifest(ctx context.Context, m message) (storage.Manifest, error) {
	owner, err := r.owner(ctx, m.workspace)
	if err != nil {
		return storage.Manifest{}, err
	}
	r.latest.mu.Lock()
	workspace, there := r.latest.workspaces[m.workspace]
	r.latest.mu.Unlock()
	if !there {
		workspace.value = storage.ManifestWorkspace{ID: m.workspace, Name: recoveredTitle, CreatedAt: madeAt(m.workspace)}
	}
	at := madeAt(m.id)
	return storage.Manifest{
		Workspace: workspace.value,
		Conversation: storage.ManifestConversation{
			ID: derived(m.workspace, "conversation"), Kind: storage.Channel, Title: recoveredTitle,
			CreatedBy: owner.ID, CreatedAt: at, Members: []string{owner.ID},
		},
		People:  []storage.ManifestPerson{owner},
		Message: storage.ManifestMessage{ID: m.id, AuthorID: owner.ID, RecordedAt: at, CreatedAt: at},
	}, nil
}

// owner is who a workspace belongs to: by its manifests, by the database, or
// else somebody new.
func (r *reindexer) owner(ctx context.Context, workspaceID string) (storage.ManifestPerson, error) {
	r.latest.mu.Lock()
	p, there := r.latest.people[r.latest.owners[workspaceID]]
	r.latest.mu.Unlock()
	if there {
		return p.value, nil
	}
	u, err := r.Records.OwnerOf(ctx, workspaceID)
	if errors.Is(err, storage.ErrNotFound) {
		return storage.ManifestPerson{ID: derived(workspaceID, "owner"), Name: "Owner", Role: storage.Owner}, nil
	}
	return storage.ManifestPerson{ID: u.ID, Name: u.Name, Role: u.Role}, err
}

// derived is an id that is the same in every run.
func derived(workspaceID, what string) string {
	return uuid.NewSHA1(uuid.MustParse(workspaceID), []byte("recovered "+what)).String()
}

// madeAt is when an id was made, which a UUIDv7 tells to the millisecond.
func madeAt(id string) time.Time {
	sec, nsec := uuid.MustParse(id).Time().UnixTime()
	at := time.Unix(sec, nsec).UTC().Truncate(time.Millisecond)
	if at.Before(time.UnixMilli(1)) || at.After(storage.Now()) {
		return storage.Now()
	}
	return at
}
