package recorder

import (
	"sync"

	"hark/storage"
)

// registry knows the recordings of this process, and bounds how many there are:
// each holds a session, a file and, with captions, a recogniser's attention.
// A recording counts against the bounds until its session is over, and stays
// known until it is finished.
type registry struct {
	perUser, perNode int

	under sync.WaitGroup // recordings from enter to forget

	mu       sync.Mutex
	closed   bool
	speaking int
	users    map[string]int        // recordings by user, of those who have any
	sessions map[string]*Recording // by session id
	messages map[string]*Recording // by message id, until finished
}

func newRegistry(perUser, perNode int) *registry {
	return &registry{
		perUser: perUser, perNode: perNode,
		users: map[string]int{}, sessions: map[string]*Recording{}, messages: map[string]*Recording{},
	}
}

// enter takes a place for a recording that has no session yet.
func (d *registry) enter(rec *Recording) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return ErrClosing
	case d.users[rec.principal.UserID] >= d.perUser:
		return ErrTooMany
	case d.speaking >= d.perNode:
		return ErrSaturated
	}
	d.under.Add(1)
	d.speaking++
	d.users[rec.principal.UserID]++
	d.messages[rec.id] = rec
	return nil
}

// attach gives a recording its session.
func (d *registry) attach(rec *Recording, s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rec.session = s
}

// open makes a recording known by its session, unless that is over already. It
// fails when the registry closed meanwhile.
func (d *registry) open(rec *Recording) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return ErrClosing
	}
	if !rec.left {
		d.sessions[rec.session.ID()] = rec
	}
	return nil
}

// leave gives a recording's place to another, once.
func (d *registry) leave(rec *Recording) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if rec.left {
		return
	}
	rec.left = true
	d.speaking--
	if d.users[rec.principal.UserID]--; d.users[rec.principal.UserID] == 0 {
		delete(d.users, rec.principal.UserID)
	}
	if rec.session != nil {
		delete(d.sessions, rec.session.ID())
	}
}

// forget is for a recording that is finished.
func (d *registry) forget(rec *Recording) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.messages, rec.id)
	d.under.Done()
}

// session finds a recording for who began it, with whatever credential that
// reaches into its conversation.
func (d *registry) session(id string, principal storage.Principal) (*Recording, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rec := d.sessions[id]
	if rec == nil || rec.principal.UserID != principal.UserID || rec.principal.WorkspaceID != principal.WorkspaceID || !principal.Scopes.Cover(rec.conversationID) {
		return nil, storage.ErrNotFound
	}
	return rec, nil
}

// has reports whether this process has a recording, finished or not.
func (d *registry) has(messageID string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.messages[messageID] != nil
}

// ids are the messages of all recordings of this process.
func (d *registry) ids() map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := make(map[string]bool, len(d.messages))
	for id := range d.messages {
		ids[id] = true
	}
	return ids
}

// speakers are the recordings whose sessions are open.
func (d *registry) speakers() []*Recording {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]*Recording, 0, len(d.sessions))
	for _, rec := range d.sessions {
		all = append(all, rec)
	}
	return all
}

// close lets no more in, and returns who is speaking.
func (d *registry) close() []*Recording {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	return d.speakers()
}

// counts are how many recordings are on their way.
type counts struct{ speaking, finishing int }

func (d *registry) count() counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return counts{speaking: d.speaking, finishing: len(d.messages) - d.speaking}
}
