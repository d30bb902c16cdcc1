package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"hark/storage"
)

// markerFormat is the version of the marker's form.
const markerFormat = 1

// marker is the object that ties a store to its database.
type marker struct {
	Format   int       `json:"format"`
	Store    string    `json:"store"`    // the store's own id
	Database string    `json:"database"` // empty: of a database that nobody knows
	BoundAt  time.Time `json:"bound_at"`
}

// parseMarker reads a marker.
func parseMarker(b []byte) (m marker, err error) {
	if err := json.Unmarshal(b, &m); err != nil {
		return marker{}, fmt.Errorf("read %s: %w", storage.MarkerKey, err)
	}
	if m.Format < 1 || m.Format > markerFormat {
		return marker{}, fmt.Errorf("read %s: its format is %d, and this version reads up to %d", storage.MarkerKey, m.Format, markerFormat)
	}
	if uuid.Validate(m.Store) != nil || m.Database != "" && uuid.Validate(m.Database) != nil {
		return marker{}, fmt.Errorf("read %s: %q and %q are not the ids of a store and a database", storage.MarkerKey, m.Store, m.Database)
	}
	return m, nil
}

// marker reads the store's marker; nil when there is none.
func (s *Stores) marker(ctx context.Context) (*marker, error) {
	b, err := s.read(ctx, storage.MarkerKey)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	if err != nil {
		return nil, err
	}
	m, err := parseMarker(b)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// mark writes the store's marker.
func (s *Stores) mark(ctx context.Context, b storage.Binding) error {
	text, err := json.Marshal(marker{Format: markerFormat, Store: b.Store, Database: b.Database, BoundAt: storage.Now()})
	if err != nil {
		return fmt.Errorf("write %s: %w", storage.MarkerKey, err)
	}
	return s.write(ctx, storage.MarkerKey, append(text, '\n'))
}
