package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// bar draws progress on a terminal, and nothing where there is none. It is an
// io.Writer that counts what is written to it. Not safe for concurrent use.
type bar struct {
	out         *os.File
	label       string
	done, total int64 // total 0 means unknown
	drawn       time.Time
	terminal    bool
}

func newBar(out *os.File, label string, total int64) *bar {
	info, err := out.Stat()
	return &bar{out: out, label: label, total: total, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// Write counts p and never fails.
func (b *bar) Write(p []byte) (int, error) {
	b.set(b.done + int64(len(p)))
	return len(p), nil
}

func (b *bar) set(done int64) {
	b.done = done
	if time.Since(b.drawn) > 100*time.Millisecond {
		b.draw()
	}
}

func (b *bar) draw() {
	const width = 30
	b.drawn = time.Now()
	if !b.terminal || b.total <= 0 {
		return
	}
	part := min(float64(b.done)/float64(b.total), 1)
	fill := int(part * width)
	fmt.Fprintf(b.out, "\r\x1b[K%-24.24s [%s%s] %3.0f %%", b.label, strings.Repeat("=", fill), strings.Repeat(" ", width-fill), part*100)
}

// finish draws the last state and ends the line.
func (b *bar) finish() {
	b.draw()
	if b.terminal && b.total > 0 {
		fmt.Fprintln(b.out)
	}
}
