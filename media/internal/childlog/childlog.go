// Package childlog keeps what a child process writes to its standard error,
// which is foreign and may have no end.
package childlog

import "strings"

// limit is how much is kept, in bytes.
const limit = 4 << 10

// Head keeps the first 4 KiB that are written to it and drops the rest. The
// zero value is empty. It is for one goroutine at a time.
type Head struct{ kept []byte }

// Write never fails.
func (h *Head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), limit-len(h.kept))]...)
	return len(p), nil
}

// String returns what was kept, without white space around it.
func (h *Head) String() string { return strings.TrimSpace(string(h.kept)) }

// OneLine returns what was kept with its words apart by single spaces.
func (h *Head) OneLine() string { return strings.Join(strings.Fields(string(h.kept)), " ") }
