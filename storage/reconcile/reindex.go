package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"hark/storage"
	"hark/storage/sqldb"
)

const (
	readsAtOnce  = 16  // manifests and transcripts
	restoreBatch = 100 // messages of one transaction
)

// ReindexOptions say how records are made again.
type ReindexOptions struct {
	// DryRun looks and counts, and changes nothing.
	DryRun bool
	// Rebind takes the store for the database's although the database belongs
	// to another.
	Rebind bool
	// Alone says that no server runs. Otherwise a young recording without a
	// manifest is left for the next time: it may be on its way in.
	Alone bool
	// Node finishes the recordings that are in pieces: the name of the spool
	// that may have the rest of them. Empty means that any node does.
	Node string
	// Progress is called now and then with how many messages were looked at. It may be nil.
	Progress func(messages int)
}

// Reindexed is what became of the messages in the store.
type Reindexed struct {
	Seen       int      `json:"seen"`       // messages of which something lies in the store
	Present    int      `json:"present"`    // whose record was there
	Restored   int      `json:"restored"`   // whose record was made again, all in all
	Recovered  int      `json:"recovered"`  // of these: without a manifest, from the recording alone
	Recordings int      `json:"recordings"` // of these: in pieces, to be finished by a recorder
	Searchable int      `json:"searchable"` // of these: with their transcript
	Profiles   int      `json:"profiles"`   // pictures and pronunciations that their users have
	Lost       []Loss   `json:"lost"`       // that could not be made again
	Unused     []string `json:"unused"`     // names of workspaces that were dropped because nobody used them
}

// Loss is a message that could not be made again.
type Loss struct {
	Workspace string `json:"workspace"`
	Message   string `json:"message"`
	Reason    string `json:"reason"`
}

// anyNode is the node of recordings whose node is not known. Theirs is silent,
// so another takes them over.
const anyNode = "lost"

// Reindex makes the records of all messages again that lie in the store and
// that the database does not know, and in the end binds the two to each other.
// What the database knows stays as it is. It may be cut off at any point and
// repeated.
//
// It fails with a [*Disagreement] when the database belongs to another store,
// unless told to rebind.
func (s *Stores) Reindex(ctx context.Context, o ReindexOptions) (Reindexed, error) {
	if o.Node == "" {
		o.Node = anyNode
	}
	bound, err := s.Records.Binding(ctx)
	if err != nil {
		return Reindexed{}, err
	}
	var d *Disagreement
	err = s.compare(ctx, bound)
	if err != nil && !errors.As(err, &d) || d != nil && d.OtherStore && !o.Rebind {
		return Reindexed{}, err
	}
	r := &reindexer{Stores: s, ReindexOptions: o, latest: newLatest()}
	for _, pass := range []func(context.Context, []message) error{r.learn, r.restore} {
		if err := r.missing(ctx, pass); err != nil {
			return r.done, err
		}
	}
	if o.DryRun {
		return r.done, nil
	}
	if err := r.restoreUserObjects(ctx); err != nil {
		return r.done, err
	}
	if bound.Store == "" { // the database is new
		if r.done.Unused, err = s.Records.DropUnusedWorkspaces(ctx); err != nil {
			return r.done, err
		}
	}
	return r.done, s.bind(ctx)
}

// restoreUserObjects gives pictures and pronunciations back to the users who are there
// and have none: of several that a crash left, the newest.
func (r *reindexer) restoreUserObjects(ctx context.Context) error {
	return r.messages(ctx, storage.UsersPrefix, func(page []message, _ map[string]storage.KnownObjects) error {
		for _, m := range page {
			newest := map[storage.ObjectKind]object{}
			for _, o := range m.objects {
				if has, seen := newest[o.key.Kind]; !seen || o.ModTime.After(has.ModTime) {
					newest[o.key.Kind] = o
				}
			}
			for _, o := range newest {
				has, err := r.Records.RestoreUserObject(ctx, o.Key)
				if err != nil {
					return err
				}
				if has {
					r.done.Profiles++
				}
			}
		}
		return nil
	})
}

// bind has database and store name each other.
func (s *Stores) bind(ctx context.Context) error {
	m, err := s.marker(ctx)
	if err != nil {
		return err
	}
	b, err := s.Records.Bind(ctx, func(context.Context, string) (string, error) { return "", nil })
	if err != nil {
		return err
	}
	if m != nil {
		b.Store = m.Store
	} else {
		b.Store = storage.NewID()
	}
	// The marker first: a database that is bound to a store without one would
	// be refused.
	if err := s.mark(ctx, b); err != nil {
		return err
	}
	return s.Records.Rebind(ctx, b.Store)
}

// reindexer is one reindex under way.
type reindexer struct {
	*Stores
	ReindexOptions
	latest *latest

	mu   sync.Mutex // guards done.Lost
	done Reindexed
}

// missing calls do with the messages in the store that have no record.
func (r *reindexer) missing(ctx context.Context, do func(context.Context, []message) error) error {
	r.done = Reindexed{}
	return r.messages(ctx, storage.MessagesPrefix, func(page []message, known map[string]storage.KnownObjects) error {
		var missing []message
		for _, m := range page {
			if _, present := known[m.id]; present {
				r.done.Present++
			} else {
				missing = append(missing, m)
			}
		}
		r.done.Seen += len(page)
		if err := do(ctx, missing); err != nil {
			return err
		}
		if r.Progress != nil {
			r.Progress(r.done.Seen)
		}
		return nil
	})
}

// learn reads what the manifests tell of workspaces, conversations and people:
// the newest of them is right.
func (r *reindexer) learn(ctx context.Context, page []message) error {
	return each(ctx, page, func(ctx context.Context, m message) error {
		manifest, err := r.manifest(ctx, m)
		if err == nil && manifest != nil {
			r.latest.learn(*manifest)
		}
		return notLoss(err)
	})
}

// restore makes the records of a page of messages.
func (r *reindexer) restore(ctx context.Context, page []message) error {
	found := make([]*sqldb.Restored, len(page))
	index := map[string]int{}
	for i, m := range page {
		index[m.id] = i
	}
	err := each(ctx, page, func(ctx context.Context, m message) error {
		restored, err := r.find(ctx, m)
		if err != nil {
			return r.lose(m, err)
		}
		found[index[m.id]] = restored
		return nil
	})
	if err != nil {
		return err
	}
	var batch []sqldb.Restored
	for _, m := range found {
		if m == nil {
			continue
		}
		if n := len(batch); n == restoreBatch || n > 0 && batch[0].Workspace.ID != m.Workspace.ID {
			if err := r.commit(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
		batch = append(batch, *m)
	}
	return r.commit(ctx, batch)
}

// commit makes the records of messages of one workspace.
func (r *reindexer) commit(ctx context.Context, batch []sqldb.Restored) error {
	if len(batch) == 0 {
		return nil
	}
	n := len(batch)
	if !r.DryRun {
		if err := r.Records.RestoreWorkspace(ctx, batch[0].Workspace); err != nil {
			return err
		}
		var err error
		if n, err = r.Records.Restore(ctx, batch[0].Workspace.ID, batch); err != nil {
			return err
		}
	}
	r.done.Restored += n
	for _, m := range batch {
		switch {
		case m.Node != "":
			r.done.Recordings++
		case m.WrittenAt.IsZero():
			r.done.Recovered++
		case m.Transcript != nil:
			r.done.Searchable++
		}
	}
	return nil
}

// lossError says why a message cannot be made again.
type lossError struct{ reason string }

func (e *lossError) Error() string { return e.reason }

func lossf(format string, args ...any) error { return &lossError{fmt.Sprintf(format, args...)} }

// notLoss is err unless it concerns one message only.
func notLoss(err error) error {
	var loss *lossError
	if errors.As(err, &loss) {
		return nil
	}
	return err
}

// lose notes a message that cannot be made again; any other error is returned.
func (r *reindexer) lose(m message, err error) error {
	if notLoss(err) != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done.Lost = append(r.done.Lost, Loss{Workspace: m.workspace, Message: m.id, Reason: err.Error()})
	return nil
}

// each runs do for all messages, several at once.
func each(ctx context.Context, page []message, do func(context.Context, message) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for _, m := range page {
		group.Go(func() error { return do(ctx, m) })
	}
	return group.Wait()
}
