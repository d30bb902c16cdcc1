package reconcile

import (
	"context"
	"time"

	"hark/storage"
	"hark/storage/blob"
)

// orphanAge is how old an object must be before the lack of a record makes it
// an orphan. It is longer than any upload may take.
const orphanAge = 48 * time.Hour

// OldEnough is before when an object must have been modified for [Stores.Survey]
// to take it for an orphan.
func OldEnough(now time.Time) time.Time { return now.Add(-orphanAge) }

// surveyBatch is how many messages are looked up in the database at once.
const surveyBatch = 500

// Stray is an object that no record has.
type Stray struct {
	Key        string    `json:"key"`
	Bytes      int64     `json:"bytes"`
	ModifiedAt time.Time `json:"modified_at"`
	Workspace  string    `json:"workspace,omitempty"` // empty for renditions of older versions
	Message    string    `json:"message,omitempty"`   // empty for what belongs to a user
	User       string    `json:"user,omitempty"`      // empty for what belongs to a message
	Kind       StrayKind `json:"kind"`
}

// StrayKind says why nobody has an object.
type StrayKind string

// The kinds of stray.
const (
	// Orphan belongs to a message that was never recorded, or whose deletion
	// was cut off, or to a user who has another picture or pronunciation, or none.
	Orphan StrayKind = "orphan"
	// Unknown belongs to a message of which a manifest tells and the database
	// knows nothing: it was restored from a backup that is older.
	Unknown StrayKind = "unknown"
	// Leftover is a piece of a recording whose original is whole.
	Leftover StrayKind = "leftover"
)

// Survey is what was seen of the store. Objects that are not Hark's, and those
// that were moved aside, are not counted.
type Survey struct {
	Objects   int `json:"objects"`
	Orphans   int `json:"orphans"`
	Leftovers int `json:"leftovers"`
	Unknown   int `json:"unknown_recordings"` // messages, not objects
}

// tooMany says whether there are more orphans than crashes leave: more than 20,
// and more than one in a hundred objects.
func (s Survey) tooMany() bool { return s.Orphans > 20 && s.Orphans*100 > s.Objects }

// object is an object of a message or a user.
type object struct {
	blob.Object
	key storage.ObjectKey
}

// message is what lies in the store of one message, or of one user.
type message struct {
	workspace string // empty for renditions of older versions
	id        string // of the message or the user
	objects   []object
}

// first returns the first object of a kind; nil when there is none.
func (m *message) first(kind storage.ObjectKind) *object {
	for i := range m.objects {
		if m.objects[i].key.Kind == kind {
			return &m.objects[i]
		}
	}
	return nil
}

// messages calls visit with all that lies in the store below a prefix, a few
// hundred messages at a time, with what the database knows of them.
func (s *Stores) messages(ctx context.Context, prefix string, visit func([]message, map[string]storage.KnownObjects) error) error {
	var page []message
	flush := func() error {
		ids := make([]string, len(page))
		for i, m := range page {
			ids[i] = m.id
		}
		known, err := s.Records.KnownObjects(ctx, ids)
		if err == nil {
			err = visit(page, known)
		}
		page = page[:0]
		return err
	}
	err := s.Objects.List(ctx, prefix, func(o blob.Object) error {
		key, ours := storage.ParseKey(o.Key)
		if !ours {
			return nil
		}
		// Keys come in order: all of a message follow on each other.
		if n := len(page); n == 0 || page[n-1].id != key.ID() || page[n-1].workspace != key.Workspace {
			if n == surveyBatch {
				if err := flush(); err != nil {
					return err
				}
			}
			page = append(page, message{workspace: key.Workspace, id: key.ID()})
		}
		m := &page[len(page)-1]
		m.objects = append(m.objects, object{Object: o, key: key})
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// Survey looks at all objects of messages and users and calls visit for each that no
// record has: the orphans that were last modified before the given time, and
// all that is of unknown recordings.
func (s *Stores) Survey(ctx context.Context, before time.Time, visit func(Stray) error) (Survey, error) {
	v := surveyor{before: before, visit: visit, unknown: map[string]bool{}}
	// Renditions of older versions tell nothing of their message: whether it is
	// an unknown recording is known at the end.
	for _, prefix := range []string{storage.MessagesPrefix, storage.OldRenditionsPrefix, storage.UsersPrefix} {
		err := s.messages(ctx, prefix, func(page []message, known map[string]storage.KnownObjects) error {
			for _, m := range page {
				if err := v.look(m, known); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return Survey{}, err
		}
	}
	v.survey.Unknown = len(v.unknown)
	return v.survey, nil
}

// surveyor tells strays from objects that a record has.
type surveyor struct {
	survey  Survey
	before  time.Time
	visit   func(Stray) error
	unknown map[string]bool // messages
}

func (v *surveyor) look(m message, known map[string]storage.KnownObjects) error {
	record, recorded := known[m.id]
	v.survey.Objects += len(m.objects)
	if !recorded && m.first(storage.ManifestObject) != nil {
		v.unknown[m.id] = true
	}
	for _, o := range m.objects {
		kind := Orphan
		switch {
		case recorded && record.Has(o.key.Kind, o.Key):
			continue
		case v.unknown[m.id]:
			kind = Unknown
		case !o.ModTime.Before(v.before):
			continue
		case recorded && o.key.Kind == storage.PieceObject:
			if !m.has(storage.OriginalOfPiece(o.Key)) {
				continue // all that there is of the recording
			}
			kind = Leftover
		}
		v.count(kind)
		err := v.visit(Stray{Key: o.Key, Bytes: o.Size, ModifiedAt: o.ModTime, Workspace: m.workspace, Message: o.key.Message, User: o.key.User, Kind: kind})
		if err != nil {
			return err
		}
	}
	return nil
}

// has says whether an object is among those of the message.
func (m *message) has(key string) bool {
	for i := range m.objects {
		if m.objects[i].Key == key {
			return true
		}
	}
	return false
}

func (v *surveyor) count(kind StrayKind) {
	switch kind {
	case Orphan:
		v.survey.Orphans++
	case Leftover:
		v.survey.Leftovers++
	}
}
