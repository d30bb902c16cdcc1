package spool

import "os"

// SetMost changes how many bytes all recordings together may hold in memory.
func (s *Spool) SetMost(n int64) { s.most = n }

// Held is how many they hold.
func (s *Spool) Held() int64 { return s.held.Load() }

// BreakDisk makes writing to the file fail until mend is called.
func (r *Recording) BreakDisk() (mend func() error, err error) {
	bad, err := os.Open(r.spool.path(r.id))
	if err != nil {
		return nil, err
	}
	good := r.swap(bad)
	return func() error {
		if before := r.swap(good); before != nil {
			return before.Close()
		}
		return r.swap(nil).Close() // the recording is over
	}, nil
}

func (r *Recording) swap(f *os.File) (before *os.File) {
	r.disk.Lock()
	defer r.disk.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	before, r.file = r.file, f
	return before
}
