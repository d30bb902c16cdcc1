package blob

import "time"

// SetPatience makes every call give up, and every download count as dead,
// after d.
func (s *Store) SetPatience(d time.Duration) {
	s.patience = patience{short: d, part: d, complete: d, stall: d}
}
