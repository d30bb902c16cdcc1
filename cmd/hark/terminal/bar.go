package terminal

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// bar draws progress on a terminal, and nothing where there is none. It is an
// io.Writer that counts what is written to it. It is safe for concurrent use:
// an HTTP client may still read a body when its request is over.
type bar struct {
	out     *os.File
	label   string
	columns int // of the terminal; 0 for none

	mu          sync.Mutex
	done, total int64 // total 0 means unknown
	drawn       time.Time
	finished    bool
}

// NewBar makes a bar that counts up to total; 0 means that it is not known yet.
func NewBar(out *os.File, label string, total int64) *bar {
	return &bar{out: out, label: Printable(label), total: total, columns: WidthOf(out)}
}

// Write counts p and never fails.
func (b *bar) Write(p []byte) (int, error) {
	b.Set(b.Count() + int64(len(p)))
	return len(p), nil
}

// Count is how much is done.
func (b *bar) Count() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done
}

// Set notes how much is done.
func (b *bar) Set(done int64) { b.SetOf(done, -1) }

// SetOf notes how much is done of how much; less than 0 means as before.
func (b *bar) SetOf(done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done = done; total >= 0 {
		b.total = total
	}
	if time.Since(b.drawn) > 100*time.Millisecond {
		b.draw()
	}
}

func (b *bar) draw() {
	b.drawn = time.Now()
	if b.columns == 0 || b.total <= 0 || b.finished {
		return
	}
	fmt.Fprint(b.out, "\r\x1b[K"+b.line())
}

// line is the label, a bar and the share in percent, in less than a line of the
// terminal: at the width of a line some would begin another.
func (b *bar) line() string {
	const share = len(" 100 %")
	part := min(float64(b.done)/float64(b.total), 1)
	percent := fmt.Sprintf(" %3.0f %%", part*100)
	label := min(24, max(b.columns-share-1, 0))
	fill := min(30, b.columns-label-share-len(" []")-1)
	if fill < 5 {
		return fit(b.label, label) + percent
	}
	full := int(part * float64(fill))
	return fit(b.label, label) + " [" + strings.Repeat("=", full) + strings.Repeat(" ", fill-full) + "]" + percent
}

// Finish draws the last state and ends the line. What comes after it is not
// drawn.
func (b *bar) Finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draw()
	if b.columns > 0 && b.total > 0 && !b.finished {
		fmt.Fprintln(b.out)
	}
	b.finished = true
}
